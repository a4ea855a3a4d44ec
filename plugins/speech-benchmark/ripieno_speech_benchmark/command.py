"""``core speech-benchmark``: pipelines that free speech from music, compared, watched and promoted."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ripieno.contracts import ConfigError, Host, RipienoError

if TYPE_CHECKING:
    from .running import Candidate, MixtureSet
    from .scores import Score

FILE = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _measuring(command: Any) -> Any:
    """What every command that measures takes."""
    for option in (
        click.option(
            "--whisper",
            type=FOLDER,
            help="Folder of a Whisper model: measures word errors where SET has texts.",
        ),
        click.option("--data", type=FOLDER, help="Folder of the recordings, instead of the one SET names."),
        click.option(
            "--pipeline", "pipelines", metavar="NAME=PATH[#OUTPUT]", multiple=True, help="To measure."
        ),
        click.argument("definition", metavar="SET"),
    ):
        command = option(command)
    return command


@click.group("speech-benchmark")
def speech_benchmark() -> None:
    """Measure how well pipelines free speech from music."""


@speech_benchmark.command()
@_measuring
@click.option(
    "--output",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    default=Path("speech-benchmark"),
    show_default=True,
    help="Folder for scores.csv, and speed.csv, which is different each time.",
)
@click.pass_obj
def run(
    host: Host,
    definition: str,
    pipelines: Sequence[str],
    data: Path | None,
    whisper: Path | None,
    output: Path,
) -> None:
    """Run pipelines over the mixtures of SET; print a table with the raw mix, HPSS and the oracle beside them.

    SET is a pipeline with one step data_source/mixtures. PATH is a pipeline with a list input `mix` and an
    output `speech`, or the OUTPUT that is named. One that fails is left out, and the exit status is 1.
    """
    from . import scores, speed
    from .running import REFERENCES, Candidate, build

    candidates = [*_candidates(pipelines), *(Candidate(*one) for one in REFERENCES.items())]
    mixtures = build(host, definition, data=data)
    found: list[Score] = []
    factors: dict[str, float] = {}
    left_out = []
    for candidate in candidates:
        try:
            own, factors[candidate.name] = _measured(host, candidate, mixtures, whisper)
            found += own
        except RipienoError as error:
            left_out.append(f"{candidate.name} is left out: {str(error).splitlines()[0]}")
    scores.write(output / "scores.csv", found)
    speed.write(output / "speed.csv", factors)
    # Of what was written, so that rounding is that of `show`.
    click.echo(scores.table(scores.read(output / "scores.csv"), real_time_factors=factors))
    for line in left_out:
        click.echo(line, err=True)
    sys.exit(1 if left_out else 0)


@speech_benchmark.command()
@click.argument("folder", metavar="FOLDER", type=FOLDER)
@click.option("--snr-db", type=float, help="Only mixtures at this ratio, and clean speech.")
def show(folder: Path, snr_db: float | None) -> None:
    """Print the table of a FOLDER that `run` has written."""
    from . import scores, speed

    found = scores.read(folder / "scores.csv")
    kept = [score for score in found if snr_db is None or score.snr_db in (None, snr_db)]
    if snr_db is not None and all(score.snr_db is None for score in kept):
        ratios = sorted({score.snr_db for score in found if score.snr_db is not None})
        there = ", ".join(f"{ratio:g}" for ratio in ratios)
        raise ConfigError(f"--snr-db {snr_db:g}: {folder} has no mixture at this ratio. There is: {there}")
    click.echo(scores.table(kept, real_time_factors=speed.read(folder / "speed.csv")))


@speech_benchmark.command()
@_measuring
@click.option("--baseline", type=FILE, required=True, help="Scores to keep to, a CSV.")
@click.option("--write", is_flag=True, help="Write the baseline anew.")
@click.pass_obj
def check(
    host: Host,
    definition: str,
    pipelines: Sequence[str],
    data: Path | None,
    whisper: Path | None,
    baseline: Path,
    write: bool,
) -> None:
    """Measure pipelines on SET; a line for each figure that fell below the baseline, and exit status 1 then."""
    from . import scores
    from .rules import falls
    from .running import build

    candidates = _candidates(pipelines)
    if not candidates:
        raise ConfigError("nothing to check. Name a pipeline: --pipeline NAME=PATH")
    before = () if write else scores.read(baseline)
    known = {score.pipeline for score in before}
    for candidate in candidates:
        if not write and candidate.name not in known:
            cure = f"Name one of {', '.join(sorted(known))}, or add --write"
            raise ConfigError(f"--pipeline {candidate.name}: {baseline} has no scores of it. {cure}")
    mixtures = build(host, definition, data=data)
    found: list[Score] = []
    factors: dict[str, float] = {}
    for candidate in candidates:
        own, factors[candidate.name] = _measured(host, candidate, mixtures, whisper)
        found += own
    click.echo(scores.table(found, real_time_factors=factors))
    if write:
        scores.write(baseline, found)
        click.echo(baseline)
        return
    lines = falls(before, found)
    for line in lines:
        click.echo(line)
    if lines:
        sys.exit(1)
    click.echo(f"nothing fell below {baseline}: {', '.join(factors)}")


@speech_benchmark.command()
@click.argument("current", metavar="CURRENT")
@click.argument("candidate", metavar="CANDIDATE")
def promote(current: str, candidate: str) -> None:
    """Say whether CANDIDATE may replace CURRENT as the default; exit status 1 if not.

    Both are FILE.csv or FILE.csv#PIPELINE, scores on the same set.
    """
    from .rules import promotion

    findings = promotion(_scores_of(current), _scores_of(candidate))
    for finding in findings:
        click.echo(f"{'yes' if finding.ok else 'no':4}{finding.says}")
    promoted = all(finding.ok for finding in findings)
    click.echo("promoted" if promoted else "not promoted")
    sys.exit(0 if promoted else 1)


def _candidates(pipelines: Sequence[str]) -> "list[Candidate]":
    from .running import Candidate

    candidates = list(map(Candidate.parse, pipelines))
    names = [candidate.name for candidate in candidates]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"--pipeline {name}: {names.count(name)} pipelines have this name")
    return candidates


def _measured(
    host: Host, candidate: "Candidate", mixtures: "MixtureSet", whisper: Path | None
) -> "tuple[list[Score], float]":
    """Scores of a pipeline, and its real-time factor."""
    from . import running

    estimates = running.estimates_of(host, candidate, mixtures)
    scores = running.measure(host, candidate, estimates, mixtures, whisper=whisper)
    return scores, estimates.real_time_factor


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
