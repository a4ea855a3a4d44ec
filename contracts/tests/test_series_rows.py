"""A series is rows of a format, and rows of a format are a series."""

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import (
    Activations,
    BeatClock,
    Beats,
    Chunk,
    Event,
    Features,
    InputError,
    SeriesFormat,
    Tracked,
    Trajectory,
)


@given(artifacts.features() | artifacts.activations() | artifacts.trajectories())
def test_a_series_comes_back_from_its_rows(series):
    again = type(series).from_rows(series.rows, series.format)
    assert again.format == series.format
    assert again.rows.tobytes() == series.rows.tobytes()
    of_each_frame = {name: value for name, value in series.parts().items() if name != "look"}
    for name, value in of_each_frame.items():
        other = again.parts()[name]
        if isinstance(value, dict):
            assert list(other) == list(value)
            assert all(np.array_equal(other[key], head) for key, head in value.items())
        else:
            assert np.array_equal(other, value)


@given(artifacts.clocks())
def test_a_clock_comes_back_from_its_rows(clock):
    again = BeatClock.from_rows(clock.rows, clock.format)
    assert again.rows[:, 3:].tobytes() == clock.rows[:, 3:].tobytes()
    assert again.metres == clock.metres
    # Rows hold the time until the next beat in float32.
    assert np.allclose(again.next_beat_s, clock.next_beat_s, atol=1e-4)


@given(artifacts.features() | artifacts.activations() | artifacts.clocks() | artifacts.trajectories())
def test_rows_have_a_name_a_column_and_a_time_a_row(series):
    if not isinstance(series, Trajectory):
        assert series.rows.shape[1] == len(series.format.names)
    assert len(series.times_s) == len(series.rows)
    assert len(series.rows) == 0 or series.times_s[0] == series.format.start_s


def test_heads_of_several_values_are_columns_with_numbers():
    heads = {"beat": np.arange(3.0), "chroma": np.arange(6.0).reshape(3, 2)}
    made = Activations(heads, 50.0)
    assert made.format == SeriesFormat(50.0, ("beat", "chroma.0", "chroma.1"))
    assert made.rows.tolist() == [[0, 0, 1], [1, 2, 3], [2, 4, 5]]
    assert Activations.from_rows(made.rows, made.format)["chroma"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_an_unknown_head_is_named():
    with pytest.raises(InputError, match="no head 'beats': there are beat"):
        Activations({"beat": [0.5]}, 10.0)["beats"]
    with pytest.raises(InputError, match="no feature 'rms': there are flux"):
        Features(np.zeros((1, 1)), ("flux",), 10.0)["rms"]


@pytest.mark.parametrize(
    "name", ["confidence", "downbeat_probability", "other_probability", "beat_activation"]
)
@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_a_clock_refuses_what_is_no_probability(name, value):
    clock = BeatClock.from_beats(Beats([0.5]), rate_hz=10, duration_s=0.1)
    with pytest.raises(InputError, match=name):
        BeatClock(**{**clock.parts(), name: [value]})


@given(artifacts.beats(), st.integers(1, 4))
def test_chunks_of_a_session_are_beats_and_clock(beats, cuts):
    clock = BeatClock.from_beats(beats, rate_hz=20, duration_s=2)
    found = zip(beats.times_s, beats.positions, beats.confidence, beats.known_s, strict=True)
    events = tuple(
        Event(float(at), float(known), "beat", {"position": int(place), "confidence": float(sure)})
        for at, place, sure, known in found
    )
    noise = (Event(1.0, 0.5, "next_beat", {"position": 1}),)
    chunks = [Chunk(2.0, rows, events if not index else noise)
              for index, rows in enumerate(np.array_split(clock.rows, cuts))]  # fmt: skip
    tracked = Tracked.from_chunks([*chunks, Chunk(2.0)], clock.format)
    for name, value in beats.parts().items():
        assert np.array_equal(tracked.beats.parts()[name], value)
    assert tracked.clock.rows.tobytes() == BeatClock.from_rows(clock.rows, clock.format).rows.tobytes()


def test_a_beat_of_which_nothing_but_its_time_is_known_has_no_position():
    tracked = Tracked.from_chunks(
        [Chunk(1.0, events=(Event(0.5, 0.6, "beat"),))], SeriesFormat(50.0, BeatClock.columns(()))
    )
    beats = tracked.beats
    assert (beats.times_s, beats.positions, beats.confidence, beats.known_s) == (0.5, 0, 1, 0.6)


def test_a_session_that_gave_nothing_found_nothing():
    tracked = Tracked.from_chunks([], SeriesFormat(50.0, BeatClock.columns((3, 4))))
    assert len(tracked.beats.times_s) == 0
    assert tracked.clock.metre_probabilities.shape == (0, 2)
