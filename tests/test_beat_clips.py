"""The composed clips that beat trackers are measured and tuned on."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

ROOT = Path(__file__).parents[1]
MODULES = ("clips", "instruments", "mixing", "patterns", "score", "styles", "varied")


def _import() -> SimpleNamespace:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        return SimpleNamespace(**{name: import_module(f"benchmarks.beats.{name}") for name in MODULES})


beats = _import()


@pytest.fixture(scope="module")
def some():
    return list(beats.varied.varied(2, 11))


@pytest.fixture(scope="module")
def twelve():
    return {clip.name: clip for clip in beats.clips.twelve()}


def samples_of(clip):
    return clip.audio.samples[0].astype(np.float64)


def level_db(samples):
    return 10 * np.log10(np.mean(samples**2) + 1e-12)


def sound_between(clip, start_s, end_s):
    rate_hz = clip.audio.rate_hz
    return samples_of(clip)[round(start_s * rate_hz) : round(end_s * rate_hz)]


@st.composite
def grids(draw):
    tempi_bpm = draw(st.lists(st.floats(40, 240), min_size=1, max_size=40))
    grid = beats.score.Grid.paced(
        tempi_bpm, beats_per_bar=draw(st.integers(1, 7)), swing=draw(st.floats(0.5, 0.7))
    )
    pickup = draw(st.integers(0, grid.beats_per_bar - 1))
    return beats.score.Grid(grid.times_s, grid.beats_per_bar, pickup, grid.swing)


@given(grids())
def test_a_whole_beat_is_played_at_its_time(grid):
    played_s = [grid.time_s(beat) for beat in range(-grid.pickup, grid.end + 1)]
    np.testing.assert_allclose(played_s, grid.times_s, rtol=0, atol=1e-9)


@given(grids())
def test_the_off_beat_divides_its_beat_as_the_swing_says(grid):
    start_s, off_s, end_s = (grid.time_s(-grid.pickup + part) for part in (0, 0.5, 1))
    assert (off_s - start_s) / (end_s - start_s) == pytest.approx(grid.swing)


@given(grids())
def test_positions_count_through_the_bar_and_beat_zero_is_a_downbeat(grid):
    positions = grid.positions
    assert len(positions) == len(grid.times_s) - 1
    assert ((positions[1:] == positions[:-1] + 1) | (positions[1:] == 1)).all()
    assert (positions[:-1][positions[1:] == 1] == grid.beats_per_bar).all()
    assert grid.pickup >= len(positions) or positions[grid.pickup] == 1


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 8))), st.floats(0, 20), st.floats(1, 8))
def test_nothing_sounds_in_a_break_and_nothing_else_is_lost(onsets, start, length):
    end = start + length
    notes = [beats.score.Note("piano", beat, lasts, 60, 0.5) for beat, lasts in onsets]
    kept = list(beats.score.without(notes, [(start, end)]))
    assert [note.beat for note in kept] == [beat for beat, _ in onsets if not start <= beat < end]
    assert all(note.beat >= end or note.beat + note.length <= start + 1e-9 for note in kept)


@pytest.mark.parametrize("style", beats.styles.STYLES, ids=lambda style: style.name)
def test_a_style_keeps_one_metre_and_writes_whole_bars_for_voices_there_are(style):
    for groove in style.grooves:
        assert groove.beats_per_bar == style.beats_per_bar
        assert groove.drums.keys() <= beats.instruments.DRUMS
        for lane in (*groove.drums.values(), groove.bass, groove.chords):
            bars = lane.split("|")
            # A beat is written in one, two, three or four letters; or two beats in one, three beats in four.
            assert all(12 * groove.beats_per_bar % len(bar) == 0 for bar in bars if bar)
    players = {*style.basses, *style.chords, *style.leads} - {""}
    assert players <= beats.instruments.VOICES.keys()


def test_the_downbeat_of_a_harmony_brings_the_next_chord():
    harmony = beats.patterns.harmony((1, 4), tonic=36, beats_each=4)
    assert harmony.at(3.99) == harmony.at(0) != harmony.at(4) == harmony.at(7)
    assert {pitch % 12 for pitch in harmony.at(0).voices} == {0, 4, 7, 11}


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_a_melody_keeps_to_its_scale_and_meets_the_chord_on_downbeats(seed, busy):
    harmony = beats.patterns.harmony((2, 5, 1, 6), tonic=34, beats_each=4)
    grid = beats.score.Grid.paced([100] * 16)
    rng = np.random.default_rng(seed)
    for note in beats.patterns.melody(harmony, grid, rng, voice="lead", busy=busy):
        assert (note.pitch_midi - 34) % 12 in beats.patterns.MAJOR
        assert 0 <= note.beat < note.beat + note.length <= grid.end
        if note.beat % 4 == 0:
            assert note.pitch_midi % 12 in {pitch % 12 for pitch in harmony.at(note.beat).voices}


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from((2, 3, 4, 5, 7)))
def test_a_song_is_of_the_metre_asked_for_and_its_beats_lie_within_it(seed, metre):
    song = beats.varied.draw(np.random.default_rng(seed), metres=(metre,))
    assert song.grid.beats_per_bar == metre
    assert song.grid.times_s[0] >= 0 and song.grid.times_s[-1] < song.duration_s
    spans_s = np.diff(song.grid.times_s)
    assert ((spans_s > 60 / 250) & (spans_s < 60 / 35)).all()


def test_the_same_seed_draws_the_same_bytes_whatever_the_count(some):
    again = list(beats.varied.varied(1, 11))
    assert [clip.audio.samples.tobytes() for clip in again] == [
        clip.audio.samples.tobytes() for clip in some[:1]
    ]
    assert [clip.beats.times_s.tobytes() for clip in again] == [
        clip.beats.times_s.tobytes() for clip in some[:1]
    ]


def test_another_seed_draws_another_clip(some):
    other = next(beats.varied.varied(1, 12))
    assert other.beats.times_s.tobytes() != some[0].beats.times_s.tobytes()


def test_drawn_clips_are_finite_audible_and_never_clip(some):
    for clip in some:
        assert np.isfinite(samples_of(clip)).all()
        assert -31 < level_db(samples_of(clip)) < -11
        assert np.abs(samples_of(clip)).max() < 1
        assert clip.beats.times_s[-1] < clip.audio.frames / clip.audio.rate_hz


@pytest.mark.slow
def test_the_twelve_are_the_same_bytes_every_time(twelve):
    again = {clip.name: clip for clip in beats.clips.twelve()}
    assert again.keys() == twelve.keys() and len(twelve) == 12
    assert all(
        again[name].audio.samples.tobytes() == clip.audio.samples.tobytes() for name, clip in twelve.items()
    )


@pytest.mark.slow
def test_the_twelve_are_half_a_minute_with_beats_to_the_end_and_bands_are_at_one_level(twelve):
    for clip in twelve.values():
        assert clip.audio.frames == 30 * clip.audio.rate_hz
        # Clicks are mostly silence between.
        assert level_db(samples_of(clip)) == pytest.approx(-18, abs=2) or clip.name == "clicks_90"
        assert np.abs(samples_of(clip)).max() < 1
        assert clip.beats.times_s[0] < 1 and 28 < clip.beats.times_s[-1] < 30
        assert clip.beats.positions[0] == 1


@pytest.mark.slow
def test_tempi_and_metres_are_those_of_the_names(twelve):
    for name, metre in (("three_four_140", 3), ("six_eight_66", 2), ("drums_174", 4)):
        assert twelve[name].beats.positions.max() == metre
        assert twelve[name].tempo_bpm == pytest.approx(int(name.split("_")[-1]), abs=0.01)
    ramp_bpm = 60 / np.diff(twelve["ramp_90_140"].beats.times_s)
    assert ramp_bpm[0] == pytest.approx(90) and 137 < ramp_bpm[-1] <= 140 and (np.diff(ramp_bpm) > 0).all()
    steps_bpm = 60 / np.diff(twelve["step_100_132"].beats.times_s)
    assert set(np.round(steps_bpm, 6)) == {100, 132}


@pytest.mark.slow
def test_a_break_dies_away_to_silence_while_its_beats_go_on(twelve):
    clip = twelve["breaks_108"]
    for start_s, end_s in clip.breaks_s:
        assert end_s - start_s == pytest.approx(4 * 60 / 108)
        assert level_db(sound_between(clip, start_s + 1, end_s - 0.02)) < level_db(samples_of(clip)) - 30
        assert np.sum((clip.beats.times_s > start_s - 1e-9) & (clip.beats.times_s < end_s - 1e-9)) == 4


@pytest.mark.slow
def test_clicks_sound_at_their_beats_and_nowhere_else(twelve):
    clip = twelve["clicks_90"]
    sound, rate_hz = np.abs(samples_of(clip)), clip.audio.rate_hz
    near = np.zeros(len(sound), bool)
    peaks = []
    for beat_s in clip.beats.times_s:
        # The player is a few milliseconds off, and a click lasts a few hundredths of a second.
        span = slice(round((beat_s - 0.015) * rate_hz), round((beat_s + 0.06) * rate_hz))
        near[span] = True
        peaks.append(sound[span].max())
    assert min(peaks) > 2 * sound[~near].max()
