"""What a picture of a performance shows: which lanes, which ranges, which lines.

Conventions
-----------
A curve is two arrays, times_s and values, joined by straight lines: a step has two points at its time,
and a cubic is as fine as eight lines for each of its segments.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Channel, Envelope, InstrumentProfile, Note, Performance
from ripieno.contracts.performance import DYNAMICS, PITCH

from .style import title_of, unit_of

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
CUBIC_PARTS = 8
QUIETEST_DBFS = -80.0


@dataclass(frozen=True)
class Lane:
    """A channel under the piano roll.

    Parameters
    ----------
    name : str
        Of the channel.
    unit : str
        As it is written behind a value; empty for ratios.
    low, high : float
        Range of the axis.
    """

    name: str
    unit: str
    low: float
    high: float

    @property
    def title(self) -> str:
        """Its name in words."""
        return title_of(self.name)

    @property
    def base(self) -> float:
        """Where an area under its curve begins: at zero, where values go both ways."""
        return 0.0 if self.low < 0 < self.high else self.low


@dataclass(frozen=True)
class Scene:
    """A performance and how it is laid out.

    Parameters
    ----------
    title : str
    performance : Performance
    lanes : tuple of Lane
        Dynamics first, then techniques in the profile's order.
    unknown : tuple of str
        Channels of the instrument of which nothing is said.
    low_midi, high_midi : float
        Range of the piano roll.
    """

    title: str
    performance: Performance
    lanes: tuple[Lane, ...]
    unknown: tuple[str, ...]
    low_midi: float
    high_midi: float

    @classmethod
    def of(
        cls, performance: Performance, *, title: str, profiles: Mapping[str, InstrumentProfile]
    ) -> "Scene":
        """Lay out a performance; of instruments without a profile, lanes are as wide as the data."""
        low, high = _pitches(performance)
        lanes = _lanes(performance, profiles)
        unknown = tuple(
            name for name in performance.masked_outputs if name not in {lane.name for lane in lanes}
        )
        return cls(title, performance, lanes, unknown, low, high)

    @property
    def duration_s(self) -> float:
        """Length of the time axis: the recording's."""
        return max(self.performance.duration_s, 1 / self.performance.rate_hz)

    @property
    def articulations(self) -> tuple[str, ...]:
        """Those that occur, the most frequent first."""
        counts: dict[str, int] = {}
        for note in self.performance.notes:
            counts[note.articulation] = counts.get(note.articulation, 0) + 1
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @property
    def facts(self) -> tuple[str, ...]:
        """Instruments, notes, length, and how many notes are masked, in words."""
        performance = self.performance
        instruments = ", ".join(
            dict.fromkeys(stream.instrument.replace("_", " ") for stream in performance.streams)
        )
        count = len(performance.notes)
        masked = sum(bool(note.masked) for note in performance.notes)
        words = [instruments, f"{count:,} note{'s' if count != 1 else ''}", f"{performance.duration_s:.2f} s"]
        if masked:
            words.append(f"{masked:,} masked (hatched)")
        return tuple(filter(None, words))


def curve(envelope: Envelope, note: Note) -> Curve:
    """The line of an envelope from the beginning of its note to the end."""
    times_s, values = envelope.times_s, envelope.values
    if envelope.interpolation == "cubic" and times_s.size > 1:
        parts = np.arange(CUBIC_PARTS) / CUBIC_PARTS
        fine_s = (times_s[:-1, None] + np.diff(times_s)[:, None] * parts).ravel()
        times_s = np.append(fine_s, times_s[-1])
        values = envelope.at(times_s)
    elif envelope.interpolation == "step":
        times_s, values = np.repeat(times_s, 2)[1:], np.repeat(values, 2)[:-1]
    if times_s[0] > note.onset_s:
        times_s, values = np.append(note.onset_s, times_s), np.append(values[0], values)
    if times_s[-1] < note.offset_s:
        times_s, values = np.append(times_s, note.offset_s), np.append(values, values[-1])
    return times_s, values


def middle_midi(note: Note) -> float | None:
    """Median pitch over the note's time; None where it has none."""
    envelope = note.envelopes.get(PITCH)
    if envelope is None:
        return None
    return float(np.median(np.interp(np.linspace(note.onset_s, note.offset_s, 101), *curve(envelope, note))))


def _pitches(performance: Performance) -> tuple[float, float]:
    """What is played, with room for a fifth below and an octave above."""
    values = [note.envelopes[PITCH].values for note in performance.notes if PITCH in note.envelopes]
    if not values:
        return 48.0, 84.0
    everything = np.concatenate(values)
    low, high = float(np.floor(everything.min())) - 5, float(np.ceil(everything.max())) + 7
    missing = max(0.0, 26 - (high - low))
    return low - np.floor(missing / 2), high + np.ceil(missing / 2)


def lane_of(name: str, extent: tuple[float, float], known: Mapping[str, Channel]) -> Lane:
    """The lane of a channel: as wide as the profile says and the data, of the extent (low, high), need.

    Parameters
    ----------
    name : str
    extent : (float, float)
        Least and greatest value.
    known : mapping of str to Channel
        Of the profile.
    """
    low, high = extent
    unit = unit_of(name)
    if name == DYNAMICS:
        low, high = max(QUIETEST_DBFS, 10 * float(np.floor(low / 10 - 0.2))), max(0.0, high)
    elif name in known:
        low, high = min(low, known[name].minimum), max(high, known[name].maximum)
        unit = "" if known[name].unit == "ratio" else known[name].unit
    return Lane(name, unit, low, high if high > low else low + 1)


def _lanes(performance: Performance, profiles: Mapping[str, InstrumentProfile]) -> tuple[Lane, ...]:
    found: dict[str, tuple[float, float]] = {}
    for note in performance.notes:
        for name, envelope in note.envelopes.items():
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = min(low, float(envelope.values.min())), max(high, float(envelope.values.max()))
    known = {
        name: channel
        for stream in performance.streams
        if stream.instrument in profiles
        for name, channel in profiles[stream.instrument].channels.items()
    }
    order = dict.fromkeys([DYNAMICS, *known, *sorted(found)])
    return tuple(lane_of(name, found[name], known) for name in order if name in found and name != PITCH)
