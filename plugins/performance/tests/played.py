"""Performances to write, read and measure."""

import os
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from ripieno.contracts import Envelope, Licence, Note, Performance, Stream
from ripieno.contracts.performance import ARTICULATIONS, INTERPOLATIONS

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))


def constant(value: float, at_s: float) -> Envelope:
    return Envelope(np.array([at_s]), np.array([value]))


def note(
    onset_s: float, duration_s: float, pitch_midi: float, articulation: str = "sustained", **more
) -> Note:
    envelopes = {"pitch_midi": constant(pitch_midi, onset_s), "dynamics_dbfs": constant(-20, onset_s)}
    envelopes |= {name: constant(value, onset_s) for name, value in more.pop("channels", {}).items()}
    return Note(onset_s, onset_s + duration_s, articulation, more.pop("mode", ""), envelopes, **more)


def performance(*notes: Note, instrument: str = "violin", **facts) -> Performance:
    ordered = tuple(sorted(notes, key=lambda note: note.onset_s))
    facts = {"rate_hz": 48000, "duration_s": 1 + max((note.offset_s for note in notes), default=0.0)} | facts
    return Performance((Stream(instrument, ordered),), **facts)


def vibrato(onset_s: float, duration_s: float, pitch_midi: float, interpolation: str = "linear") -> Note:
    """A note that swings 60 cents either way six times a second and swells."""
    times_s = np.linspace(onset_s, onset_s + duration_s, 2 + int(200 * duration_s))
    after_s = times_s - onset_s
    envelopes = {
        "pitch_midi": Envelope(times_s, pitch_midi + 0.6 * np.sin(12 * np.pi * after_s), interpolation),
        "dynamics_dbfs": Envelope(times_s, -40 + 30 * after_s / duration_s, interpolation),
        "bow_pressure": Envelope(times_s, 0.5 + 0.4 * np.cos(after_s), interpolation),
        "vibrato_rate_hz": constant(6.0, onset_s),
    }
    return Note(onset_s, onset_s + duration_s, "legato", "arco", envelopes, ("bow_pressure",), onset_s / 2)


def rich() -> Performance:
    """Two players, curves of each interpolation, masks, licences, fields of a later version."""
    violin = [vibrato(0.2 + index, 0.9, 60 + index, kind) for index, kind in enumerate(INTERPOLATIONS)]
    piano = [note(0.5 * index, 1.2, 40.0 + index, "struck", mode="key") for index in range(30)]
    return Performance(
        (Stream("violin", tuple(violin), {"desk": 2}), Stream("piano", tuple(piano))),
        44100,
        17.0,
        {"pitch_midi": "synthetic", "onset_s": "analysis"},
        ("bow_position",),
        (Licence("CC-BY-4.0", "A player"),),
        {"place": "a hall"},
    )


@st.composite
def envelopes(draw, onset_s: float, offset_s: float, lowest: float, highest: float) -> Envelope:
    """Up to six points within a note, 5 ms apart or more."""
    places = sorted(draw(st.sets(st.integers(0, int((offset_s - onset_s) / 0.005)), min_size=1, max_size=6)))
    values = draw(st.lists(st.floats(lowest, highest), min_size=len(places), max_size=len(places)))
    times_s = np.minimum(onset_s + 0.005 * np.array(places), offset_s)
    return Envelope(times_s, np.array(values), draw(st.sampled_from(INTERPOLATIONS)))


@st.composite
def notes(draw) -> Note:
    onset_s = draw(st.floats(0, 5))
    offset_s = onset_s + draw(st.floats(0.02, 1))
    middle = draw(st.floats(20, 110))
    by_channel = {
        "pitch_midi": draw(envelopes(onset_s, offset_s, middle - 12, middle + 12)),
        "dynamics_dbfs": draw(envelopes(onset_s, offset_s, -63.5, 0)),
        **draw(st.fixed_dictionaries({}, optional={"bow": envelopes(onset_s, offset_s, -3, 9)})),
    }
    masked = tuple(draw(st.sets(st.sampled_from(sorted(by_channel)))))
    mode = draw(st.sampled_from(["", "arco", "größer"]))
    return Note(onset_s, offset_s, draw(st.sampled_from(ARTICULATIONS)), mode, by_channel, masked)


@st.composite
def streams(draw) -> Stream:
    played = sorted(draw(st.lists(notes(), max_size=3)), key=lambda note: note.onset_s)
    return Stream(draw(st.sampled_from(["violin", "piano", "kazoo"])), tuple(played))


performances = st.builds(
    Performance, st.lists(streams(), max_size=2).map(tuple), st.integers(1, 192000), st.floats(10, 20)
)


def far_from_steps(envelope: Envelope, onset_s: float, offset_s: float) -> np.ndarray:
    """Times throughout a note but for a tenth of a millisecond around its steps, which formats may blur."""
    times_s = np.linspace(onset_s, offset_s, 203)[1:-1]
    if envelope.interpolation != "step":
        return times_s
    return times_s[abs(np.subtract.outer(times_s, envelope.times_s)).min(axis=1) > 1e-4]


def farthest(one: Note, other: Note, channel: str) -> float:
    """How far the curves of two notes lie apart."""
    envelope, again = one.envelopes[channel], other.envelopes[channel]
    times_s = far_from_steps(envelope, one.onset_s, one.offset_s)
    return float(abs(envelope.at(times_s) - again.at(times_s)).max(initial=0))
