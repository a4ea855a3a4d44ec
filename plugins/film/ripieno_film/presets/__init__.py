"""Presets of films: one YAML file each."""

from ripieno.contracts import Preset, resources

__getattr__ = resources(__name__, Preset)
