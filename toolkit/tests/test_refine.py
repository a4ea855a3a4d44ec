import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.measuring.octaves import Octaves
from ripieno.toolkit.measuring.refine import hertz, refine_pitch, window_s

RATE_HZ = 48_000
DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[3] / "shared" / "data"))


def sound(pitch_midi, amplitudes, *, rate_hz=RATE_HZ, phases=None, decay_per_s=0.0):
    """Harmonics of a pitch [frames], those below 0.45 of the rate."""
    turns = np.cumsum(hertz(pitch_midi)) / rate_hz
    phases = np.zeros(len(amplitudes)) if phases is None else phases
    heard = [
        amplitude * np.sin(2 * np.pi * (number * turns + phase))
        for number, (amplitude, phase) in enumerate(zip(amplitudes, phases, strict=True), 1)
        if number * hertz(pitch_midi).max() < 0.45 * rate_hz
    ]
    return 0.3 * np.exp(-decay_per_s * np.arange(len(pitch_midi)) / rate_hz) * np.sum(heard, axis=0)


def steady(pitch_midi, *, seconds=0.6, rate_hz=RATE_HZ):
    return np.full(round(seconds * rate_hz), float(pitch_midi))


def saw(count=30):
    return 1 / np.arange(1, count + 1)


def middle_s(seconds=0.6, *, margin_s=0.2):
    return np.arange(margin_s, seconds - margin_s, 0.005)


def refined(samples, labels, *, times_s=None, **settings):
    times_s = middle_s() if times_s is None else times_s
    return refine_pitch(samples, times_s, np.broadcast_to(labels, times_s.shape), rate_hz=RATE_HZ, **settings)


@st.composite
def tones(draw):
    """A pitch, and harmonics of which the odd ones hold enough for it to be that pitch."""
    pitch_midi = draw(st.floats(21, 108))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    amplitudes = rng.uniform(0, 1, 20) / np.arange(1, 21) ** rng.uniform(0, 2)
    amplitudes[0] = max(amplitudes[0], 0.5 * amplitudes.max())
    return pitch_midi, amplitudes, rng.uniform(0, 1, 20), draw(st.floats(0, 8))


@settings(max_examples=40)
@given(tones(), st.floats(-50, 50))
def test_a_tone_is_found_to_a_fraction_of_a_cent_wherever_the_label_lies(tone, label_cents):
    pitch_midi, amplitudes, phases, decay_per_s = tone
    samples = sound(steady(pitch_midi), amplitudes, phases=phases, decay_per_s=decay_per_s)
    found = refined(samples, pitch_midi + label_cents / 100)
    assert found.is_confirmed.all()
    np.testing.assert_allclose(found.pitch_midi, pitch_midi, atol=0.001)


@pytest.mark.parametrize("pitch_midi", [21, 40.5, 60.2, 76, 88.8, 108])
def test_the_usual_tone_is_found_to_a_tenth_of_a_cent(pitch_midi):
    found = refined(sound(steady(pitch_midi), saw()), pitch_midi + 0.2)
    np.testing.assert_allclose(found.pitch_midi, pitch_midi, atol=0.001)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 96_000])
def test_the_rate_does_not_matter(rate_hz):
    samples = sound(steady(64.3, rate_hz=rate_hz), saw(), rate_hz=rate_hz)
    found = refine_pitch(samples, middle_s(), np.full(middle_s().size, 64.0), rate_hz=rate_hz)
    np.testing.assert_allclose(found.pitch_midi, 64.3, atol=0.001)


@settings(max_examples=30)
@given(st.floats(55, 100), st.floats(4, 7), st.floats(0, 45))
def test_vibrato_is_followed_to_a_cent(pitch_midi, vibrato_hz, cents):
    seconds = np.arange(round(0.8 * RATE_HZ)) / RATE_HZ
    curve = pitch_midi + cents / 100 * np.sin(2 * np.pi * vibrato_hz * seconds)
    times_s = middle_s(0.8)
    found = refined(sound(curve, saw()), pitch_midi, times_s=times_s)
    np.testing.assert_allclose(found.pitch_midi, np.interp(times_s, seconds, curve), atol=0.01)


@settings(max_examples=30)
@given(st.floats(50, 90), st.floats(-24, 24))
def test_glides_are_followed_in_the_middle_of_the_window(pitch_midi, semitones_per_s):
    seconds = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    curve = pitch_midi + semitones_per_s * (seconds - 0.3)
    times_s = middle_s()
    found = refined(sound(curve, saw()), np.interp(times_s, seconds, curve) + 0.2, times_s=times_s)
    truth = np.interp(times_s, seconds, curve)
    np.testing.assert_allclose(found.pitch_midi[found.is_confirmed], truth[found.is_confirmed], atol=0.01)
    assert abs(semitones_per_s) > 12 or found.is_confirmed.all()


@pytest.mark.parametrize("pitch_midi", [33, 52.1, 69, 84.7])
@pytest.mark.parametrize("times", [2, 3, 4, 5, 6])
def test_a_sound_above_its_label_is_told_from_it(pitch_midi, times):
    higher = sound(steady(pitch_midi + 12 * np.log2(times)), saw())
    found = refined(higher, pitch_midi)
    assert found.is_higher.all() and not found.is_confirmed.any()


@pytest.mark.parametrize("pitch_midi", [45, 60.3, 76])
@pytest.mark.parametrize("divisor", [2, 3])
def test_a_sound_below_its_label_is_not_confirmed(pitch_midi, divisor):
    lower = sound(steady(pitch_midi - 12 * np.log2(divisor)), saw())
    assert not refined(lower, pitch_midi).is_confirmed.any()


@given(st.floats(30, 100), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_noise_has_no_pitch(label, seed):
    noise = 0.1 * np.random.default_rng(seed).standard_normal(round(0.6 * RATE_HZ))
    assert refined(noise, label).is_confirmed.mean() < 0.1


def test_silence_and_what_lies_outside_the_sound_have_no_pitch():
    times_s = np.array([-1.0, 0.1, 7.0])
    found = refined(np.zeros(RATE_HZ // 4), 60.0, times_s=times_s)
    assert not found.is_confirmed.any() and (found.periodicity == 0).all()


def test_offset_and_rumble_below_the_tone_change_nothing():
    samples = sound(steady(72.25), saw())
    rumble = 0.2 + 0.3 * np.sin(2 * np.pi * 31 * np.arange(samples.size) / RATE_HZ)
    found = refined(samples + rumble, 72.0)
    assert found.is_confirmed.all()
    np.testing.assert_allclose(found.pitch_midi, 72.25, atol=0.01)


def test_the_pitch_of_a_stiff_string_is_the_maximum_of_its_autocorrelation():
    stiffness, fundamental_hz = 1e-4, hertz(48.0)
    numbers = np.arange(1, 8)
    partials_hz = numbers * fundamental_hz * np.sqrt(1 + stiffness * numbers**2)
    seconds = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    samples = 0.2 * (np.sin(2 * np.pi * np.outer(seconds, partials_hz)) / numbers).sum(axis=1)
    # The autocorrelation of a sum of sines is the sum of cosines, weighted by power.
    shifts_hz = fundamental_hz * 2 ** (np.linspace(-20, 20, 80_001) / 1200)
    correlation = (np.cos(2 * np.pi * partials_hz / shifts_hz[:, None]) / numbers**2).sum(axis=1)
    expected = 69 + 12 * np.log2(shifts_hz[correlation.argmax()] / 440)
    assert expected > 48
    # Windows of four periods hold the partials apart to some cents of ripple, which averages out.
    assert abs(np.median(refined(samples, 48.0).pitch_midi) - expected) < 0.01


def test_nothing_is_found_beyond_the_search():
    samples = sound(steady(60.9), saw())
    assert not refined(samples, 60.0).is_confirmed.any()
    found = refined(samples, 60.0, search_cents=120.0)
    np.testing.assert_allclose(found.pitch_midi, 60.9, atol=0.001)


def test_labels_come_back_in_their_order():
    curve = np.where(np.arange(RATE_HZ) < RATE_HZ // 2, 50.0, 86.0)
    times_s, labels = np.array([0.75, 0.2, 0.85, 0.3]), np.array([86.0, 50.0, 86.0, 50.0])
    found = refine_pitch(sound(curve, saw()), times_s, labels, rate_hz=RATE_HZ)
    np.testing.assert_allclose(found.pitch_midi, labels, atol=0.001)


def test_no_labels_are_no_work():
    assert refine_pitch(np.zeros(10), np.zeros(0), np.zeros(0), rate_hz=RATE_HZ).pitch_midi.shape == (0,)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"rate_hz": 4000}, "resample to 8000 Hz"),
        ({"search_cents": 0.0}, "search_cents is 0"),
        ({"pitch_midi": np.array([440.0])}, "MIDI numbers 9 to 124"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(change, what):
    given_ = {"pitch_midi": np.array([60.0]), "rate_hz": RATE_HZ, **change}
    with pytest.raises(InputError, match=what):
        refine_pitch(np.zeros(100), np.array([0.0]), **given_)


@pytest.mark.parametrize("octave", [-4, -2, -1, 0, 1, 2])
def test_an_octave_of_a_sound_is_the_sound_at_another_rate(octave):
    frequency_hz = 0.12 * RATE_HZ * 2.0 ** min(octave, 0)
    samples = np.sin(2 * np.pi * frequency_hz * np.arange(RATE_HZ) / RATE_HZ)
    rescaled = Octaves(samples).at(octave)
    expected = np.sin(2 * np.pi * frequency_hz * np.arange(rescaled.size) / (RATE_HZ * 2.0**octave))
    inner = slice(rescaled.size // 4, -rescaled.size // 4)
    gain = rescaled[inner] @ expected[inner] / (expected[inner] @ expected[inner])
    assert gain == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(rescaled[inner], gain * expected[inner], atol=0.002)


def test_windows_hold_four_periods_and_the_shift():
    np.testing.assert_allclose(window_s(np.array([33.0, 69.0])), [5 / 55, 0.02 + 1 / 440])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "lowest_hz"), [("arco_vib_g4", 277), ("arco_vib_c6", 740), ("arco_vib_a3", 156)]
)
def test_a_recorded_violin_has_the_pitch_that_pyin_finds(name, lowest_hz):
    path = DATA / "sfz" / "violin" / "samples" / f"{name}.flac"
    if not path.exists():
        pytest.skip(f"{path} is not here: set RIPIENO_DATA")
    librosa = pytest.importorskip("librosa")
    samples, rate_hz = librosa.load(path, sr=None, mono=True, offset=0.5, duration=2.0)
    tracked_hz, voiced, _ = librosa.pyin(
        samples, sr=rate_hz, fmin=lowest_hz, fmax=2 * lowest_hz, frame_length=2048, resolution=0.02
    )
    times_s = librosa.times_like(tracked_hz, sr=rate_hz, hop_length=512)[voiced]
    tracked = librosa.hz_to_midi(tracked_hz[voiced])
    found = refine_pitch(samples, times_s, tracked, rate_hz=rate_hz)
    assert found.is_confirmed.mean() > 0.8
    errors_cents = 100 * np.abs(found.pitch_midi - tracked)[found.is_confirmed]
    assert np.median(errors_cents) < 3 and np.percentile(errors_cents, 95) < 15
