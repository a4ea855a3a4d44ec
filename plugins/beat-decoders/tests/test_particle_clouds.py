import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno_beat_decoders.bar_space import BarSpace
from ripieno_beat_decoders.clouds import BarParticles, BeatParticles, Draws, resampled

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
REFERENCE = DATA.parent / "refs" / "beatnet" / "filterbank.npz"
needs_reference = pytest.mark.skipif(not REFERENCE.is_file(), reason="no reference values: set RIPIENO_DATA")

PUBLISHED = BarSpace.of_tempi(55, 215, rate_hz=50, metres=(2, 3, 4))


@pytest.fixture(scope="module")
def published():
    with np.load(REFERENCE) as arrays:
        return dict(arrays)


@needs_reference
def test_the_states_of_a_beat_are_the_published_ones(published):
    intervals = PUBLISHED.intervals[PUBLISHED.slot_intervals]
    np.testing.assert_array_equal(PUBLISHED.first_slots, published["beat_first_states"])
    np.testing.assert_array_equal(
        PUBLISHED.first_slots + PUBLISHED.intervals - 1, published["beat_last_states"]
    )
    np.testing.assert_array_equal(intervals, published["state_intervals"])
    np.testing.assert_allclose(PUBLISHED.slot_frames / intervals, published["state_positions"], atol=1e-12)


@needs_reference
def test_the_tempo_changes_of_a_beat_are_the_published_ones(published):
    before, after = published["tm_prev"], published["tm_states"]
    ends = np.isin(after, published["beat_first_states"])
    transition = np.zeros((42, 42))
    transition[PUBLISHED.slot_intervals[before[ends]], PUBLISHED.slot_intervals[after[ends]]] = published[
        "tm_prob"
    ][ends]
    np.testing.assert_allclose(PUBLISHED.tempo_transition(60.0), transition, atol=1e-12)
    # Everything else moves on by one frame.
    np.testing.assert_array_equal(after[~ends], before[~ends] + 1)


@needs_reference
def test_the_states_of_a_bar_are_the_published_ones(published):
    metres, positions = np.array(PUBLISHED.bar_rows).T
    np.testing.assert_array_equal(metres, published["st2_intervals"])
    np.testing.assert_allclose((positions - 1) / metres, published["st2_positions"], atol=1e-12)
    np.testing.assert_array_equal(PUBLISHED.downbeat_rows, published["st2_first"])


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=50), st.integers(0, 2**32))
def test_resampling_gives_each_particle_its_share_rounded_up_or_down(weights, seed):
    weights = np.array(weights)
    copies = np.bincount(resampled(weights, np.random.default_rng(seed)), minlength=len(weights))
    shares = weights / weights.sum() * len(weights)
    assert copies.sum() == len(weights)
    assert (copies >= np.floor(shares - 1e-9)).all()
    assert (copies <= np.ceil(shares + 1e-9)).all()


def test_draws_follow_the_rows_of_their_chain():
    rng = np.random.default_rng(3)
    transition = rng.dirichlet(np.ones(5), size=4)
    before = np.repeat(np.arange(4), 50_000)
    after = Draws(transition)(before, rng)
    found = np.histogram2d(before, after, bins=[np.arange(5), np.arange(6)])[0] / 50_000
    # Five standard deviations of a share of 50 000 draws.
    np.testing.assert_allclose(found, transition, atol=5 * np.sqrt(0.25 / 50_000))


def beat_particles(*, count: int = 1500, seed: int = 0) -> BeatParticles:
    prior = PUBLISHED.tempo_prior(25, 0.6)
    rng = np.random.default_rng(seed)
    return BeatParticles(PUBLISHED, count=count, stiffness=60, tempo_prior=prior, rng=rng)


@given(st.integers(10, 3000), st.lists(st.sampled_from([0.0, 0.39, 0.5, 0.9, 1.0]), max_size=60))
def test_the_number_of_particles_never_changes_and_all_stand_on_slots(count, activations):
    cloud = beat_particles(count=count)
    for activation in activations:
        cloud.hear(activation)
        assert cloud.slots.shape == (count,)
        assert ((cloud.slots >= 0) & (cloud.slots < PUBLISHED.slots)).all()


@given(st.floats(0, 0.39))
def test_an_activation_below_the_least_moves_particles_and_no_more(activation):
    cloud = beat_particles()
    before = cloud.slots.copy()
    cloud.hear(activation)
    goes_on = PUBLISHED.slot_frames[before] < PUBLISHED.intervals[PUBLISHED.slot_intervals[before]] - 1
    np.testing.assert_array_equal(cloud.slots[goes_on], before[goes_on] + 1)
    assert (PUBLISHED.slot_frames[cloud.slots[~goes_on]] == 0).all()


@pytest.mark.parametrize("interval", [14, 20, 25, 32, 40])
def test_the_cloud_gathers_on_a_steady_beat(interval):
    cloud = beat_particles()
    for frame in range(40 * interval + 1):
        cloud.hear(0.79 * (frame % interval == 0))
    phases = 2 * np.pi * PUBLISHED.slot_frames / PUBLISHED.intervals[PUBLISHED.slot_intervals]
    assert abs(np.exp(1j * phases[cloud.slots]).mean() - 1) < 0.2
    lengths = PUBLISHED.intervals[PUBLISHED.slot_intervals[cloud.slots]]
    # Every multiple of the beat's rate that is in range explains it as well.
    assert np.isin(np.round(interval / np.median(lengths), 1), [1, 2, 3])


@pytest.mark.parametrize("metre", [2, 3, 4])
def test_the_bar_is_found_from_its_downbeats(metre):
    cloud = BarParticles(PUBLISHED, count=250, metre_change=0.1, rng=np.random.default_rng(1))
    right = 0
    for beat in range(40):
        is_downbeat = beat % metre == 0
        cloud.hear(0.9 - 0.85 * is_downbeat, 0.05 + 0.85 * is_downbeat)
        on_downbeat = cloud.shares[PUBLISHED.downbeat_rows].sum() > 0.5
        right += on_downbeat == is_downbeat
    assert right >= 38
    # Bars of four are bars of two as well, but for a beat without a downbeat.
    best = PUBLISHED.bar_rows[int(cloud.shares.argmax())]
    assert best == (metre, 39 % metre + 1)


def test_an_unheard_beat_moves_the_bar_on():
    cloud = BarParticles(PUBLISHED, count=250, metre_change=0.0, rng=np.random.default_rng(1))
    before = cloud.shares
    cloud.hear(0.1, 0.1)
    step = PUBLISHED.bar_transition(metre_change=0.0, slip=0.0, prior=PUBLISHED.metre_prior())
    np.testing.assert_allclose(cloud.shares, before @ step, atol=1e-12)
