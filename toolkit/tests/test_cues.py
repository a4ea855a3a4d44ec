from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, InputError
from ripieno.toolkit.cues import CUE_NAMES, CueSpectrum, CueStream, chroma_bank, cues_of

RATE_HZ, HOP = 22050, 441


def tone(frequency_hz: float, *, seconds: float = 1.0, amplitude: float = 0.5, rate_hz: int = RATE_HZ):
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def cues(samples, *, rate_hz: int = RATE_HZ, hop: int = HOP, ahead: int = 0):
    return cues_of(Audio(np.asarray(samples, np.float32)[None], rate_hz), hop=hop, ahead=ahead)


@settings(max_examples=20, deadline=None)
@given(st.integers(50, 88), st.sampled_from([16000, 22050, 48000]))
def test_a_tone_is_heard_as_its_pitch_class(pitch_midi, rate_hz):
    frequency_hz = 440 * 2 ** ((pitch_midi - 69) / 12)
    rows = cues(tone(frequency_hz, rate_hz=rate_hz), rate_hz=rate_hz, hop=rate_hz // 50).values
    assert rows[30, :12].argmax() == pitch_midi % 12


def test_drums_leave_the_chroma_of_a_chord():
    chord = sum(tone(frequency_hz, amplitude=0.1) for frequency_hz in (261.63, 329.63, 392.0))
    noise = np.random.default_rng(0).normal(0, 0.02, len(chord))
    quiet, loud = cues(chord).values[30, :12], cues(chord + noise).values[30, :12]
    assert np.corrcoef(quiet, loud)[0, 1] > 0.9


def test_the_chroma_does_not_depend_on_the_level():
    loud, soft = (cues(tone(440, amplitude=amplitude)).values[30, :12] for amplitude in (0.8, 0.08))
    np.testing.assert_allclose(soft, loud, rtol=0.05)


def test_a_low_sine_of_amplitude_one_has_a_bass_of_zero_db():
    assert cues(tone(80, amplitude=1.0))["bass_db"][30] == pytest.approx(0, abs=0.1)
    assert cues(tone(80, amplitude=0.1))["bass_db"][30] == pytest.approx(-20, abs=0.1)
    assert cues(tone(880, amplitude=1.0))["bass_db"][30] < -60


def test_silence_has_no_chroma_and_the_lowest_bass():
    rows = cues(np.zeros(RATE_HZ))
    assert not rows.values[:, :12].any()
    assert (rows["bass_db"] == -100).all()


@pytest.mark.parametrize("ahead", [0, 705])
def test_nothing_later_is_looked_at(ahead):
    samples = np.random.default_rng(0).normal(0, 0.1, 20 * HOP)
    changed = samples.copy()
    changed[10 * HOP + ahead + 1 :] = 0
    np.testing.assert_array_equal(
        cues(changed, ahead=ahead).values[:11], cues(samples, ahead=ahead).values[:11]
    )
    assert (cues(changed, ahead=ahead).values[12:] != cues(samples, ahead=ahead).values[12:]).any()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=6))
def test_any_blocks_give_the_same_rows(cuts):
    samples = np.random.default_rng(1).normal(0, 0.1, (1, 9000)).astype(np.float32)
    stream = CueStream(rate_hz=RATE_HZ, hop=HOP, ahead=705)
    edges = [0, *sorted(cuts), 9000]
    rows = [stream.push(samples[:, a:b]) for a, b in pairwise(edges)] + [stream.flush()]
    expected = cues_of(Audio(samples, RATE_HZ), hop=HOP, ahead=705).values
    assert np.concatenate(rows).tobytes() == expected.tobytes()
    assert len(expected) == -(-9000 // HOP)


def test_reset_makes_it_as_new():
    samples = np.random.default_rng(2).normal(0, 0.1, (1, 5000)).astype(np.float32)
    stream = CueStream(rate_hz=RATE_HZ, hop=HOP)
    first = stream.push(samples)
    stream.reset()
    assert stream.push(samples).tobytes() == first.tobytes()


def test_every_frequency_belongs_to_two_neighbouring_pitch_classes_at_most():
    bank = chroma_bank(np.linspace(100, 2000, 500))
    np.testing.assert_allclose(bank.sum(axis=0), 1)
    assert ((bank > 0).sum(axis=0) <= 2).all()


def test_names_go_with_columns():
    rows = cues(np.zeros(HOP))
    assert rows.names == CUE_NAMES
    assert rows.rate_hz == 50


def test_stereo_is_refused():
    with pytest.raises(InputError, match="downmix"):
        cues_of(Audio(np.zeros((2, 1000), np.float32), RATE_HZ), hop=HOP)


def test_more_than_a_window_ahead_is_refused():
    with pytest.raises(InputError, match="ahead"):
        CueStream(rate_hz=RATE_HZ, hop=HOP, ahead=CueSpectrum(RATE_HZ).window)
