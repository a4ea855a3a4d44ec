"""After each augmentation the labels say what is heard: onset, pitch and level, measured again."""

import json

import numpy as np
import pytest
from augment_examples import (
    DATA,
    example,
    level_errors_db,
    onset_errors_ms,
    pitch_errors,
    recorded,
)

from ripieno.contracts.performance import DYNAMICS, PITCH
from ripieno_augment.codec import CodecDraw, LossyCodec
from ripieno_augment.draws import drawn, plain
from ripieno_augment.dynamics import ChangeGain, Compress
from ripieno_augment.equalizer import Equalize
from ripieno_augment.masking import MaskDraw, SpecAugment
from ripieno_augment.noise import AddNoise, AddNoiseConfig
from ripieno_augment.room import PutInRoom, PutInRoomConfig
from ripieno_augment.warping import PitchShift, ShiftDraw, StretchDraw, TimeStretch

CLEAN = AddNoise(AddNoiseConfig(snr_db=(45.0, 60.0)))
DRY = PutInRoom(PutInRoomConfig(rt60_s=(0.15, 0.3)))
OTHERS = (ChangeGain(), Compress(), Equalize(), CLEAN, DRY)
LIBRARIES = ("violin/violin-arco-vib.sfz", "spanish-classical-guitar/SpanishClassicalGuitar-20190618.sfz")
needs_samples = pytest.mark.skipif(not (DATA / "sfz").is_dir(), reason="no sampled notes: set RIPIENO_DATA")


def name_of(value):
    return type(value).__name__ if not isinstance(value, (str, int, float)) else str(value)


def agrees(found, *, before, tails_cents=5):
    """Within what measuring finds in the sound as it was, and a little: what rings on disturbs the pitch."""
    assert abs(np.median(pitch_errors(found))) < 1
    assert (
        np.percentile(np.abs(pitch_errors(found)), 95)
        < np.percentile(np.abs(pitch_errors(before)), 95) + tails_cents
    )
    errors_ms, before_ms = onset_errors_ms(found), onset_errors_ms(before)
    assert not errors_ms.size or abs(np.median(errors_ms) - np.median(before_ms)) < 3
    assert not errors_ms.size or np.percentile(np.abs(errors_ms - np.median(before_ms)), 95) < 15


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("augmenter", OTHERS, ids=name_of)
def test_labels_agree_with_what_is_heard(augmenter, seed):
    before = example()
    found = augmenter.apply(before, augmenter.draw(np.random.default_rng(seed)))
    agrees(found, before=before)
    assert np.abs(level_errors_db(found)).max() < 1


@needs_samples
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("augmenter", [*OTHERS, LossyCodec(), TimeStretch(), PitchShift()], ids=name_of)
def test_labels_of_real_notes_agree_with_what_is_heard(augmenter, library):
    before = recorded(library)
    found = augmenter.apply(before, augmenter.draw(np.random.default_rng(1)))
    agrees(found, before=before, tails_cents=15)


@pytest.mark.parametrize("kbps", [48, 128])
@pytest.mark.parametrize("format", ["mp3", "aac", "opus"])
def test_a_codec_leaves_times_and_pitches_where_they_were(format, kbps):
    before = example()
    found = LossyCodec().apply(before, CodecDraw(format, kbps))
    agrees(found, before=before)
    assert abs(np.median(level_errors_db(found))) < 0.1
    assert found.audio.frames == before.audio.frames
    assert not np.array_equal(found.audio.samples, before.audio.samples)
    shift = np.fft.irfft(np.fft.rfft(found.audio.samples[0]) * np.conj(np.fft.rfft(before.audio.samples[0])))
    assert abs((shift.argmax() + 50) % shift.size - 50) <= 1


@pytest.mark.parametrize("tempo", [0.8, 0.93, 1.07, 1.25])
def test_a_tempo_moves_all_times_and_scales_rates(tempo):
    before = example(seconds=8.0)
    found = TimeStretch().apply(before, StretchDraw(tempo))
    agrees(found, before=before)
    assert found.audio.duration_s == pytest.approx(before.audio.duration_s / tempo, abs=0.001)
    for note, was in zip(found.performance.notes, before.performance.notes, strict=True):
        assert note.onset_s == pytest.approx(was.onset_s / tempo, rel=0.005, abs=0.002)
        assert note.envelopes["vibrato_rate_hz"].values == pytest.approx(5 * tempo, rel=0.005)
        assert note.envelopes["vibrato_depth_cents"].values == pytest.approx(9)
        assert note.envelopes[PITCH].values == pytest.approx(was.envelopes[PITCH].values)


@pytest.mark.parametrize("semitones", [-2.0, -0.3, 0.37, 1.5])
def test_a_shift_moves_pitch_alone(semitones):
    before = example(seconds=8.0)
    found = PitchShift().apply(before, ShiftDraw(semitones))
    agrees(found, before=before)
    assert found.audio.frames == before.audio.frames
    for note, was in zip(found.performance.notes, before.performance.notes, strict=True):
        assert note.envelopes[PITCH].values - was.envelopes[PITCH].values == pytest.approx(semitones)
        assert note.onset_s == pytest.approx(was.onset_s, abs=0.03)


def test_a_gain_is_exact():
    before = example()
    found = ChangeGain().apply(before, ChangeGain().draw(np.random.default_rng(3)))
    ratio = found.audio.samples[0, 20000] / before.audio.samples[0, 20000]
    for note, was in zip(found.performance.notes, before.performance.notes, strict=True):
        louder_db = note.envelopes[DYNAMICS].values - was.envelopes[DYNAMICS].values
        assert louder_db == pytest.approx(20 * np.log10(ratio), abs=1e-4)


def test_the_labels_come_as_late_as_the_direct_sound():
    before = example()
    draw = DRY.draw(np.random.default_rng(0))
    way_s = np.linalg.norm(np.subtract(draw.shape.source_m, draw.shape.microphone_m)) / 343
    found = DRY.apply(before, draw)
    for note, was in zip(found.performance.notes, before.performance.notes, strict=True):
        assert note.onset_s - was.onset_s == pytest.approx(way_s, abs=0.001)


def test_the_ratio_to_noise_is_the_one_that_was_drawn():
    before = example(channels=2)
    for seed in range(5):
        draw = AddNoise().draw(np.random.default_rng(seed))
        noise = AddNoise().apply(before, draw).audio.samples - before.audio.samples
        snr_db = 10 * np.log10(np.mean(before.audio.samples**2) / np.mean(noise**2))
        assert snr_db == pytest.approx(draw.snr_db, abs=0.05)


def test_what_is_hidden_is_silent_and_notes_in_it_are_masked():
    before = example()
    note = before.performance.notes[1]
    length_s = note.duration_s + 0.02
    start = (note.onset_s - 0.01) / (before.audio.duration_s - length_s)
    found = SpecAugment().apply(before, MaskDraw(((start, length_s),), ((0.3, 0.4),)))
    rate_hz = before.audio.rate_hz
    gone = found.audio.samples[0, round(note.onset_s * rate_hz) : round(note.offset_s * rate_hz)]
    assert not gone.any()
    assert [bool(one.masked) for one in found.performance.notes] == [
        one is note for one in before.performance.notes
    ]
    assert abs(np.median(onset_errors_ms(found)) - np.median(onset_errors_ms(before))) < 1


def test_a_hidden_band_holds_nothing_and_the_rest_stays():
    before = example()
    found = SpecAugment().apply(before, MaskDraw((), ((0.4, 0.6),)))
    frequencies_hz = np.fft.rfftfreq(before.audio.frames, 1 / before.audio.rate_hz)
    mels = 2595 * np.log10(1 + frequencies_hz / 700)
    share = mels / (2595 * np.log10(1 + before.audio.rate_hz / 2 / 700))
    was, now = (np.abs(np.fft.rfft(one.audio.samples[0])) for one in (before, found))
    inside, outside = (share > 0.401) & (share < 0.599), (share < 0.38) | (share > 0.62)
    assert np.sum(now[inside] ** 2) < 1e-5 * np.sum(was[inside] ** 2)
    assert np.abs(now - was)[outside].max() < 1e-3 * was.max()


@pytest.mark.parametrize(
    "augmenter", [*OTHERS, LossyCodec(), TimeStretch(), PitchShift(), SpecAugment()], ids=name_of
)
def test_a_draw_survives_json(augmenter):
    for seed in range(5):
        draw = augmenter.draw(np.random.default_rng(seed))
        assert drawn(augmenter, json.loads(json.dumps(plain(draw)))) == draw
