"""The slow clock: its frozen contract, its states, and how a beat clock becomes them."""

import hashlib
import json
from importlib.resources import files

import artifact_strategies as artifacts
import jsonschema
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import (
    BeatClock,
    BeatClockState,
    Beats,
    Chunk,
    Event,
    InputError,
    SeriesFormat,
    SlowClock,
    SlowState,
    SlowStates,
    StateBus,
    StructureState,
    Tracked,
    slow_state,
    slow_states,
)
from ripieno.contracts.codecs import SlowStatesFile

unit = st.floats(0, 1, width=32)
beat_states = st.builds(
    BeatClockState,
    t_s=st.floats(0, 1e5),
    spb_s=st.floats(0.1, 5),
    phase=st.floats(0, 1, exclude_max=True),
    beat_count=st.integers(0, 10**6),
    confidence=unit,
    downbeat_probability=unit,
)
structures = st.builds(
    StructureState,
    st.just((0.125,) * 8),
    st.lists(unit, min_size=5, max_size=5).map(lambda values: tuple(sorted(values))),
    st.none() | st.tuples(unit, unit),
)
states = st.builds(SlowState, beat_states, structures, st.none() | st.tuples(unit))


def steady(*, spb_s=0.5, duration_s=8.0, rate_hz=50.0):
    beats = Beats(np.arange(0, duration_s, spb_s), np.arange(int(np.ceil(duration_s / spb_s))) % 4 + 1)
    return Tracked(beats, BeatClock.from_beats(beats, rate_hz=rate_hz, duration_s=duration_s))


def test_the_contract_is_frozen():
    text = files("ripieno.contracts").joinpath("frozen", "slow_state.v1.json").read_bytes()
    # Another digest is another contract: add slow_state.v2.json instead of changing this file.
    assert hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest() == (
        "ab6b50d9cbb2ec2fa07e4432100be51bb435a9eb31fcc64dbd5e8255a08a0d91"
    )


def test_code_and_contract_say_the_same():
    frozen = slow_state.contract()
    assert frozen["contract"] == slow_state.CONTRACT
    assert frozen["sample_rate_hz"] / frozen["hop"] == slow_state.RATE_HZ == 46.875
    assert tuple(frozen["section_labels"]) == slow_state.SECTION_LABELS
    assert tuple(frozen["hazard_horizons_beats"]) == slow_state.HAZARD_HORIZONS_BEATS


@given(states)
def test_a_state_fits_its_schema_and_comes_back(state):
    text = json.dumps(state.to_json())
    jsonschema.validate(json.loads(text), slow_state.contract()["state"])
    assert SlowState.from_json(json.loads(text)) == state


@pytest.mark.parametrize("version", ["slow_state.v2", "", None])
def test_another_contract_is_refused_by_name(version):
    state = {**SlowState(next(slow_states(steady()).states()).beat, StructureState.unknown()).to_json()}
    with pytest.raises(InputError, match=f"this is slow_state.v1; .* speaks {version or 'no contract'}"):
        SlowState.from_json({**state, "contract": version})


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("beat", "phase"), 1.0),
        (("beat", "spb_s"), 0.0),
        (("beat", "beat_count"), -1),
        (("beat", "confidence"), 1.5),
        (("beat", "t_s"), float("nan")),
        (("beat", "tempo"), 120),
        (("structure", "section_probabilities"), [1.0]),
        (("structure", "section_probabilities"), [0.5] * 8),
        (("structure", "hazard_probabilities"), [0.5, 0.4, 0.6, 0.7, 0.8]),
        (("structure", "hazard_probabilities"), None),
    ],
)
def test_what_is_no_state_is_refused(place, value):
    state = next(slow_states(steady()).states()).to_json()
    state[place[0]][place[1]] = value
    with pytest.raises(InputError):
        SlowState.from_json(state)


def test_rows_that_are_no_beat_clock_are_refused():
    with pytest.raises(InputError, match="have the columns of BeatClock, no spb_s, phase"):
        SlowClock(SeriesFormat(50.0, ("energy",)))
    clock = SlowClock(SeriesFormat(50.0, BeatClock.columns(())))
    with pytest.raises(InputError, match=r"spb_s is 0.0: it is seconds per beat"):
        clock.push(Chunk(0.02, np.zeros((1, len(BeatClock.columns(()))), np.float32)))


def test_nothing_known_of_the_form_is_uniform():
    unknown = StructureState.unknown()
    assert set(unknown.section_probabilities) == {1 / 8}
    assert set(unknown.hazard_probabilities) == {0.5}


def test_a_steady_beat_is_counted_and_its_phase_advanced():
    made = slow_states(steady(spb_s=0.5, duration_s=8.0))
    t_s = np.arange(len(made.beat)) * 1024 / 48000
    assert made.times_s.tolist() == pytest.approx(t_s.tolist())
    assert len(made.beat) == int(np.ceil(8.0 * 46.875))
    beats = made.beat[:, 2] + made.beat[:, 1]
    assert np.allclose(beats, t_s / 0.5, atol=1e-4)


@given(artifacts.beats(), st.floats(5, 100), st.floats(0.1, 8))
def test_the_count_never_goes_back_for_any_beats(beats, rate_hz, duration_s):
    clock = BeatClock.from_beats(beats, rate_hz=rate_hz, duration_s=duration_s)
    made = slow_states(Tracked(beats, clock))
    assert (np.diff(made.beat[:, 2], prepend=0) >= 0).all()


@given(st.lists(st.floats(0, 1, exclude_max=True, width=32), min_size=2, max_size=60))
def test_the_count_never_goes_back_for_any_phases(phases):
    frames = len(phases)
    clock = BeatClock(np.full(frames, 0.5), phases, np.arange(frames) + 1.0, np.zeros((frames, 0)), (), 10.0)
    made = slow_states(Tracked(Beats([0.0]), clock))
    assert (np.diff(made.beat[:, 2], prepend=0) >= 0).all()


def test_a_correction_over_a_beat_is_not_counted_twice():
    phases = [0.8, 0.9, 0.0, 0.95, 0.05, 0.2]
    clock = BeatClock(np.ones(6), phases, np.arange(6) + 1.0, np.zeros((6, 0)), (), 46.875)
    made = slow_states(Tracked(Beats([0.0]), clock))
    assert made.beat[:, 2].tolist() == [0, 0, 1, 1, 1, 1]


def test_nothing_is_counted_before_the_first_beat_is_known():
    tracked = steady()
    beats = Beats([2.0], known_s=[2.25])
    made = slow_states(Tracked(beats, tracked.clock))
    assert set(made.beat[made.times_s < 2.25, 2]) == {0}
    assert made.beat[-1, 2] == 11  # beats at 2.5, 3.0, … 7.5


@given(st.lists(st.integers(0, 400), max_size=8))
def test_any_split_gives_the_same_states(cuts):
    beats, clock = steady()
    whole = list(slow_states(Tracked(beats, clock)).states())
    session = SlowClock(clock.format)
    found = []
    event = Event(0.0, 0.0, "beat", {"position": 1})
    for index, rows in enumerate(np.split(clock.rows, sorted(cuts))):
        found += session.push(Chunk(0.0, rows, () if index else (event,)))
    assert SlowStates.from_states(found).rows.tobytes() == SlowStates.from_states(whole).rows.tobytes()


def test_features_and_embedding_come_back_from_a_file(tmp_path):
    first = next(slow_states(steady()).states()).beat
    form = StructureState((0.125,) * 8, (0.1, 0.2, 0.3, 0.4, 0.5), (1.0, -2.0))
    made = SlowStates.from_states([SlowState(first, form, (0.5,))] * 3, feature_names=("rms",))
    SlowStatesFile().write(made, tmp_path / "states.jsonl")
    again = SlowStatesFile().read(tmp_path / "states.jsonl")
    assert again.format == made.format
    assert again.rows.tobytes() == made.rows.tobytes()
    assert [state.structure.macro_embedding for state in again.states()] == [(1.0, -2.0)] * 3


def test_states_that_differ_in_what_they_hold_are_refused():
    first = next(slow_states(steady()).states())
    other = SlowState(first.beat, first.structure, (0.5,))
    with pytest.raises(InputError, match="states of"):
        SlowStates.from_states([first, other])


def test_states_of_a_file_are_refused_by_the_name_of_their_contract(tmp_path):
    path = tmp_path / "states.jsonl"
    SlowStatesFile().write(slow_states(steady()), path)
    path.write_text(
        path.read_text(encoding="utf-8").replace("slow_state.v1", "slow_state.v2", 1), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"states\.jsonl: this is slow_state\.v1; .* speaks slow_state\.v2"):
        SlowStatesFile().read(path)
    path.write_text("[1]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"states\.jsonl:1: expected an object"):
        SlowStatesFile().read(path)


def test_readers_of_a_bus_go_at_their_own_speed():
    bus = StateBus(capacity=4)
    late = bus.next
    for number in range(3):
        bus.append(number)
    assert bus.read(late).frames == (0, 1, 2)
    assert bus.read(late).frames == (0, 1, 2), "reading moves nothing"
    quick = bus.read(late).next
    for number in range(3, 9):
        bus.append(number)
    assert bus.read(quick).frames == (5, 6, 7, 8)
    assert bus.read(quick).lost == 2
    assert bus.read(late).lost == 5
    assert bus.read(bus.next).frames == ()
    assert bus.read(99).frames == ()


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 9))
def test_a_reader_that_keeps_up_loses_nothing(turns, capacity):
    bus, taken, cursor = StateBus(capacity), [], 0
    for appended, read in enumerate(turns):
        if read or appended - cursor == capacity:
            reading = bus.read(cursor)
            assert reading.lost == 0
            taken += reading.frames
            cursor = reading.next
        bus.append(appended)
    assert taken == list(range(cursor))
