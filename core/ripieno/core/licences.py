"""Licences of what one node brings: of an input's data, of what its plugin carries, of assets it names."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ripieno.registry import Configured, Registry

from .pipeline import Input


def licences_of(
    uses: str, configured: Configured, source: Input | None, registry: Registry
) -> list[dict[str, Any]]:
    """Every licence, without those of what the node takes.

    Parameters
    ----------
    uses : str
        The node's plugin; empty for a live input, which nothing reads.
    configured : Configured
        Its settings; items may bring their own.
    source : Input, optional
        The input that it reads.
    registry : Registry
        Knows the plugins inside.

    Returns
    -------
    list of dict
        name, credit, commercial, source.
    """
    plugin = _of_plugin(uses, configured, registry) if uses else []
    return [*_of_input(source), *plugin]


def excluded(licence: Mapping[str, Any]) -> str:
    """What is said of a licence that a commercial pipeline refuses."""
    of = f" of {licence['credit'] or licence['source']}".removesuffix(" of ")
    cure = "Use something else, or take commercial: true out of the pipeline"
    return f"the licence {licence['name']}{of} excludes commercial use. {cure}"


def _of_input(source: Input | None) -> list[dict[str, Any]]:
    if source is None or not (source.licence or source.credit or not source.commercial):
        return []
    return [
        {
            "name": source.licence or "not stated",
            "credit": source.credit,
            "commercial": source.commercial,
            "source": source.path or "",
        }
    ]


def _of_plugin(uses: str, configured: Configured, registry: Registry) -> list[dict[str, Any]]:
    found = [dict(licence) for licence in (*registry.describe(uses).licences, *configured.licences)]
    for reference in configured.references.values():
        found += _of_reference(reference, registry)
    return found


def _of_reference(reference: Mapping[str, Any], registry: Registry) -> list[dict[str, Any]]:
    uses = reference["uses"]
    if registry.is_data(uses):
        terms = registry.build(uses, {}).terms
        return [asdict(terms)] if terms else []
    return _of_plugin(uses, registry.configure(uses, reference["with"]), registry)
