"""Importing what an entry point names, with every fault as one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ripieno.contracts.errors import PluginError, RipienoError

from .entries import Entry, normalised
from .suggest import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def load(entry: Entry) -> Any:
    """What an entry point that is not malformed names: a class, an object of data, a module.

    Raises
    ------
    PluginError
        In one line with distribution, version, cause and cure.
    """
    from importlib.metadata import EntryPoint

    try:
        return _driven(EntryPoint(entry.name, entry.value, entry.group))
    except RipienoError as error:
        raise fault(entry, one_line(error)) from error
    except ModuleNotFoundError as error:
        raise absent(entry, error) from error
    except AttributeError as error:
        if entry.module not in sys.modules:
            raise _broken(entry, error) from error
        hint = did_you_mean(entry.attribute, dir(sys.modules[entry.module]))
        cause = f"{entry.module} has no attribute {entry.attribute!r}{hint or '.'}"
        raise fault(entry, f"{cause} Run: pip install -U {entry.distribution}") from error
    except (Exception, SystemExit) as error:
        raise _broken(entry, error) from error


def fault(entry: Entry, text: str) -> PluginError:
    """The error that says which entry of which distribution is at fault."""
    return PluginError(f"{entry}: {text}")


@contextmanager
def blamed(entry: Entry, what: str, *, but_for: type[RipienoError] | tuple[()] = ()) -> Iterator[None]:
    """Say of what is raised in the block that this entry is at fault; errors of `but_for` pass as they are."""
    try:
        yield
    except but_for:
        raise
    except RipienoError as error:
        raise fault(entry, one_line(error)) from error
    except Exception as error:
        cause = f"{what}: {type(error).__name__}: {one_line(error)}"
        cure = f"Run: pip install -U {entry.distribution}, or tell its authors"
        raise fault(entry, f"{cause}. {cure}") from error


def absent(entry: Entry, error: ModuleNotFoundError) -> PluginError:
    """The error for a module that is not there: of the distribution itself, or one that it imports."""
    missing = (error.name or "").partition(".")[0]
    own = missing in ("", entry.module.partition(".")[0])
    cure = f"--force-reinstall {entry.distribution}" if own else normalised(missing)
    return fault(entry, f"cannot be imported: {one_line(error)}. Run: pip install {cure}")


def malformed(entry: Entry) -> str:
    """What is wrong with an entry whose value is no object reference."""
    return (
        f"{entry}: {entry.value!r} is no entry point, which is module:attribute. "
        f"Correct the pyproject.toml of {entry.distribution} and install it again"
    )


def one_line(error: BaseException) -> str:
    """What an error says, on one line; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def _driven(entry_point: "EntryPoint") -> Any:
    from stevedore.driver import DriverManager

    class Driver(DriverManager[Any]):
        # stevedore's own list comes from a disk cache that misses edits and forgets distributions.
        def list_entry_points(self) -> list["EntryPoint"]:
            return [entry_point]

    return Driver(entry_point.group, entry_point.name).driver


def _broken(entry: Entry, error: BaseException) -> PluginError:
    cause = f"{type(error).__name__}: {one_line(error)}"
    return fault(
        entry, f"cannot be imported: {cause}. Run: pip install -U {entry.distribution}, or pip uninstall it"
    )
