"""``core run``: a pipeline from start to end."""

import sys
from pathlib import Path
from typing import Any, TextIO

import click

from ripieno.contracts.errors import PipelineError

from ..console import listener, own_stdout
from ..result import RunResult, title
from ..run import Options, Run
from .asked import asked


@click.command()
@click.argument("pipeline")
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", help="A file or glob for an input.")
@click.option("--set", "settings", multiple=True, metavar="STEP.KEY=VALUE", help="A setting of a step.")
@click.option("--only", multiple=True, metavar="STEP", help="Only this step and what it needs.")
@click.option(
    "--from", "again_from", multiple=True, metavar="STEP", help="This step again, and all after it."
)
@click.option("--force", is_flag=True, help="Everything again.")
@click.option("--jobs", type=click.IntRange(min=1), help="Workers at once; as many as cores by default.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the pipeline's.")
@click.option(
    "--runs", "folder", type=click.Path(path_type=Path), default=Path("runs"), help="Where run folders go."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.option(
    "--why",
    "why_steps",
    multiple=True,
    metavar="STEP",
    help="Say what makes this step run again; do nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on standard output.")
@click.option("--quiet", is_flag=True, help="Only failures and where the results are.")
def command(
    pipeline: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    jobs: int | None,
    why_steps: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Run PIPELINE: a file, or the name of a recipe (see core recipes)."""
    with own_stdout() as out:
        listeners = () if dry_run or why_steps else (listener(out, as_json=as_json, quiet=quiet),)
        wanted = Options(jobs=jobs or 0, listeners=listeners, **options)
        run = Run(asked(pipeline, inputs, settings), wanted)
        if why_steps:
            _say_why(run, why_steps, out)
        elif dry_run:
            _say_plan(run, out, as_json=as_json)
        else:
            result = run.execute()
            _say_result(result, out, as_json=as_json)
            sys.exit(0 if result.ok else 1)


WORDS = {"cached": "in the store", "run": "to do", "depends": "to do after what it needs"}


def _say_plan(run: Run, out: TextIO, *, as_json: bool) -> None:
    import json

    for task, state, _ in run.preview():
        item = task.item_name
        if as_json:
            line = json.dumps({"event": "planned", "step": task.node, "item": item, "state": state})
        else:
            line = f"{title(run.plan, task)}: {WORDS[state]}"
        click.echo(line, file=out)


def _say_why(run: Run, steps: tuple[str, ...], out: TextIO) -> None:
    from ..why import History

    for step in steps:
        if step not in run.plan.nodes:
            raise PipelineError(f"no step {step!r}. Steps: {', '.join(run.plan.pipeline.steps)}")
    history = History(run.options.folder, run.plan.pipeline.name)
    for task, state, recipe in run.preview():
        if task.node not in steps:
            continue
        click.echo(f"{title(run.plan, task)}: {WORDS[state]}", file=out)
        if recipe is None:
            anew = [source.node for source in run.needs[task] if not run.outcomes[source].outputs]
            found = [f"it takes from {' and '.join(dict.fromkeys(anew))}, to be done first"]
        else:
            found = history.reasons(run.store, step=task.node, item=task.item_name, recipe=recipe)
        for line in found:
            click.echo(f"  {line}", file=out)


def _say_result(result: RunResult, out: TextIO, *, as_json: bool) -> None:
    for outcome in result.outcomes.values():
        if outcome.traceback:
            click.echo(outcome.traceback, err=True)
    if not result.ok:
        click.echo(result.summary, err=True)
    if not as_json:
        click.echo(result.folder / "report.html", file=out)
