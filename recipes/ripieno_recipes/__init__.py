"""Pipelines to start from: ``core run NAME`` runs the one that ``NAME.yaml`` describes."""

from ripieno.contracts import Recipe, resources

__getattr__ = resources(__name__, Recipe)
