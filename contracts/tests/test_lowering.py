"""Envelopes at any time and as frames: exact at breakpoints, and what scipy says between them."""

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.interpolate import PchipInterpolator

from ripieno.contracts import Envelope, InputError, Note, Stream, lower


def expected(envelope, times_s):
    inside_s = np.clip(times_s, envelope.times_s[0], envelope.times_s[-1])
    if envelope.interpolation == "step":
        return envelope.values[np.searchsorted(envelope.times_s, inside_s, side="right") - 1]
    if envelope.interpolation == "linear" or envelope.times_s.size == 1:
        return np.interp(inside_s, envelope.times_s, envelope.values)
    return PchipInterpolator(envelope.times_s, envelope.values)(inside_s)


@st.composite
def spaced_envelopes(draw):
    steps_s = draw(st.lists(st.floats(1e-3, 1), min_size=1, max_size=9))
    values = draw(st.lists(st.integers(-9, 9), min_size=len(steps_s), max_size=len(steps_s)))
    kind = draw(st.sampled_from(("step", "linear", "cubic")))
    return Envelope(np.cumsum(steps_s), np.array(values, float), kind)


@settings(deadline=None)
@given(spaced_envelopes(), st.lists(st.floats(0, 10), max_size=30))
def test_values_between_breakpoints_are_those_of_the_textbook(envelope, times_s):
    np.testing.assert_allclose(
        envelope.at(np.array(times_s)), expected(envelope, np.array(times_s)), atol=1e-8
    )


@settings(deadline=None)
@given(artifacts.envelopes())
def test_values_are_exact_at_breakpoints(envelope):
    assert (envelope.at(envelope.times_s) == envelope.values).all()


@settings(deadline=None)
@given(spaced_envelopes(), st.lists(st.floats(0, 10), min_size=1, max_size=30))
def test_a_cubic_overshoots_nowhere(envelope, times_s):
    values = envelope.at(np.array(times_s))
    assert values.min() >= envelope.values.min() - 1e-9
    assert values.max() <= envelope.values.max() + 1e-9


@settings(deadline=None, max_examples=60)
@given(
    artifacts.streams(),
    st.sampled_from((50.0, 375.0, 46.875)),
    st.integers(0, 400),
    st.floats(0, 90, width=16),
)
def test_frames_are_the_envelopes_at_their_times(stream, rate_hz, frames, start_s):
    channels = sorted({name for note in stream.notes for name in note.envelopes})
    lowered = lower(stream, rate_hz=rate_hz, channels=channels, frames=frames, start_s=start_s)
    for lane in range(lowered.notes.shape[0]):
        for index in set(lowered.notes[lane].tolist()) - {-1}:
            note, here = stream.notes[index], lowered.notes[lane] == index
            for column, name in enumerate(channels):
                values = lowered.values[lane, here, column]
                if name not in note.envelopes:
                    assert np.isnan(values).all()
                    continue
                np.testing.assert_allclose(values, note.envelopes[name].at(lowered.times_s[here]), atol=1e-6)
                assert (lowered.known[lane, here, column] == (name not in note.masked)).all()
    for index, note in enumerate(stream.notes):
        sounds = (lowered.times_s >= note.onset_s) & (lowered.times_s < note.offset_s)
        assert (lowered.notes == index).any(axis=0).tolist() == sounds.tolist()
    assert np.isnan(lowered.values[lowered.notes == -1]).all()


def test_a_breakpoint_that_falls_on_a_frame_is_met_to_the_bit():
    times_s = np.arange(1, 40) / 375
    values = np.random.default_rng(0).normal(69, 1, times_s.size)
    note = Note(times_s[0], times_s[-1] + 0.001, "sustained", "", {"pitch_midi": Envelope(times_s, values)})
    lowered = lower(Stream("violin", (note,)), rate_hz=375, channels=["pitch_midi"], frames=60)
    assert lowered.channel("pitch_midi")[0, 1:40].tobytes() == values.tobytes()


def test_notes_that_sound_at_once_have_lanes_of_their_own():
    notes = tuple(Note(onset_s, onset_s + 1.0, "plucked") for onset_s in (0.0, 0.5, 1.0, 1.2))
    lowered = lower(Stream("harp", notes), rate_hz=10, channels=[], frames=30)
    assert lowered.notes.shape == (3, 30)
    assert lowered.notes[0].tolist() == [0] * 10 + [2] * 10 + [-1] * 10


def test_nothing_played_is_one_silent_lane():
    lowered = lower(Stream("harp"), rate_hz=100, channels=["pitch_midi"], frames=5)
    assert lowered.values.shape == (1, 5, 1)
    assert not lowered.known.any()
    with pytest.raises(InputError, match="no channel 'bow' was lowered: pitch_midi"):
        lowered.channel("bow")


def test_long_performances_are_lowered_like_short_ones():
    rng = np.random.default_rng(1)
    notes = []
    for onset_s in np.arange(0, 600, 0.75):
        pitch = Envelope(onset_s + np.array([0.1, 0.3, 0.4]), rng.uniform(50, 80, 3), "cubic")
        channels = {"pitch_midi": pitch} if rng.random() < 0.8 else {}
        notes.append(Note(onset_s, onset_s + 1, "plucked", "", channels))
    rate_hz = 700.0
    lowered = lower(Stream("harp", tuple(notes)), rate_hz=rate_hz, channels=["pitch_midi"], frames=420_000)
    for index in range(0, len(notes), 37):
        lane, frame = np.nonzero(lowered.notes == index)
        asked = notes[index].envelopes.get("pitch_midi")
        expected = np.full(frame.size, np.nan) if asked is None else asked.at(frame / rate_hz)
        np.testing.assert_allclose(lowered.values[lane, frame, 0], expected, atol=1e-6)
        assert frame.size in (699, 700, 701)
