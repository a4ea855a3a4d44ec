"""Counts as bars of a page, from 0 to the highest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..show.style import STYLES, hertz, minus, note_name

ROOM_BELOW_KEYS = 2


@dataclass(frozen=True)
class Part:
    """A piece of a bar: its share of the highest bar, and the articulation whose colour it has."""

    share: float
    articulation: str = ""


@dataclass(frozen=True)
class Bar:
    """One of a row of bars.

    Parameters
    ----------
    title : str
        What is said of it when it is pointed at.
    parts : tuple of Part
        From below to above.
    label : str
        Below it; empty for most.
    """

    title: str
    parts: tuple[Part, ...]
    label: str = ""


@dataclass(frozen=True)
class Histogram:
    """A row of bars.

    Parameters
    ----------
    bars : tuple of Bar
    summary : str
        What it says in one line.
    middle : float, optional
        Where the median lies, 0 … 1 from left to right.
    """

    bars: tuple[Bar, ...]
    summary: str
    middle: float | None = None


def pitch_bars(keys: Mapping[tuple[int, str], int]) -> Histogram | None:
    """Notes by semitone, coloured by articulation."""
    if not keys:
        return None
    lowest, highest = min(key for key, _ in keys), max(key for key, _ in keys)
    used = [name for name in STYLES if any(name == other for _, other in keys)]
    totals = {
        key: sum(keys.get((key, name), 0) for name in used)
        for key in range(lowest - ROOM_BELOW_KEYS, highest + ROOM_BELOW_KEYS + 1)
    }
    top = max(totals.values())
    bars = tuple(
        Bar(
            f"{note_name(key)}, {hertz(key):.1f} Hz: {_of(total, 'note')}",
            tuple(Part(count / top, name) for name in used if (count := keys.get((key, name), 0))),
            note_name(key) if key % 12 == 0 else "",
        )
        for key, total in totals.items()
    )
    distinct = sum(bool(total) for total in totals.values())
    return Histogram(bars, f"{distinct} pitches from {note_name(lowest)} to {note_name(highest)}")


def value_bars(
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    *,
    unit: str,
    labels: Sequence[float] = (),
    digits: int = 0,
) -> Histogram | None:
    """Notes by a value; `labels` stand below the bars whose lower edge they are, `digits` are those of the median."""
    if not values.size:
        return None
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    top = int(counts.max())
    marks = {int(np.argmin(np.abs(edges[:-1] - label))): f"{label:g}" for label in labels}
    bars = tuple(
        Bar(
            minus(f"{low:.3g} to {high:.3g} {unit}".rstrip()) + f": {_of(int(count), 'note')}",
            (Part(count / top),) if count else (),
            minus(marks.get(index, "")),
        )
        for index, (low, high, count) in enumerate(zip(edges[:-1], edges[1:], counts, strict=True))
    )
    median = float(np.median(values))
    place = float(np.interp(median, edges, np.linspace(0, 1, edges.size)))
    return Histogram(bars, minus(f"median {median:.{digits}f} {unit}".rstrip()), place)


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
