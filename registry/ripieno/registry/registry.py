"""The plugins that are installed: found, described, loaded and built.

Conventions
-----------
A plugin is named as in a pipeline, ``separator/hpss``. The metadata of what is installed is read once.
Finding and listing import nothing; describing imports a plugin once and remembers what it said under the
hash of its code.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache as cache_calls, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ripieno.contracts.errors import ConfigError, MissingError, PluginError, RefusedError, RipienoError

from . import descriptors, groups, identity, loading, requirements
from .descriptors import Configured, Descriptor
from .digests import FileDigests
from .entries import Entry, Index, normalised
from .known import cure, known
from .memo import Memo, default_folder
from .suggest import closest_uses, question

if TYPE_CHECKING:
    from ripieno.contracts import Artifact

    from .listeners import Listeners

T = TypeVar("T")

_ALWAYS_ALLOWED = "ripieno-contracts"


class Registry:
    """What is installed, as one process sees it.

    Parameters
    ----------
    allow : sequence of str
        Distributions whose plugins may be used; all where empty. The environment variable
        ``RIPIENO_PLUGINS`` (names, comma separated) narrows it further. ripieno-contracts always is.
    cache : Path, optional
        Folder for what is remembered; ``$RIPIENO_STORE`` or the user's cache folder where not given.
    """

    def __init__(self, *, allow: Sequence[str] = (), cache: Path | None = None) -> None:
        self._cache = cache
        self._allowed = _allowed(allow)
        # Kept for the life of a process: what it has loaded does not change under it.
        self._fresh: dict[str, bool] = {}
        self._code_of = cache_calls(lambda root: identity.code_hash(root, self.digests))
        self._code_hash = cache_calls(lambda module: self._code_of(identity.code_root(module)))
        self._needs = cache_calls(self._find_needs)
        self._unmet = cache_calls(self._find_unmet)
        self._dependencies = cache_calls(self._find_dependencies)
        self._describe = cache_calls(self._find_descriptor)

    # Where the cache is takes longer to find out than to list what is installed.
    @cached_property
    def _folder(self) -> Path:
        return self._cache or default_folder()

    @cached_property
    def digests(self) -> FileDigests:
        """Digests of files, remembered between processes."""
        return FileDigests(self._folder)

    @cached_property
    def _memo(self) -> Memo:
        return Memo(self._folder / "descriptors")

    @cached_property
    def _needs_memo(self) -> Memo:
        return Memo(self._folder / "requirements")

    @cached_property
    def _index(self) -> Index:
        return Index.read(sys.path)

    def entries(self, prefix: str = "") -> tuple[Entry, ...]:
        """Every entry point that is allowed, sorted, of one prefix or of all; conflicting ones too."""
        return tuple(
            entry
            for entry in self._index.entries
            if prefix in ("", entry.prefix) and self._is_allowed(entry.distribution)
        )

    def names(self, prefix: str) -> tuple[str, ...]:
        """Names under a prefix, sorted."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries(prefix)))

    def find(self, uses: str) -> Entry:
        """The entry point of a plugin.

        Raises
        ------
        MissingError
            If nothing installed has the name; the message says what was meant or what brings it.
        RefusedError
            If its distribution is not allowed.
        PluginError
            If several distributions give the name.
        """
        installed = self._index.by_uses.get(uses, ())
        allowed = [entry for entry in installed if self._is_allowed(entry.distribution)]
        if len(allowed) == 1:
            return allowed[0]
        if allowed:
            raise PluginError(_conflict(allowed))
        if installed:
            raise RefusedError(
                f"{installed[0]} is not allowed: allowed are {', '.join(sorted(self._allowed))}. "
                f"Add {installed[0].distribution} to the pipeline's plugins: allow: and to RIPIENO_PLUGINS"
            )
        raise MissingError(self._missing(uses))

    def is_data(self, uses: str) -> bool:
        """Whether it names an object of data (a preset, an asset), not a class with settings.

        Raises
        ------
        MissingError, RefusedError, PluginError
            As `find`.
        """
        return not self.describe(uses).verb

    def load(self, uses: str) -> Any:
        """What a plugin's entry point names: a class, or an object of data.

        Raises
        ------
        MissingError, RefusedError, PluginError
            As `find`; PluginError also, in one line with distribution, version, cause and cure, if it
            cannot be imported or what its distribution needs is not installed.
        """
        return self._load(self.find(uses))

    def describe(self, uses: str) -> Descriptor:
        """What a plugin says of itself; imported only where that is not known for its code.

        Raises
        ------
        MissingError, RefusedError, PluginError
            As `load`; PluginError also if it does not keep its contract.
        """
        return self._describe(self.find(uses))

    def configure(self, uses: str, settings: Mapping[str, Any]) -> Configured:
        """A plugin's settings completed, and what follows from them.

        Raises
        ------
        ConfigError
            With one line for each problem, ``place: message``.
        MissingError, RefusedError, PluginError
            As `load`.
        """
        entry = self.find(uses)

        def make() -> dict[str, Any]:
            return descriptors.configure(entry, self._load(entry), settings)

        return self._remembered(entry, Configured.from_json, make, dict(settings))

    def build(self, uses: str, settings: Mapping[str, Any]) -> Any:
        """A plugin with its settings, and in them the plugins that they refer to; or an object of data.

        Raises
        ------
        ConfigError
            With one line for each problem, ``place: message``.
        MissingError, RefusedError, PluginError
            As `load`; PluginError also if it cannot be made or refers to itself.
        """
        return self._build(uses, settings, ())

    def identity(self, uses: str) -> dict[str, Any]:
        """What a cache key takes of a plugin's code.

        Returns
        -------
        dict
            distribution, version, code (hash), dependencies (version by name), binaries (SHA-256 by name),
            contracts (``major.minor``).

        Raises
        ------
        MissingError
            If a program it runs is not on this machine.
        RefusedError, PluginError
            As `load`.
        """
        from ripieno.contracts import __version__
        from ripieno.contracts.binaries import Binary

        entry = self.find(uses)
        programs = [Binary(**binary) for binary in self._describe(entry).binaries]
        return {
            "distribution": entry.distribution,
            "version": entry.version,
            "code": self.code_hash(entry),
            "dependencies": dict(self._dependencies(entry.distribution)),
            "binaries": {program.name: self.digests.digest(program.require()) for program in programs},
            "contracts": ".".join(__version__.split(".")[:2]),
        }

    def code_hash(self, entry: Entry) -> str:
        """Hash of all files of the package that an entry's module is in, as they are when first asked.

        Raises
        ------
        PluginError
            If the package is not there.
        """
        if entry.malformed:
            raise PluginError(loading.malformed(entry))
        try:
            return self._code_hash(entry.module)
        except ModuleNotFoundError as error:
            raise loading.absent(entry, error) from error

    def kind(self, kind: str) -> type["Artifact"]:
        """The class of a kind of artifact.

        Raises
        ------
        MissingError
            If nothing installed has the kind.
        PluginError
            As `load`, or if what is registered is no artifact of this kind.
        """
        entry = self.find(f"artifact/{kind}")
        loaded: type[Artifact] = self._load(entry)
        groups.check(entry, loaded)
        return loaded

    def codec(self, kind: str, suffix: str) -> str:
        """What reads and writes a kind of artifact as files of a suffix, ``codec/beats``.

        Parameters
        ----------
        kind : str
            Of the artifact.
        suffix : str
            With its dot, in any case; empty for a folder.

        Returns
        -------
        str
            The first in the order of names, where several do.

        Raises
        ------
        MissingError
            Naming the suffixes there are for the kind, and what brings more.
        """
        of_kind: dict[str, str] = {}
        faults = []
        for entry in self.entries("codec"):
            try:
                described = self.describe(entry.uses)
            except RipienoError as error:
                faults.append(str(error))
                continue
            if described.kind == kind:
                of_kind = {**dict.fromkeys(described.suffixes, entry.uses), **of_kind}
        if suffix.lower() in of_kind:
            return of_kind[suffix.lower()]
        raise MissingError(_no_codec(kind, suffix, of_kind, faults))

    def problems(self) -> list[str]:
        """One line for each fault of what is installed that shows without importing it."""
        entries = self.entries()
        same = [[other for other in entries if other.uses == uses] for uses in self._index.by_uses]
        found = [_conflict(conflicting) for conflicting in same if len(conflicting) > 1]
        found += [loading.malformed(entry) for entry in entries if entry.malformed]
        for name in dict.fromkeys(entry.distribution for entry in entries):
            try:
                found += [f"{self._index.distributions[name]}: {line}" for line in self._unmet(name)]
            except PluginError as error:
                found.append(str(error))
        return found

    def check(self, entry: Entry) -> str | None:
        """Import one entry point, whatever others there are of its name.

        Returns
        -------
        str or None
            What is wrong, in one line.
        """
        try:
            descriptors.describe(entry, self._load(entry))
        except RipienoError as error:
            return loading.one_line(error)
        return None

    def listeners(self, report: Callable[[str], None] = logging.getLogger("ripieno").warning) -> "Listeners":
        """Every listener that is registered, built; one that cannot be is reported and left out.

        Parameters
        ----------
        report : callable
            Takes one line for each fault, now and while they listen.
        """
        from .listeners import Listeners

        listeners = Listeners(report)
        for name in self.names("hook"):
            try:
                entry = self.find(f"hook/{name}")
                listeners.add(descriptors.make(entry, self._load(entry)), name=str(entry))
            except RipienoError as error:
                report(str(error))
        return listeners

    def _load(self, entry: Entry) -> Any:
        self._require(entry)
        self._code_before_import(entry)
        return loading.load(entry)

    def _build(self, uses: str, settings: Mapping[str, Any], trail: tuple[Any, ...]) -> Any:
        from ripieno.contracts.config import references
        from ripieno.contracts.describe import validated

        from .catalogue import Catalogue

        if (uses, settings) in trail:
            raise PluginError(f"{' > '.join(name for name, _ in trail)} > {uses}: a plugin inside itself")
        entry = self.find(uses)
        loaded = self._load(entry)
        groups.check(entry, loaded)
        if not groups.is_configurable(entry.group):
            groups.refuse_settings(entry, settings)
            return loaded
        config = validated(loaded, settings)
        for place, reference in references(config).items():
            try:
                plugin = self._build(reference.uses, reference.settings, (*trail, (uses, settings)))
            except ConfigError as error:
                raise error.inside(place) from error
            if reference.uses.startswith("asset/"):
                plugin = plugin.at(Catalogue(self).path(reference.uses.removeprefix("asset/")))
            reference.bind(plugin)
        return descriptors.make(entry, loaded, config)

    def _find_descriptor(self, entry: Entry) -> Descriptor:
        return self._remembered(
            entry, Descriptor.from_json, lambda: descriptors.describe(entry, self._load(entry))
        )

    def _remembered(
        self, entry: Entry, read: Callable[[Any], T], make: Callable[[], Any], *settings: Any
    ) -> T:
        """What `make` said when it was called for this code before; else what it says now."""
        self._require(entry)
        code = self._code_before_import(entry)
        key = (entry.uses, entry.value, code, self._environment(entry), *settings)
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            return read(self._memo.get(*key))
        document = make()
        # Which files a plugin reads is for the disk to say, each time.
        if self._fresh[entry.module] and not document.get("assets"):
            self._memo.put(document, *key)
        return read(document)

    def _environment(self, entry: Entry) -> dict[str, str]:
        return {
            **self._dependencies(entry.distribution),
            "python": ".".join(map(str, sys.version_info[:2])),
            "pydantic": self._index.version("pydantic"),
            "contracts": self._code_hash("ripieno.contracts.describe"),
            "registry": self._code_hash(__name__),
        }

    def _code_before_import(self, entry: Entry) -> str:
        # A module that was imported before its files were hashed may be older than they are.
        self._fresh.setdefault(entry.module, entry.module not in sys.modules)
        return self.code_hash(entry)

    def _require(self, entry: Entry) -> None:
        for line in self._unmet(entry.distribution):
            raise loading.fault(entry, line)

    def _find_unmet(self, distribution: str) -> tuple[str, ...]:
        return tuple(self._needs(distribution)["unmet"])

    def _find_dependencies(self, distribution: str) -> Mapping[str, str]:
        versions = self._needs(distribution)["dependencies"]
        return {name: version + self._edited(name) for name, version in versions.items()}

    def _find_needs(self, name: str) -> Mapping[str, Any]:
        """What a distribution needs; reading the metadata takes longer than all the rest of a cached run."""
        distribution = self._index.distributions[name]
        key = (name, distribution.headers, self._index.state)
        needs = self._needs_memo.get(*key)
        if not isinstance(needs, dict) or not {"unmet", "dependencies"} <= set(needs):
            needs = {
                "unmet": list(requirements.unmet(distribution, self._index)),
                "dependencies": requirements.dependencies(distribution, self._index),
            }
            self._needs_memo.put(needs, *key)
        return needs

    def _edited(self, name: str) -> str:
        """What tells apart states of one version of a dependency that is being edited."""
        distribution = self._index.distributions.get(name)
        if distribution is None or not distribution.is_editable:
            return ""
        for module in (name.replace("-", "."), name.replace("-", "_")):
            with suppress(ModuleNotFoundError):
                return f"+{self._code_hash(module)[:16]}"
        return ""

    def _is_allowed(self, distribution: str) -> bool:
        return not self._allowed or distribution in self._allowed

    def _missing(self, uses: str) -> str:
        said = f"no plugin {uses} is installed"
        if uses in known():
            return f"{said}. Run: pip install {known()[uses]}"
        installed = {entry.uses for entry in self.entries()}
        meant = closest_uses(uses, installed) or closest_uses(uses, known())
        if not meant:
            return f"{said}. Run: core {'models' if uses.startswith('asset/') else 'plugins'} list"
        return said + question(meant) + ("" if meant in installed else f" Run: pip install {known()[meant]}")


def _allowed(names: Sequence[str]) -> frozenset[str]:
    """Names of the distributions that are allowed; empty for all."""
    variable = [name for name in os.environ.get("RIPIENO_PLUGINS", "").split(",") if name.strip()]
    lists = [{normalised(name.strip()) for name in given} for given in (names, variable) if given]
    return frozenset(set.intersection(*lists) | {_ALWAYS_ALLOWED}) if lists else frozenset()


def _conflict(entries: Sequence[Entry]) -> str:
    names = [f"{entry.distribution} {entry.version}" for entry in entries]
    others = " ".join(entry.distribution for entry in entries[1:])
    return (
        f"{entries[0].uses} is in {' and in '.join(names)}. "
        f"Run: pip uninstall {others}, or list only one of them under the pipeline's plugins: allow:"
    )


def _no_codec(kind: str, suffix: str, of_kind: Mapping[str, str], faults: Sequence[str]) -> str:
    said = f"nothing installed reads or writes {kind} as {suffix or 'a folder'}"
    if of_kind:
        return f"{said}. There is: {', '.join(sorted(name or 'a folder' for name in of_kind))}"
    if faults:
        return f"{said}; {faults[0]}"
    return said + (cure(f"codec/{kind}") or ". Run: core plugins list")
