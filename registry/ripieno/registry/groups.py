"""What each entry-point group is for: classes of an interface, other classes, or data."""

from collections.abc import Mapping
from typing import Any

from ripieno.contracts.errors import ConfigError

from .entries import Entry
from .loading import fault


def is_configurable(group: str) -> bool:
    """Whether a group is for classes of an interface, which have settings."""
    return bool(_interfaces(group))


def check(entry: Entry, loaded: Any) -> None:
    """Refuse what is not of the type that its group is for; groups of others are for anything.

    Raises
    ------
    PluginError
        In one line.
    """
    from ripieno.contracts import Artifact, Asset, Hooks, InstrumentProfile, Preset, Recipe, SampleLibrary

    others = {"ripieno.artifacts": (Artifact,), "ripieno.hooks": (Hooks,)}
    classes = _interfaces(entry.group) or others.get(entry.group, ())
    data = tuple(
        kind
        for kind in (Asset, InstrumentProfile, Preset, Recipe, SampleLibrary)
        if kind.group == entry.group
    )
    if classes and not (isinstance(loaded, type) and issubclass(loaded, classes)):
        names = " or ".join(kind.__name__ for kind in classes)
        cure = f"Derive it from {names} of ripieno.contracts, or register it under another group than {entry.group}"
        raise fault(entry, f"{entry.value} derives from no {names}. {cure}")
    if data and not isinstance(loaded, data):
        name = data[0].__name__
        cure = f"Serve it by resources(__name__, {name})"
        raise fault(entry, f"{entry.value} is a {type(loaded).__name__}, no {name}. {cure}")
    if entry.group == "ripieno.artifacts" and loaded.kind != entry.name:
        cure = f'Register it as {loaded.kind} = "{entry.value}"'
        raise fault(entry, f"{entry.value} is of kind {loaded.kind!r}. {cure}")


def refuse_settings(entry: Entry, settings: Mapping[str, Any]) -> None:
    """Refuse settings for what takes none.

    Raises
    ------
    ConfigError
        With one line for each setting.
    """
    if settings:
        raise ConfigError("\n".join(f"{name}: unknown setting: {entry.uses} takes none" for name in settings))


def _interfaces(group: str) -> tuple[type, ...]:
    from ripieno.contracts.interfaces import INTERFACES

    return tuple(interface for interface in INTERFACES if interface.group == group)
