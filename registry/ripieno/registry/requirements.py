"""What a distribution says it needs, against what is installed.

Conventions
-----------
Requirements are the ``Requires-Dist`` lines of a distribution; markers are those of this interpreter.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ripieno.contracts.errors import PluginError

from .entries import Distribution, Index, normalised
from .loading import one_line

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def unmet(distribution: Distribution, index: Index) -> Iterator[str]:
    """One line, with its cure, for each requirement that what is installed does not meet.

    Raises
    ------
    PluginError
        If a requirement cannot be read.
    """
    for requirement in _requirements(distribution, extras=("",)):
        found = index.version(requirement.name)
        wanted = f"{requirement.name}{requirement.specifier}"
        if found and requirement.specifier.contains(found, prereleases=True):
            continue
        state = f"found {found}" if found else "which is not installed"
        yield f"needs {wanted}, {state}. Run: {_cure(distribution, requirement)}"


def dependencies(distribution: Distribution, index: Index) -> dict[str, str]:
    """Version of each installed distribution that this one names, in an extra of its own or one it asks for.

    Raises
    ------
    PluginError
        If a requirement cannot be read.
    """
    found: dict[str, str] = {}

    def visit(owner: Distribution, extras: Iterable[str]) -> None:
        for requirement in _requirements(owner, extras):
            name = normalised(requirement.name)
            version = index.version(name)
            if version:
                found[name] = version
            if requirement.extras and name in index.distributions and name != owner.name:
                visit(index.distributions[name], requirement.extras)

    visit(distribution, ("", *distribution.headers.get("provides-extra", ())))
    return dict(sorted(found.items()))


def _requirements(distribution: Distribution, extras: Iterable[str]) -> list["Requirement"]:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = [Requirement(line) for line in distribution.headers.get("requires-dist", ())]
    except InvalidRequirement as error:
        raise PluginError(
            f"{distribution}: its metadata cannot be read: {one_line(error)}. "
            f"Run: pip install --force-reinstall {distribution.name}"
        ) from error
    return [
        line
        for line in lines
        if line.marker is None or any(line.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def _cure(distribution: Distribution, requirement: "Requirement") -> str:
    # Contracts and the plugin have to move together: only pip can find the pair that fits.
    if normalised(requirement.name) == "ripieno-contracts":
        return f"pip install -U ripieno-contracts {distribution.name}"
    return f'pip install -U "{requirement.name}{requirement.specifier}"'
