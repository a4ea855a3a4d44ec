"""``core plugins``: what is installed."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from ripieno.registry import Descriptor, Entry, Registry


@click.group()
def command() -> None:
    """List and describe what is installed."""


@command.command("list")
@click.argument("prefix", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As a JSON list.")
def list_plugins(prefix: str, as_json: bool) -> None:
    """List plugins, of one PREFIX (separator, effect, …) or all; nothing is imported."""
    registry = Registry()
    entries = registry.entries(prefix)
    if as_json:
        rows = [{"uses": e.uses, "distribution": e.distribution, "version": e.version} for e in entries]
        click.echo(json.dumps(rows, indent=1))
        return
    width = max((len(entry.uses) for entry in entries), default=0)
    for entry in entries:
        click.echo(f"{entry.uses:<{width}}  {entry.distribution} {entry.version}")
    for problem in registry.problems():
        click.echo(problem, err=True)


@command.command()
@click.argument("uses")
@click.option("--json", "as_json", is_flag=True, help="The descriptor as JSON.")
def show(uses: str, as_json: bool) -> None:
    """Describe one plugin: ports, results, settings, licences; of data what it says."""
    registry = Registry()
    descriptor = registry.describe(uses)
    data = _data(registry, uses)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({**asdict(descriptor), **({"data": data} if data else {})}, indent=1))
        return
    for line in _described(registry.find(uses), descriptor):
        click.echo(line)
    if data:
        import yaml

        click.echo(
            yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
        )


def _data(registry: Registry, uses: str) -> dict[str, Any]:
    """What a data plugin says beyond its description; empty for what is none."""
    if not registry.is_data(uses):
        return {}
    from ripieno.contracts import DataPlugin

    found = registry.load(uses)
    return found.model_dump(mode="json", exclude={"description"}) if isinstance(found, DataPlugin) else {}


@command.command()
def check() -> None:
    """Import every plugin and say which are broken."""
    registry = Registry()
    faults = [*registry.problems(), *filter(None, map(registry.check, registry.entries()))]
    for fault in dict.fromkeys(faults):
        click.echo(fault)
    if faults:
        sys.exit(1)
    click.echo(f"{len(registry.entries())} plugins: all well")


def _described(entry: Entry, descriptor: Descriptor) -> list[str]:
    lines = [f"{entry.uses}  ({entry.distribution} {entry.version})", "", descriptor.description, ""]
    lines += [
        f"in   {port.name}: {_many(port.many, port.kind)}{'' if port.required else ' (optional)'}"
        for port in descriptor.ports
    ]
    fields = descriptor.fields or (("", descriptor.kind),)
    lines += [f"out  {name + ': ' if name else ''}{kind}" for name, kind in fields if kind]
    for name, setting in descriptor.config_schema.get("properties", {}).items():
        lines.append(f"with {name}: {_setting(setting)}")
    lines += [f"licence {licence['name']}: {licence['credit']}" for licence in descriptor.licences]
    return lines


def _many(many: str, kind: str) -> str:
    return {"one": kind, "list": f"list of {kind}", "dict": f"map of {kind}"}[many]


def _setting(setting: Mapping[str, Any]) -> str:
    default = json.dumps(setting.get("default"), ensure_ascii=False)
    unit = f" {setting['unit']}" if "unit" in setting else ""
    return f"{default}{unit}  {setting.get('description', '')}"
