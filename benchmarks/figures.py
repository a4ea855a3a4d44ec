"""Figures, the bars they are held to, and the rows that show both."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Bar:
    """What a figure should reach.

    Parameters
    ----------
    limit : float
        In `unit`.
    unit : str
        ``s``, ``ms``, ``MB`` …
    at_least : bool
        Whether more is better.
    """

    limit: float
    unit: str
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    what : str
        What was measured.
    values : sequence of float
        One a run, in the unit of the bar.
    bar : Bar
        What their median is held to.
    note : str
        What else is worth knowing.
    peers : str
        The same by other programs.
    """

    what: str
    values: Sequence[float]
    bar: Bar
    note: str = ""
    peers: str = ""

    @property
    def ok(self) -> bool:
        """Whether the bar is reached."""
        return self.bar.holds(median(self.values))

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """What, bar, measured, peers, verdict."""
        measured = f"{spread(self.values)} {self.bar.unit}" + (f", {self.note}" if self.note else "")
        return self.what, str(self.bar), measured, self.peers, "ok" if self.ok else "MISS"


def spread(values: Sequence[float]) -> str:
    """``median [least, most]``, or the value where there is one."""
    if len(values) == 1:
        return _shown(values[0])
    return f"{_shown(median(values))} [{_shown(min(values))}, {_shown(max(values))}]"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
