"""How something was played: the continuous, microtonal, technique-aware record.

Conventions
-----------
Times are seconds of the sound it belongs to, float64. Pitch is a MIDI number as a float: 69 is A4 at
440 Hz, 0.01 is a cent. Dynamics are the RMS level of the note alone in dBFS (a full-scale square wave
is 0). A technique channel is in the unit of the instrument's profile. A note is half open,
[onset_s, offset_s): from where it is heard to where the player ends it; what rings on is not part of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require, settle
from .events import LONGEST_S
from .provenance import Licence

if TYPE_CHECKING:
    from .audio import Audio

INTERPOLATIONS = ("step", "linear", "cubic")
ARTICULATIONS = (
    "sustained",
    "legato",
    "staccato",
    "tremolo",
    "plucked",
    "struck",
    "muted",
    "harmonic",
)
FIELD_SOURCES = ("synthetic", "analysis", "annotated", "predicted")
# What lies beyond was measured in nothing, and its slopes would not fit into a float.
LARGEST_VALUE = 1e12
LOWEST_MIDI, HIGHEST_MIDI = -128, 256
# Two points nearer than this are one moment; a slope between them would be noise.
CLOSEST_S = 1e-9
PITCH = "pitch_midi"
DYNAMICS = "dynamics_dbfs"


@dataclass(frozen=True, eq=False)
class Envelope:
    """A value over time, by breakpoints; before the first and after the last it keeps their values.

    Parameters
    ----------
    times_s : ndarray [points]
        Increasing, by a nanosecond or more; at least one.
    values : ndarray [points]
        In the channel's unit, not beyond `LARGEST_VALUE` either way.
    interpolation : {"step", "linear", "cubic"}
        ``step`` holds to the left value; ``cubic`` is monotone (PCHIP).

    Raises
    ------
    InputError
        If times do not increase, a number is not finite or too large, or lengths differ.

    References
    ----------
    Fritsch, Butland: A method for constructing local monotone piecewise cubic interpolants. SIAM J. Sci.
    Stat. Comput. 5(2), 1984.
    """

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    interpolation: str = "linear"

    def __post_init__(self) -> None:
        times_s, values = np.asarray(self.times_s, np.float64), np.asarray(self.values, np.float64)
        settle(self, times_s=read_only(times_s), values=read_only(values))
        require(times_s.shape == values.shape == (times_s.size,), "an envelope has one value for each time")
        require(times_s.size, "an envelope has at least one point")
        known = f"interpolation is {self.interpolation!r}, expected one of {', '.join(INTERPOLATIONS)}"
        require(self.interpolation in INTERPOLATIONS, known)
        require(np.isfinite(times_s).all() and np.isfinite(values).all(), "NaN or infinite numbers")
        require(np.abs(values).max() <= LARGEST_VALUE, f"values beyond {LARGEST_VALUE:g}")
        steps_s = np.diff(times_s)
        if (steps_s < CLOSEST_S).any():
            at = int((steps_s < CLOSEST_S).argmax())
            what = "twice" if abs(steps_s[at]) < CLOSEST_S else f"after {times_s[at]:g} s"
            require(False, f"point {at + 1}: {times_s[at + 1]:g} s stands {what}: times increase strictly")

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values at these times; exact at breakpoints."""
        from .interpolation import interpolate

        return interpolate(self, np.asarray(times_s, np.float64))


@dataclass(frozen=True, eq=False)
class Note:
    """One note of one player.

    Parameters
    ----------
    onset_s, offset_s : float
        Where it is heard to begin, and where the player ends it; 0 <= onset_s < offset_s.
    articulation : str
        One of `ARTICULATIONS`: how it is articulated, whatever the instrument.
    mode : str
        How the instrument is excited, in the profile's own words: ``arco``, ``pick``.
    envelopes : mapping of str to Envelope
        By channel; `PITCH`, `DYNAMICS` and those of the profile. Points lie within the note, pitch between
        `LOWEST_MIDI` and `HIGHEST_MIDI`, which is far beyond hearing.
    masked : tuple of str
        Channels of `envelopes` that are a best guess, from which nothing is to be learned or scored.
    drive_onset_s : float, optional
        When a synthesiser was told to begin, which is before it is heard.
    extra : mapping of str to JSON
        What a later version of the format adds; kept as it is.

    Raises
    ------
    InputError
        If it does not last, a point lies outside it, a pitch is none, or a word is unknown.
    """

    onset_s: float
    offset_s: float
    articulation: str
    mode: str = ""
    envelopes: Mapping[str, Envelope] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    drive_onset_s: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        onset_s, offset_s = float(self.onset_s), float(self.offset_s)
        drive_onset_s = None if self.drive_onset_s is None else float(self.drive_onset_s)
        settle(self, onset_s=onset_s, offset_s=offset_s, drive_onset_s=drive_onset_s)
        settle(self, envelopes=dict(self.envelopes), masked=tuple(sorted(set(self.masked))))
        require(0 <= onset_s < np.inf, f"onset_s is {onset_s:g}: seconds from the start, >= 0")
        require(offset_s <= LONGEST_S, f"offset_s is {offset_s:g}: are these milliseconds or samples?")
        require(onset_s < offset_s, f"offset_s {offset_s:g} is not after onset_s {onset_s:g}")
        allowed = f"articulation is {self.articulation!r}, expected one of {', '.join(ARTICULATIONS)}"
        require(self.articulation in ARTICULATIONS, allowed)
        is_drive = drive_onset_s is None or 0 <= drive_onset_s < offset_s
        require(is_drive, f"drive_onset_s is {drive_onset_s}: it lies before the end of the note")
        lost = [name for name in self.masked if name not in self.envelopes]
        require(not lost, f"masked names {', '.join(lost)}, but a masked channel keeps its best envelope")
        for name, envelope in self.envelopes.items():
            self.require_inside(name, envelope)
        if PITCH in self.envelopes:
            pitches = self.envelopes[PITCH].values
            least, most = float(pitches.min()), float(pitches.max())
            reach = f"{PITCH} runs from {least:g} to {most:g}: are these MIDI numbers? 69 is 440 Hz"
            require(least >= LOWEST_MIDI and most <= HIGHEST_MIDI, reach)

    def require_inside(self, name: str, envelope: Envelope) -> None:
        """Refuse an envelope that leaves the note.

        Raises
        ------
        InputError
            Naming the channel and the times.
        """
        first, last = envelope.times_s[0], envelope.times_s[-1]
        where = f"{name} runs from {first:.9g} to {last:.9g} s"
        note = f"its note from {self.onset_s:.9g} to {self.offset_s:.9g} s"
        require(self.onset_s <= first and last <= self.offset_s, f"{where}, {note}")

    @property
    def duration_s(self) -> float:
        """Seconds from onset to offset."""
        return self.offset_s - self.onset_s

    def retimed(self, time: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Self:
        """The note with every time t at ``time(t)``, which increases strictly.

        Raises
        ------
        InputError
            If the note then begins before 0.
        """

        def at(time_s: float) -> float:
            return float(time(np.array([time_s]))[0])

        return replace(
            self,
            onset_s=at(self.onset_s),
            offset_s=at(self.offset_s),
            drive_onset_s=None if self.drive_onset_s is None else max(0.0, at(self.drive_onset_s)),
            envelopes={
                name: replace(envelope, times_s=time(envelope.times_s))
                for name, envelope in self.envelopes.items()
            },
        )


@dataclass(frozen=True, eq=False)
class Stream:
    """What one player plays.

    Parameters
    ----------
    instrument : str
        Name of the profile: ``violin``.
    notes : tuple of Note
        In the order of their onsets; they may overlap where the instrument can.
    extra : mapping of str to JSON
        What a later version of the format adds.
    """

    instrument: str
    notes: tuple[Note, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        notes = tuple(self.notes)
        settle(self, notes=notes)
        onsets_s = np.array([note.onset_s for note in notes])
        late = (np.diff(onsets_s) < 0).nonzero()[0]
        order = f"note {late[0] + 1} begins before the one that stands ahead of it" if late.size else ""
        require(not late.size, f"{order}: notes stand in the order of their onsets")


@dataclass(frozen=True, eq=False)
class Performance(Artifact):
    """A ``.cont`` document: what was played in one recording.

    Parameters
    ----------
    streams : tuple of Stream
        One a player.
    rate_hz : int
        Sample rate of the recording it belongs to, > 0.
    duration_s : float
        Length of that recording; notes end within it.
    field_provenance : mapping of str to str
        Where the values of a field or channel come from, one of `FIELD_SOURCES`: ``{"pitch_midi": "analysis"}``.
    masked_outputs : tuple of str
        Channels that this document says nothing of, though the instrument has them.
    licences : tuple of Licence
        Of the sounds and data behind it.
    extra : mapping of str to JSON
        What a later version of the format adds.
    """

    kind = "performance"
    streams: tuple[Stream, ...]
    rate_hz: int
    duration_s: float
    field_provenance: Mapping[str, str] = field(default_factory=dict)
    masked_outputs: tuple[str, ...] = ()
    licences: tuple[Licence, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self, streams=tuple(self.streams), masked_outputs=tuple(sorted(set(self.masked_outputs))))
        settle(self, licences=tuple(self.licences), duration_s=float(self.duration_s))
        whole = float(self.rate_hz).is_integer() and self.rate_hz > 0
        require(whole, f"rate_hz is {self.rate_hz}: a whole number of samples a second")
        settle(self, rate_hz=int(self.rate_hz))
        lasts = 0 <= self.duration_s <= LONGEST_S
        require(lasts, f"duration_s is {self.duration_s:g}: seconds of the recording")
        for name, source in self.field_provenance.items():
            known = f"provenance of {name} is {source!r}, expected one of {', '.join(FIELD_SOURCES)}"
            require(source in FIELD_SOURCES, known)
        ends_s = max((note.offset_s for stream in self.streams for note in stream.notes), default=0.0)
        # One sample more: lengths in seconds are counts of samples that were divided.
        late = f"a note ends at {ends_s:.9g} s, the recording at {self.duration_s:.9g} s"
        require(ends_s <= self.duration_s + 1 / self.rate_hz, late)

    @property
    def instrument(self) -> str:
        """The profile that all players share; empty where there are several."""
        instruments = {stream.instrument for stream in self.streams}
        return instruments.pop() if len(instruments) == 1 else ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Of all players, one after the other."""
        return tuple(note for stream in self.streams for note in stream.notes)

    def with_notes(self, change: Callable[[Note], Note | None], **changes: Any) -> Self:
        """A copy with each note as `change` gives it, left out where that is None; `changes` replace fields."""
        streams = []
        for stream in self.streams:
            notes = [changed for note in stream.notes if (changed := change(note)) is not None]
            streams.append(replace(stream, notes=tuple(sorted(notes, key=lambda note: note.onset_s))))
        return replace(self, streams=tuple(streams), **changes)

    def header(self) -> dict[str, Any]:
        """Kind, instruments, number of notes, rate_hz and duration_s."""
        instruments = sorted({stream.instrument for stream in self.streams})
        length = {"rate_hz": self.rate_hz, "duration_s": self.duration_s}
        return {"kind": self.kind, "instruments": instruments, "notes": len(self.notes), **length}

    def parts(self) -> dict[str, Any]:
        """The canonical text of the document."""
        from .cont import cont_text

        return {"cont": cont_text(self)}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> Self:
        """The document of its text."""
        from .cont import performance_of

        return performance_of(parts["cont"])  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Example:
    """A recording and how it was played: what one learns from, and what an augmenter changes.

    Parameters
    ----------
    audio : Audio
    performance : Performance
        Its times are those of `audio`.
    """

    audio: "Audio"
    performance: Performance
