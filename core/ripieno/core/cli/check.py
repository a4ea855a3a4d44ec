"""``core check``: everything that can be wrong, before anything runs."""

import click

from ripieno.registry import Registry

from ..planner import make_plan
from .asked import asked


@click.command()
@click.argument("pipeline")
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", help="A file or glob for an input.")
@click.option("--set", "settings", multiple=True, metavar="STEP.KEY=VALUE", help="A setting of a step.")
def command(pipeline: str, inputs: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Check PIPELINE: plugins, settings, ports, files; nothing is run."""
    wanted = asked(pipeline, inputs, settings)
    plan = make_plan(wanted, Registry(allow=wanted.allow))
    steps = sum(1 for node in plan.nodes.values() if node.role == "step")
    files = sum(len(items) for items in plan.items.values())
    click.echo(f"{pipeline}: all well. Steps: {steps}, tasks: {len(plan.tasks)}, input files: {files}")
