import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import ConfigError
from ripieno_beat_decoders.bar_filter import FilterConstants, ForwardFilter
from ripieno_beat_decoders.bar_space import BarSpace, Ring
from ripieno_beat_decoders.config import BarPointerConfig
from ripieno_beat_decoders.observation import BeatObservation, RunningStandard, accent_log_likelihood

SPACE = BarSpace(4, 7, (2, 3))


def test_the_published_range_has_the_published_states():
    space = BarSpace.of_tempi(55, 215, rate_hz=50, metres=(2, 3, 4))
    assert (space.shortest, space.longest) == (14, 55)
    assert space.slots == 1449
    assert len(space.bar_rows) == 9


def test_too_few_frames_a_beat_are_refused():
    with pytest.raises(ConfigError, match="at most 150 BPM"):
        BarSpace.of_tempi(55, 215, rate_hz=10, metres=(4,))


@pytest.mark.parametrize("octave_jump", [0.0, 1e-3])
def test_a_tempo_stays_or_changes_a_little(octave_jump):
    step = BarSpace.of_tempi(55, 215, rate_hz=50, metres=(4,)).tempo_transition(60, octave_jump=octave_jump)
    np.testing.assert_allclose(step.sum(axis=1), 1)
    assert (step.argmax(axis=1) == np.arange(len(step))).all()


@pytest.mark.parametrize("slip", [0.0, 0.01])
def test_bars_are_counted_through(slip):
    step = SPACE.bar_transition(0.1, slip=slip)
    np.testing.assert_allclose(step.sum(axis=1), 1)
    rows = SPACE.bar_rows
    assert rows == ((2, 1), (2, 2), (3, 1), (3, 2), (3, 3))
    assert [rows[after] for after in step.argmax(axis=1)] == [(2, 2), (2, 1), (3, 2), (3, 3), (3, 1)]


def test_accents_are_nothing_on_average():
    for metre in SPACE.metres:
        assert SPACE.accents[SPACE.row_metres == metre].sum() == pytest.approx(0)
    assert (SPACE.accents[SPACE.downbeat_rows] == 1).all()


@given(st.integers(0, 40))
def test_a_ring_moves_every_interval_round_by_itself(frames):
    every = np.repeat(np.arange(len(SPACE.intervals)), SPACE.intervals)
    ring = Ring(SPACE, every, SPACE.slot_frames)
    for _ in range(frames):
        ring.advance()
    local = ring.places - SPACE.first_slots[every]
    np.testing.assert_array_equal((local + frames) % SPACE.intervals[every], SPACE.slot_frames)


def dense_posteriors(space: BarSpace, heard: ForwardFilter, ratios) -> list[np.ndarray]:
    """The forward recursion by the transition matrix of all states, one by one."""
    states = [(slot, row) for slot in range(space.slots) for row in range(len(space.bar_rows))]
    place = {state: index for index, state in enumerate(states)}
    step = np.zeros((len(states), len(states)))
    tempo = heard._tempo_step.T
    for (slot, row), index in place.items():
        interval = space.slot_intervals[slot]
        if space.slot_frames[slot] + 1 < space.intervals[interval]:
            step[index, place[slot + 1, row]] = 1
            continue
        for after, first in enumerate(space.first_slots):
            for row_after in range(len(space.bar_rows)):
                step[index, place[first, row_after]] = tempo[interval, after] * heard.bar_step[row, row_after]
    in_zone = space.slot_frames < space.zone_frames[space.slot_intervals]
    posterior = heard._prior.ravel()
    found = []
    for ratio in ratios:
        posterior = posterior @ step
        posterior = (posterior.reshape(space.slots, -1) * np.where(in_zone, ratio, 1)[:, None]).ravel()
        posterior = posterior / posterior.sum()
        found.append(posterior.reshape(space.slots, -1))
    return found


def test_the_filter_is_the_forward_recursion_over_all_states():
    config = BarPointerConfig(metres=(2, 3), downbeat_weight=0.0)
    constants = FilterConstants(restart_s=1e30)
    heard = ForwardFilter(SPACE, config, constants, rate_hz=10.0)
    activations = np.random.default_rng(0).uniform(0, 1, 30).tolist()
    observation = BeatObservation(
        floor=constants.floor,
        contrast=constants.contrast,
        power=constants.power,
        level=constants.level,
        memory=constants.peak_s * 10,
        pulse=constants.pulse_s * 10,
    )
    ratios = [np.exp(observation.log_ratio(activation)) for activation in activations]
    for frame, expected in enumerate(dense_posteriors(SPACE, heard, ratios), start=1):
        heard.hear(activations[frame - 1], 0.0, None)
        # The slot that a state stands on moves back by one a frame.
        lengths = SPACE.intervals[SPACE.slot_intervals]
        slots = SPACE.first_slots[SPACE.slot_intervals] + (SPACE.slot_frames - frame) % lengths
        np.testing.assert_allclose(heard.posterior[slots], expected, atol=1e-12)
        np.testing.assert_allclose(heard.slot_mass, heard.posterior.sum(axis=1), atol=1e-12)


@settings(max_examples=50)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40))
def test_the_running_mean_is_the_mean_where_nothing_is_forgotten(values):
    standard = RunningStandard(deviation=2.0, memory=1e12)
    for value in values:
        standard.learn(value, 1.0)
    deviation = np.sqrt((np.var(values) * len(values) + 2.0**2) / (len(values) + 1))
    assert standard.score(7.0) == pytest.approx((7.0 - np.mean(values)) / deviation, rel=1e-6, abs=1e-6)


def test_nothing_is_unusual_before_anything_was_seen():
    assert RunningStandard(deviation=1.0, memory=10).score(5.0) == 0


def test_an_accent_is_the_ratio_of_two_normal_densities():
    from scipy.stats import norm

    expected = np.array([0.8, -0.4])
    ratio = norm.logpdf(1.3, loc=expected) - norm.logpdf(1.3)
    np.testing.assert_allclose(accent_log_likelihood(1.3, expected), ratio)


def test_an_empty_beat_counts_while_the_music_plays_and_not_in_a_break():
    observation = BeatObservation(floor=0.05, contrast=1.0, power=0.7, level=0.0, memory=150, pulse=30)
    assert observation.log_ratio(0.0) == pytest.approx(0)
    assert observation.log_ratio(0.9) > 0
    assert observation.log_ratio(0.0) < -0.5
    for _ in range(300):
        faded = observation.log_ratio(0.0)
    assert faded == pytest.approx(0, abs=0.01)
