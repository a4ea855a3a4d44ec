"""Generators and effects that are installed, for commands; in a run, the run puts them in."""

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

from ripieno.contracts import Asset, ConfigError, FrameEffect, Host, PluginRef

from .config import CHAIN


def shipped(host: Host, uses: str) -> PluginRef[Asset]:
    """A generator that a package carries, with its file.

    Parameters
    ----------
    host : Host
        Knows it.
    uses : str
        ``asset/gan``, or ``gan`` alone.

    Raises
    ------
    ConfigError
        If no package carries its file.
    """
    reference = PluginRef[Asset](uses if "/" in uses else f"asset/{uses}")
    asset = host.data(reference.uses)
    if not asset.url.startswith("package:"):
        raise ConfigError(f"--weights {uses}: only a generator that a package carries can be drawn here")
    module, _, name = asset.url.removeprefix("package:").rpartition("/")
    reference.bind(asset.at(Path(str(files(module) / name))))
    return reference


def installed_effects() -> tuple[PluginRef[FrameEffect[Any]], ...]:
    """The renderer's own chain, without settings; what is not installed is left out."""
    known = {entry.name: entry for entry in entry_points(group=FrameEffect.group)}
    references = {
        name: PluginRef[FrameEffect[Any]](f"frame_effect/{name}") for name in CHAIN if name in known
    }
    for name, reference in references.items():
        reference.bind(known[name].load()())
    return tuple(references.values())
