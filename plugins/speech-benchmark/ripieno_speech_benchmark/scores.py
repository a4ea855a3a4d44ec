"""Scores of pipelines on mixtures: rows of a table that can be compared line by line.

Conventions
-----------
A CSV has the columns pipeline, mixture, snr_db, room and one for each figure, its rows sorted by the first
two and its decimals fixed: nothing in it depends on when or how fast it was made. An empty field is a figure
that was not or cannot be measured; an empty snr_db is speech without music.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ripieno.contracts import InputError, write_whole

DECIMALS = {
    "si_sdr_db": 2,
    "si_sdr_improvement_db": 2,
    "stoi": 4,
    "pesq_wb": 3,
    "residual_music_db": 2,
    "loudness_lufs": 2,
    "wer": 4,
}
"""The figures, and how many digits each has after the point."""
FLOORS, LIMIT = ("hpss", "mix"), "oracle"
"""What stands beside every benchmark: HPSS, the mixture as it is, and the oracle's mask."""
KEYS = ("pipeline", "mixture", "snr_db", "room")


@dataclass(frozen=True)
class Score:
    """Of one pipeline on one mixture.

    Parameters
    ----------
    pipeline, mixture : str
    snr_db : float or None
        Of the mixture; None where it has no music.
    room : str
        Of the mixture; empty where it is dry.
    values : mapping of str to float
        By figure; those without a finite or infinite value are left out.
    """

    pipeline: str
    mixture: str
    snr_db: float | None
    room: str
    values: Mapping[str, float]


def mean(scores: Iterable[Score], figure: str) -> float:
    """Mean of a figure over the scores that have it; nan where none has."""
    values = [score.values[figure] for score in scores if figure in score.values]
    return sum(values) / len(values) if values else math.nan


def of_pipeline(scores: Iterable[Score], pipeline: str) -> tuple[Score, ...]:
    """The scores of one pipeline."""
    return tuple(score for score in scores if score.pipeline == pipeline)


def under_music(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The scores of mixtures with music."""
    return tuple(score for score in scores if score.snr_db is not None)


def clean(scores: Iterable[Score]) -> tuple[Score, ...]:
    """The scores of speech without music."""
    return tuple(score for score in scores if score.snr_db is None)


def table(scores: Sequence[Score], *, real_time_factors: Mapping[str, float]) -> str:
    """A row for each pipeline in Markdown: means over the mixtures with music, and clean speech at its worst."""
    ratios = sorted({score.snr_db for score in scores if score.snr_db is not None})
    has_words = any("wer" in score.values for score in scores)
    head = [
        "pipeline",
        "SI-SDR gain dB",
        *(f"at {ratio:g}" for ratio in ratios),
        "STOI",
        "PESQ",
        "residual music dB",
        *(["WER"] if has_words else []),
        "clean speech dB",
        "x real time",
    ]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for pipeline in sorted({score.pipeline for score in scores}, key=_place):
        own = of_pipeline(scores, pipeline)
        mixtures = under_music(own)
        at_ratios = [[score for score in mixtures if score.snr_db == ratio] for ratio in ratios]
        gains = [mean(some, "si_sdr_improvement_db") for some in (mixtures, *at_ratios)]
        harmless_db = min((score.values.get("si_sdr_db", math.nan) for score in clean(own)), default=math.nan)
        rows.append(
            [
                pipeline,
                *(_number(gain, 1) for gain in gains),
                _number(mean(mixtures, "stoi"), 3),
                _number(mean(mixtures, "pesq_wb"), 2),
                _number(mean(mixtures, "residual_music_db"), 1),
                *([_number(mean(mixtures, "wer"), 3)] if has_words else []),
                _number(harmless_db, 1),
                _number(real_time_factors.get(pipeline, math.nan), 4),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _place(pipeline: str) -> tuple[int, str]:
    """Floors first, the limit last, the others by name between them."""
    return (FLOORS.index(pipeline) if pipeline in FLOORS else len(FLOORS) + (pipeline == LIMIT), pipeline)


def write(path: Path, scores: Iterable[Score]) -> None:
    """Write a CSV, whole or not at all."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*KEYS, *DECIMALS])
    for score in sorted(scores, key=lambda score: (score.pipeline, score.mixture)):
        ratio = "" if score.snr_db is None else f"{score.snr_db:g}"
        figures = [_number(score.values.get(name, math.nan), digits) for name, digits in DECIMALS.items()]
        rows.writerow([score.pipeline, score.mixture, ratio, score.room, *figures])
    write_whole(path, text.getvalue().encode())


def read(path: Path) -> tuple[Score, ...]:
    """The scores in a CSV.

    Raises
    ------
    InputError
        If there is none, or it is another table.
    """
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        rows = list(reader)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; core speech-benchmark run writes scores.csv") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no table of scores: {error}") from error
    missing = [name for name in (*KEYS, *DECIMALS) if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: lacks {', '.join(missing)}; core speech-benchmark run writes such a table")
    try:
        return tuple(_score(row) for row in rows)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: not a table of scores: {error}") from error


def _score(row: Mapping[str, str]) -> Score:
    values = {name: float(row[name]) for name in DECIMALS if row[name]}
    ratio = float(row["snr_db"]) if row["snr_db"] else None
    return Score(row["pipeline"], row["mixture"], ratio, row["room"], values)


def _number(value: float, digits: int) -> str:
    # The sum takes the sign from a zero.
    return "" if math.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"
