"""Scores of many items as one table, for a page and as CSV."""

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ripieno.contracts import InputError, Scores


@dataclass(frozen=True)
class Column:
    """One score of all items.

    Parameters
    ----------
    score : str
        Its name.
    step : str
        What gave it, where others give a score of this name too; else empty.
    values : tuple of float
        One for each item; NaN where there is none.
    compared_with : str
        What was the reference; empty where there was none.
    """

    score: str
    step: str
    values: tuple[float, ...]
    compared_with: str = ""

    @property
    def name(self) -> str:
        """``after.loudness_lufs``, or the score alone."""
        return f"{self.step}.{self.score}" if self.step else self.score

    @property
    def middle(self) -> float:
        """Median of what is known; NaN where nothing is."""
        known = [value for value in self.values if not math.isnan(value)]
        return median(known) if known else math.nan


def columns_of(scores: Sequence[Scores], *, items: int) -> list[Column]:
    """The scores of one or more metrics as columns.

    Parameters
    ----------
    scores : sequence of Scores
        Of the first metric for every item, then of the second, …
    items : int
        How many there are.

    Raises
    ------
    InputError
        If the scores are not one of each metric for each item.
    """
    if len(scores) % items if items else scores:
        raise InputError(f"{len(scores)} scores for {items} items: each metric gives one for each item")
    metrics = [scores[start : start + items] for start in range(0, len(scores), items or 1)]
    uses = Counter(name for rows in metrics for name in _names(rows))
    return [
        Column(
            name,
            "" if uses[name] == 1 else _step(rows, number),
            tuple(row.values.get(name, math.nan) for row in rows),
            next((row.compared_with for row in rows if row.compared_with), ""),
        )
        for number, rows in enumerate(metrics, 1)
        for name in _names(rows)
    ]


def as_csv(items: Sequence[str], columns: Sequence[Column]) -> str:
    """One row an item, one column a score; empty where there is none (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["item", *(column.name for column in columns)])
    for index, item in enumerate(items):
        values = (column.values[index] for column in columns)
        writer.writerow([item, *("" if math.isnan(value) else repr(value) for value in values)])
    return text.getvalue()


def figure(value: float) -> str:
    """A score as a page says it: three digits or so, a true minus, a dash where there is none."""
    if math.isnan(value):
        return "\N{EN DASH}"
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 100 else 0
    said = "\N{INFINITY}" if math.isinf(value) else f"{abs(value):.{digits}f}"
    return f"\N{MINUS SIGN}{said}" if value < 0 else said


def _names(rows: Sequence[Scores]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


def _step(rows: Sequence[Scores], number: int) -> str:
    return rows[0].provenance.made_by.partition(":")[0] or str(number)
