"""The oracle's mask: its formula, its limits, and no seams."""

import composed
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, InputError
from ripieno.contracts.testing import JoinerSuite
from ripieno.toolkit.distortion import si_sdr_db
from ripieno_speech_benchmark.oracle import BLOCK_HOPS, OracleMask, OracleMaskConfig

RATE_HZ = 16000
HOP, WINDOW = 256, 1024


def parts(seconds=2.0, *, channels=1, rate_hz=RATE_HZ):
    """Speech, music and their mix."""
    speech = np.stack([composed.voice(seed=7 + c, seconds=seconds, rate_hz=rate_hz) for c in range(channels)])
    music = composed.music(seed=8, seconds=2 * seconds, rate_hz=rate_hz)[-speech.shape[1] :, 0]
    speech, music = np.float32(speech), np.float32(np.stack([music] * channels))
    tracks = {"mix": speech + music, "speech": speech, "music": music}
    return {name: Audio(samples, rate_hz) for name, samples in tracks.items()}


class TestConformance(JoinerSuite):
    plugin = OracleMask

    def example(self):
        return parts(channels=2)


def expected(mix, speech, music, *, exponent):
    """The same at once in float64, by the plainest loop."""
    taper = np.sin(np.pi * np.arange(WINDOW) / WINDOW)
    padded = [np.pad(np.float64(one.samples[0]), (WINDOW - HOP, 2 * WINDOW)) for one in (mix, speech, music)]
    summed = np.zeros_like(padded[0])
    for start in range(0, summed.size - WINDOW + 1, HOP):
        m, s, n = (np.fft.rfft(one[start : start + WINDOW] * taper) for one in padded)
        power = np.abs(s) ** 2, np.abs(n) ** 2
        mask = (power[0] / np.maximum(power[0] + power[1], 1e-300)) ** exponent
        summed[start : start + WINDOW] += np.fft.irfft(m * mask) * taper / 2
    return summed[WINDOW - HOP :][: mix.frames]


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_it_is_the_ratio_mask_of_its_formula(exponent):
    given = parts()
    result = OracleMask(OracleMaskConfig(exponent=exponent)).join(**given)
    assert np.abs(result.samples[0] - expected(**given, exponent=exponent)).max() < 1e-5


def test_blocks_leave_no_seams():
    given = parts(seconds=2.2 * BLOCK_HOPS * HOP / RATE_HZ)
    result = OracleMask().join(**given)
    assert np.abs(result.samples[0] - expected(**given, exponent=1.0)).max() < 1e-5


def test_without_music_the_mix_comes_through():
    given = parts()
    silence = Audio(np.zeros((1, given["mix"].frames)), RATE_HZ)
    result = OracleMask().join(mix=given["speech"], speech=given["speech"], music=silence)
    assert si_sdr_db(result.samples, given["speech"].samples) > 80


def test_without_speech_nothing_comes_through():
    given = parts()
    silence = Audio(np.zeros((1, given["mix"].frames)), RATE_HZ)
    assert not OracleMask().join(mix=given["music"], speech=silence, music=given["music"]).samples.any()


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_no_other_exponent_does_better_on_noise(seed, exponent):
    """Speech and music of random phases and known powers are where the Wiener filter is the best."""
    rng = np.random.default_rng(seed)
    speech, music = rng.standard_normal((2, 4 * RATE_HZ)) * np.repeat(
        rng.uniform(0, 1, (2, 40)), 1600, axis=1
    )
    given = {
        name: Audio(np.float32(samples) / 8, RATE_HZ)
        for name, samples in {"mix": speech + music, "speech": speech, "music": music}.items()
    }
    ratios = [
        si_sdr_db(OracleMask(OracleMaskConfig(exponent=e)).join(**given).samples[0], speech)
        for e in (1.0, exponent)
    ]
    assert ratios[0] > ratios[1]


@pytest.mark.parametrize("rate_hz", [8000, 44100, 48000])
def test_other_rates_have_the_same_gain(rate_hz):
    given = parts(rate_hz=rate_hz, seconds=3)
    gains = []
    for one in (given, parts(seconds=3)):
        truth = one["speech"].samples
        gains.append(
            si_sdr_db(OracleMask().join(**one).samples, truth) - si_sdr_db(one["mix"].samples, truth)
        )
    assert gains[0] == pytest.approx(gains[1], abs=2.0)


def test_parts_of_another_mixture_are_refused():
    given = parts()
    shorter = Audio(given["speech"].samples[:, :-1], RATE_HZ)
    with pytest.raises(InputError, match="differ in rate, channels or length"):
        OracleMask().join(mix=given["mix"], speech=shorter, music=given["music"])
