"""What is known of a plugin without importing it, once it was imported somewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ripieno.contracts.errors import ConfigError, RipienoError

from .entries import Entry
from .groups import check, is_configurable, refuse_settings
from .loading import blamed


@dataclass(frozen=True)
class PortInfo:
    """An input of a plugin's verb.

    Parameters
    ----------
    name : str
        Of the parameter.
    kind : str
        Of the artifact.
    many : str
        ``one``, ``list`` or ``dict``.
    required : bool
        Whether it must be wired.
    """

    name: str
    kind: str
    many: str = "one"
    required: bool = True


@dataclass(frozen=True)
class Descriptor:
    """What a plugin class says of itself, see `ripieno.contracts.describe.describe`.

    For what is no class of an interface (data, an artifact kind, a command, a listener) it has the
    interface's name, prefix, summary and description only.

    Parameters
    ----------
    interface, prefix, verb : str
        ``Separator``, ``separator``, ``separate``.
    summary, description : str
        First line of the documentation, and all of it.
    ports : tuple of PortInfo
        Inputs of the verb.
    kind : str
        Of the result, or of the first of several; of a codec, what it reads and writes.
    fields : tuple of (str, str)
        Name and kind of each of several results.
    config_schema : mapping
        JSON schema of the settings.
    accepts : mapping of str to mapping
        ``rate_hz`` and ``channels`` by port, None = any.
    random, reproducible, causal, whole_file, parallel, partial, reads_history : bool
        The honest flags.
    resources : mapping
        ``cpu``, ``gpu``, ``memory_mb``.
    binaries, licences : tuple of mapping
        Programs it runs; licences of what it carries.
    suffixes : tuple of str
        Of a codec.
    """

    interface: str
    prefix: str
    summary: str
    description: str
    verb: str = ""
    ports: tuple[PortInfo, ...] = ()
    kind: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    config_schema: Mapping[str, Any] = field(default_factory=dict)
    accepts: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    random: bool = False
    reproducible: bool = True
    causal: bool = False
    whole_file: bool = False
    parallel: bool = False
    partial: bool = False
    reads_history: bool = False
    resources: Mapping[str, Any] = field(default_factory=dict)
    binaries: tuple[Mapping[str, str], ...] = ()
    licences: tuple[Mapping[str, Any], ...] = ()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The descriptor that a JSON object holds.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
        }
        values["ports"] = tuple(PortInfo(**port) for port in document.get("ports", ()))
        values["fields"] = tuple((name, kind) for name, kind in document.get("fields", ()))
        return cls(**values)


@dataclass(frozen=True)
class Configured:
    """A plugin's settings, and what follows from them, see `ripieno.contracts.describe.configure`.

    Parameters
    ----------
    config : mapping
        Canonical JSON: every setting, defaults included.
    outputs : tuple of str
        Names in the result where it is an open set.
    assets : tuple of Path
        Files that it reads beside its inputs.
    references : mapping of str to mapping
        ``uses`` and ``with`` of the plugins inside, by their place in `config`.
    licences : tuple of mapping
        Of what the settings name.
    written_as : tuple of str
        Suffixes of files that can hold the result, or ports that say so; any where empty.
    """

    config: Mapping[str, Any]
    outputs: tuple[str, ...]
    assets: tuple[Path, ...]
    references: Mapping[str, Mapping[str, Any]]
    licences: tuple[Mapping[str, Any], ...] = ()
    written_as: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The value that a JSON object holds.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        values = {name: tuple(document[name]) for name in ("outputs", "assets", "licences", "written_as")}
        return cls(**{**document, **values, "assets": tuple(map(Path, values["assets"]))})


def describe(entry: Entry, loaded: Any) -> dict[str, Any]:
    """The JSON that `Descriptor.from_json` takes, of what an entry point gave.

    Raises
    ------
    PluginError
        In one line, if it does not keep the contract of its group.
    """
    from ripieno.contracts import describe as contracts

    check(entry, loaded)
    if not is_configurable(entry.group):
        return _described(entry, loaded)
    with blamed(entry, "cannot be described"):
        return contracts.describe(loaded)


def configure(entry: Entry, loaded: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON that `Configured.from_json` takes.

    Raises
    ------
    ConfigError
        With one line for each problem, ``place: message``.
    PluginError
        If the plugin fails on settings that are valid.
    """
    from ripieno.contracts import describe as contracts

    check(entry, loaded)
    if not is_configurable(entry.group):
        refuse_settings(entry, settings)
        return {"config": {}, "outputs": [], "assets": [], "licences": [], "written_as": [], "references": {}}
    with blamed(entry, "fails on its settings", but_for=ConfigError):
        return contracts.configure(loaded, settings)


def make(entry: Entry, loaded: Any, *arguments: Any) -> Any:
    """An instance of a plugin's class.

    Raises
    ------
    RipienoError
        As its constructor does; PluginError, in one line, for anything else that it raises.
    """
    with blamed(entry, "cannot be built", but_for=RipienoError):
        return loaded(*arguments)


def _described(entry: Entry, loaded: Any) -> dict[str, Any]:
    kind = loaded if isinstance(loaded, type) else type(loaded)
    text = getattr(loaded, "description", "") or getattr(loaded, "help", "") or kind.__doc__ or ""
    lines = str(text).strip().splitlines() or [""]
    return {
        "interface": kind.__name__,
        "prefix": entry.prefix,
        "summary": lines[0],
        "description": "\n".join(lines),
        "kind": str(getattr(kind, "kind", "")),
    }
