"""What the controller is made of: pulses, moods, waves, easing, standardised sound."""

from itertools import pairwise

import numpy as np
import pytest
from hearing import NAMES, RATE_HZ, features
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Beats, Features
from ripieno_film.steering import sound as sounds
from ripieno_film.steering.easing import Follower, Glide, shares_of
from ripieno_film.steering.moods import moods_of
from ripieno_film.steering.pulses import phase_of, pulse_frames
from ripieno_film.steering.settings import merged
from ripieno_film.steering.sound import Sound, standard_of
from ripieno_film.steering.waves import Waves

steps_s = st.lists(st.floats(1e-6, 3), min_size=2, max_size=30)
labels = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=20)


@settings(max_examples=60)
@given(
    st.floats(0, 20),
    steps_s,
    st.lists(st.integers(0, 4), min_size=31, max_size=31),
    st.sampled_from([0.25, 0.5, 1, 1.4, 2, 3, 4, 16]),
    st.sampled_from([24.0, 59.94, 120.0]),
    st.integers(1, 3000),
)
def test_every_frame_lies_between_two_pulses(first_s, steps, positions, subdivision, fps, frames):
    times_s = first_s + np.cumsum([0, *steps])
    beats = Beats(times_s, np.array(positions[: len(times_s)]))
    pulses = pulse_frames(beats, subdivision_beats=subdivision, bpm=None, fps=fps, frames=frames)
    assert (np.diff(pulses) > 0).all()
    assert pulses[0] <= 0
    assert pulses[-1] >= frames
    phase = phase_of(pulses, 0, frames)
    assert ((phase >= 0) & (phase < 1)).all()
    on_pulse = pulses[(pulses >= 0) & (pulses < frames)]
    assert (phase[on_pulse] == 0).all()
    assert (np.delete(phase, on_pulse) > 0).all()


def test_the_phase_rises_evenly_between_beats_that_are_not_even():
    pulses = pulse_frames(Beats([1.0, 1.5, 2.5]), subdivision_beats=1, bpm=None, fps=40, frames=120)
    np.testing.assert_allclose(phase_of(pulses, 40, 100), [*np.arange(20) / 20, *np.arange(40) / 40])


@pytest.mark.parametrize("beats", [None, Beats([]), Beats([1.0])])
def test_of_a_tempo_that_is_not_known_there_are_no_pulses(beats):
    assert len(pulse_frames(beats, subdivision_beats=1, bpm=None, fps=30, frames=90)) == 0


def test_a_tempo_is_counted_from_the_only_beat():
    pulses = pulse_frames(Beats([1.0]), subdivision_beats=1, bpm=60, fps=30, frames=90)
    assert 30 in pulses
    assert set(np.diff(pulses).tolist()) == {30}


@given(labels, st.integers(1, 9), st.integers(0, 9))
def test_neighbours_have_different_moods_where_there_are_enough(names, count, turn):
    given_moods = moods_of(names, count=count, turn=turn)
    assert set(given_moods) == set(names)
    assert all(0 <= mood < count for mood in given_moods.values())
    assert given_moods[names[0]] == turn % count
    around = {name: {other for pair in pairwise(names) if name in pair for other in pair} for name in names}
    if count >= max(map(len, around.values()), default=0):
        assert all(given_moods[one] != given_moods[two] for one, two in pairwise(names) if one != two)


@given(st.integers(0, 20), st.floats(0, 1e5))
def test_waves_stay_in_their_bounds_and_do_not_jump(count, start):
    waves = Waves(count, rng=np.random.default_rng(0))
    values = waves.at(start + np.arange(200) / 100)
    assert values.shape == (200, count)
    assert np.abs(values).max(initial=0) <= 1
    # The steepest that three sines of these rates and weights are together.
    assert np.abs(np.diff(values, axis=0)).max(initial=0) <= 2 * np.pi * 1.18 * 0.937 / 100


def test_a_time_constant_is_the_time_of_all_but_one_e_th_of_a_step():
    follower = Follower(rise_s=0.5, fall_s=2.0, fps=50)
    risen = follower.follow(np.array([0.0] + 25 * [1.0]))
    assert risen[-1] == pytest.approx(1 - 1 / np.e)
    fallen = follower.follow(np.zeros(100))
    assert fallen[-1] == pytest.approx(risen[-1] / np.e)
    assert Follower(rise_s=0, fall_s=1, fps=50).follow(np.array([0.0, 1.0]))[1] == 1


def test_what_glides_follows_each_frame_with_its_own_share():
    glided = Glide().follow(np.array([[0.0], [1.0], [1.0]]), np.array([0.3, 0.5, 1.0]))
    assert glided.ravel().tolist() == [0, 0.5, 1]
    np.testing.assert_allclose(shares_of([1, 0], fps=10), [1 - np.exp(-0.1), 1])


@pytest.mark.parametrize("block", [7, 1 << 15])
def test_standards_are_those_of_the_sounding_part(block, monkeypatch):
    monkeypatch.setattr(sounds, "BLOCK_ROWS", block)
    heard = features(2.0)
    quiet = np.concatenate([heard.values, np.zeros((50, len(NAMES)), np.float32)])
    found = standard_of(Features(quiet, NAMES, RATE_HZ), ("rms", "flatness", "mfcc_3", "centroid_hz"))
    level_db = 20 * np.log10(heard["rms"].astype(float))
    octaves = np.log2(1 + heard["centroid_hz"].astype(float) / 100)
    columns = np.stack([level_db, heard["flatness"], heard["mfcc_3"], octaves], axis=1)
    np.testing.assert_allclose(found.mean, columns.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.deviation, columns.std(axis=0), rtol=1e-9)


def test_frames_lie_between_rows_where_their_times_do():
    ramp = features(4.0, rms=0.2, flatness=np.arange(344, dtype=np.float32))
    sound = Sound.of(ramp, ("flatness",), fps=30)
    found = sound.at(0, 90)[:, sound.column("flatness")]
    rows = np.arange(90) / 30 * RATE_HZ
    expected = (rows - sound.standard.mean[-1]) / sound.standard.deviation[-1]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(
    st.dictionaries(st.text(max_size=2), st.integers() | st.dictionaries(st.text(max_size=2), st.integers()))
)
def test_nothing_over_settings_leaves_them_and_they_over_nothing_too(given_settings):
    assert merged(given_settings, {}) == given_settings
    assert merged({}, given_settings) == given_settings
    assert merged(given_settings, given_settings) == given_settings
