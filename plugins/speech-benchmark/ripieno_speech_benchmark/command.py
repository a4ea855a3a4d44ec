"""``core speech-benchmark``: pipelines that free speech from music, compared, watched and promoted."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ripieno.contracts import ConfigError, Host

if TYPE_CHECKING:
    from .running import Candidate
    from .scores import Score

SCORES, SPEED = "scores.csv", "speed.csv"


def _common(command: Any) -> Any:
    """Options of every command that measures."""
    for option in (
        click.argument("definition", metavar="SET"),
        click.option(
            "--pipeline", "pipelines", metavar="NAME=PATH[#OUTPUT]", multiple=True, help="To measure."
        ),
        click.option(
            "--data", type=click.Path(path_type=Path), help="Folder of the recordings, not the one SET names."
        ),
    ):
        command = option(command)
    return command


@click.group("speech-benchmark")
def speech_benchmark() -> None:
    """Measure how well pipelines free speech from music."""


@speech_benchmark.command()
@_common
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("speech-benchmark"),
    show_default=True,
    help="Folder for scores.csv, and speed.csv, which differs with each run.",
)
@click.pass_context
def run(
    ctx: click.Context, definition: str, pipelines: Sequence[str], data: Path | None, output: Path
) -> None:
    """Run pipelines over the mixtures of SET; print a table with the raw mix, HPSS and the oracle beside them.

    SET is a pipeline with one step data_source/mixtures. PATH is a pipeline with a list input `mix` and an
    output `speech`, or the OUTPUT that is named.
    """
    from .running import REFERENCES, Candidate
    from .scores import table, write, write_text

    candidates = [*map(Candidate.parse, pipelines), *(Candidate(*one) for one in REFERENCES.items())]
    scores, factors = _measured(ctx.obj, definition, candidates, data)
    write(output / SCORES, scores)
    speeds = [f"{name},{factor:.5f}\n" for name, factor in sorted(factors.items())]
    write_text(output / SPEED, "".join(["pipeline,real_time_factor\n", *speeds]))
    click.echo(table(scores, real_time_factors=factors))
    click.echo(f"\n{output / SCORES}")


@speech_benchmark.command()
@_common
@click.option(
    "--baseline", type=click.Path(path_type=Path), required=True, help="Table of scores to keep to."
)
@click.option("--write", is_flag=True, help="Write the baseline anew.")
@click.pass_context
def check(
    ctx: click.Context,
    definition: str,
    pipelines: Sequence[str],
    data: Path | None,
    baseline: Path,
    write: bool,
) -> None:
    """Measure pipelines on SET and exit with 1 if a figure is worse than the baseline by more than its tolerance.

    Word error rates are measured too where the set has texts and the weights of metric/wer are there.
    """
    from . import scores
    from .rules import falls
    from .running import Candidate

    candidates = list(map(Candidate.parse, pipelines))
    if not candidates:
        raise ConfigError("nothing to check. Name a pipeline: --pipeline NAME=PATH")
    before = () if write else scores.read(baseline)
    found, _ = _measured(ctx.obj, definition, candidates, data, words=True)
    if write:
        scores.write(baseline, found)
        click.echo(baseline)
        return
    lines = falls(before, found)
    for line in lines:
        click.echo(line)
    if lines:
        ctx.exit(1)
    click.echo(f"{len(candidates)} pipelines are as good as {baseline} says")


@speech_benchmark.command()
@click.argument("current", metavar="CURRENT")
@click.argument("candidate", metavar="CANDIDATE")
@click.pass_context
def promote(ctx: click.Context, current: str, candidate: str) -> None:
    """Say whether CANDIDATE may replace CURRENT as the default; exit with 1 if not.

    Both are FILE.csv or FILE.csv#PIPELINE, tables of scores on the same set.
    """
    from .rules import promotion

    findings = promotion(_scores_of(current), _scores_of(candidate))
    for finding in findings:
        click.echo(f"{'yes' if finding.ok else 'no '}  {finding.says}")
    promoted = all(finding.ok for finding in findings)
    click.echo("promoted" if promoted else "not promoted")
    ctx.exit(0 if promoted else 1)


def _measured(
    host: Host,
    definition: str,
    candidates: "Sequence[Candidate]",
    data: Path | None,
    *,
    words: bool = False,
) -> "tuple[list[Score], dict[str, float]]":
    """Scores of all, and the real-time factor of each."""
    from . import running

    mixtures = running.build(host, definition, data=data)
    scores, factors = [], {}
    for candidate in candidates:
        estimates = running.estimates_of(host, candidate, mixtures)
        found = running.measure(host, candidate, estimates, mixtures)
        scores += running.with_words(host, found, estimates, mixtures, say=_say) if words else found
        factors[candidate.name] = estimates.real_time_factor
    return scores, factors


def _say(message: str) -> None:
    click.echo(message, err=True)


def _scores_of(place: str) -> "tuple[Score, ...]":
    """Scores of one pipeline: the one that is named, or the only one beside the references."""
    from .running import REFERENCES
    from .scores import of_pipeline, read

    file, _, pipeline = place.partition("#")
    scores = read(Path(file))
    names = list(dict.fromkeys(score.pipeline for score in scores))
    own = [name for name in names if name not in REFERENCES]
    if not pipeline and len(own) == 1:
        pipeline = own[0]
    if pipeline not in names:
        raise ConfigError(f"{place}: whose scores? Write {file}#PIPELINE with one of {', '.join(names)}")
    return of_pipeline(scores, pipeline)
