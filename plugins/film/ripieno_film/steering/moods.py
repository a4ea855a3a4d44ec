"""Which mood a film has when: parts of a piece, and markers of a track list.

Conventions
-----------
A mood is a number, the place of its name in the preset. Parts with the same label have the same mood; where
there are enough moods, parts next to each other never share one.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Sections

from ..faults import meant


def moods_at(
    times_s: NDArray[np.float64],
    *,
    names: Sequence[str],
    sections: Sections | None,
    markers: Sequence[Mapping[str, Any]],
    start_s: float = 0.0,
    turn: int = 0,
) -> NDArray[np.int64]:
    """The mood at each time.

    Parameters
    ----------
    times_s : ndarray
        Of frames.
    names : sequence of str
        Of the preset's moods, at least one.
    sections : Sections or None
        Each has a mood; before the first and between two the one before goes on.
    markers : sequence of mapping
        In order of time: ``at_s``, and ``mood``, name or number. A mood holds until the next marker; one
        without a mood leaves it to the sections again.
    start_s : float
        Of these times, in those of the markers: where the track was cut.
    turn : int
        With which mood the first part begins.

    Raises
    ------
    InputError
        If a marker names a mood that the preset has not.
    """
    moods = np.full(len(times_s), turn % len(names), np.int64)
    if sections is not None and len(sections.start_s):
        by_label = moods_of(sections.labels, count=len(names), turn=turn)
        of_section = np.array([by_label[label] for label in sections.labels])
        index = np.searchsorted(sections.start_s, times_s + 1e-9, side="right") - 1
        moods = of_section[np.maximum(index, 0)]
    forced = [_forced(marker, names) for marker in markers]
    if forced:
        at_s = np.array([float(marker["at_s"]) - start_s for marker in markers])
        under_way = np.searchsorted(at_s, times_s + 1e-9, side="right") - 1
        mood = np.array(forced)[np.maximum(under_way, 0)]
        moods = np.where((under_way >= 0) & (mood >= 0), mood, moods)
    return moods


def moods_of(labels: Sequence[str], *, count: int, turn: int = 0) -> dict[str, int]:
    """A mood for each label: of those that no neighbour has yet, the one that was given least."""
    neighbours: dict[str, set[str]] = {label: set() for label in labels}
    for one, two in pairwise(labels):
        neighbours[one].add(two)
        neighbours[two].add(one)
    given: dict[str, int] = {}
    for label in neighbours:
        around = {given[other] for other in neighbours[label] if other in given and other != label}
        free = [mood for mood in range(count) if mood not in around] or list(range(count))
        used = list(given.values())
        given[label] = min(free, key=lambda mood: (used.count(mood), (mood - turn) % count))
    return given


def _forced(marker: Mapping[str, Any], names: Sequence[str]) -> int:
    """The mood of a marker; -1 where it has none."""
    mood = marker.get("mood")
    if mood is None:
        return -1
    where = f"the marker at {float(marker['at_s']):g} s"
    if isinstance(mood, str):
        if mood not in names:
            raise InputError(f"{where}: the preset has no mood {mood!r}{meant(mood, names)}")
        return list(names).index(mood)
    if not 0 <= int(mood) < len(names):
        listed = ", ".join(f"{number} {name}" for number, name in enumerate(names))
        raise InputError(f"{where}: the preset has no mood {mood}. There is: {listed}")
    return int(mood)
