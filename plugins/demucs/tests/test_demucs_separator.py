"""Stems of every kind of sound: they sum to it, and neither blocks nor channels nor rates are heard."""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tiny_demucs import RATE_HZ, STEMS, network, save_bag, save_safe, song

from ripieno.contracts import Audio, AudioFormat, ConfigError
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import SeparatorSuite
from ripieno_demucs.separator import DemucsConfig, DemucsSeparator

KEPT = tempfile.TemporaryDirectory(prefix="ripieno-demucs-", ignore_cleanup_errors=True)
MODELS = Path(KEPT.name)
save_safe(network("HTDemucs"), MODELS, "transformer")
save_safe(network("Demucs"), MODELS, "waves")
save_safe(network("HDemucs", audio_channels=1), MODELS, "mono")
save_bag(MODELS, "bag", ["transformer", "waves"], weights=[[1, 1, 1, 0], [0, 0, 1, 1]])


class TestConformance(SeparatorSuite):
    plugin = DemucsSeparator
    config = DemucsConfig(folder=MODELS, model="bag", shifts=1)
    clip_s = 0.5


class TestTwoStemsConformance(SeparatorSuite):
    plugin = DemucsSeparator
    config = DemucsConfig(folder=MODELS, model="bag", two_stems="vocals")
    clip_s = 0.5


def separate(audio, *, seed=0, **settings):
    config = DemucsConfig(folder=MODELS, **{"model": "waves", **settings})
    with use_context(new_context(seed=seed)):
        return DemucsSeparator(config).separate(audio)


def assert_sum(stems, audio):
    total = sum(stem.samples.astype(np.float64) for stem in stems.items.values())
    np.testing.assert_allclose(total, audio.samples, atol=2e-6)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100, 192000])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
@pytest.mark.parametrize("stem", [None, "vocals"])
def test_stems_sum_to_any_audio(rate_hz, channels, stem):
    audio = song(0.7, rate_hz=rate_hz, channels=channels)
    stems = separate(audio, two_stems=stem)
    assert stems.names == (tuple(STEMS) if stem is None else ("vocals", "no_vocals"))
    assert {(part.format, part.frames) for part in stems.items.values()} == {(audio.format, audio.frames)}
    assert_sum(stems, audio)


CLIP = song(1.0).samples
ODD = {
    "clipped": np.clip(20 * CLIP, -1, 1),
    "with an offset": CLIP + np.float32(0.5),
    "with a dead channel": CLIP * np.array([[1], [0]], np.float32),
    "a constant": np.full((2, RATE_HZ), 0.7, np.float32),
    "a twentieth of a second": CLIP[:, : RATE_HZ // 20],
    "hardly audible": CLIP * np.float32(1e-6),
    "far beyond full scale": CLIP * np.float32(1e4),
}


@pytest.mark.parametrize("model", ["transformer", "waves", "mono"])
@pytest.mark.parametrize("kind", ODD)
def test_odd_sounds_are_separated(model, kind):
    samples = ODD[kind]
    stems = separate(Audio(samples, RATE_HZ), model=model)
    total = sum(stem.samples.astype(np.float64) for stem in stems.items.values())
    np.testing.assert_allclose(total, samples, atol=2e-6 * max(1, np.abs(samples).max()))


@pytest.mark.parametrize("model", ["transformer", "waves"])
def test_silence_stays_silent(model):
    stems = separate(Audio(np.zeros((2, RATE_HZ), np.float32), RATE_HZ), model=model)
    for stem in stems.items.values():
        assert np.abs(stem.samples).max() < 1e-6


def test_pairs_of_surround_channels_are_separated_like_stereo_and_the_others_like_mono():
    surround = song(1.0, channels=6)
    whole = separate(surround, two_stems="drums")["drums"].samples
    for channels in ([0, 1], [2], [3], [4, 5]):
        alone = separate(Audio(surround.samples[channels], RATE_HZ), two_stems="drums")["drums"].samples
        np.testing.assert_array_equal(whole[channels], alone)


def test_mono_is_separated_like_two_equal_channels():
    mono = song(1.0, channels=1)
    both = Audio(np.repeat(mono.samples, 2, axis=0), RATE_HZ)
    expected = separate(both, two_stems="vocals")["vocals"].samples.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(separate(mono, two_stems="vocals")["vocals"].samples, expected, atol=1e-7)


def test_the_same_seed_gives_the_same_shifts():
    audio = song(1.0)
    first, again, other = (separate(audio, seed=seed, shifts=2)["drums"].samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-6


def test_without_shifts_the_seed_means_nothing():
    first, other = (separate(song(1.0), seed=seed)["drums"].samples for seed in (1, 2))
    np.testing.assert_array_equal(first, other)


def test_what_networks_leave_out_is_shared_evenly():
    audio = song(1.0)
    own = separate(audio, consistent=False)
    left = audio.samples - sum(stem.samples for stem in own.items.values())
    for name, stem in separate(audio).items.items():
        np.testing.assert_allclose(stem.samples, own[name].samples + left / len(STEMS), atol=1e-6)


def test_a_band_above_the_network_stays_in_what_is_left():
    time_s = np.arange(2 * 44100) / 44100
    audio = Audio(0.3 * np.sin(2 * np.pi * 15000 * time_s), 44100)
    stems = separate(audio, two_stems="vocals")
    assert np.abs(stems["no_vocals"].samples - audio.samples).max() < 1e-3


@pytest.mark.parametrize("model", ["transformer", "waves"])
def test_bfloat16_is_near_to_single_precision(model):
    audio = song(2.0)
    exact = separate(audio, model=model, consistent=False)
    rough = separate(audio, model=model, consistent=False, precision="bf16")
    for name in STEMS:
        error = np.std(rough[name].samples - exact[name].samples) / np.std(exact[name].samples)
        assert 0 < error < 0.3


def test_a_model_is_read_once():
    with tempfile.TemporaryDirectory() as name:
        path = save_safe(network("Demucs"), Path(name), "net")
        plugin = DemucsSeparator(DemucsConfig(folder=Path(name), model="net"))
        first = plugin.separate(song(0.5))["vocals"].samples
        # What cannot be read again was kept.
        facts = path.read_bytes()
        path.write_bytes(facts[: len(facts) // 2])
        np.testing.assert_array_equal(plugin.separate(song(0.5))["vocals"].samples, first)


def test_a_segment_longer_than_a_transformer_knows_is_refused():
    with pytest.raises(ConfigError, match="longer than the 1.2 s"):
        separate(song(1.0), model="transformer", segment_s=1.3)


def test_a_stem_that_the_model_does_not_give_is_refused():
    with pytest.raises(ConfigError, match="drums, bass, other, vocals, not piano"):
        DemucsSeparator.output_names(DemucsConfig(folder=MODELS, model="waves", two_stems="piano"))


def peak_bytes(seconds):
    piece = song(5.0).samples
    with use_context(new_context()) as context, context.audio_writer(AudioFormat(RATE_HZ, 2)) as writer:
        for _ in range(round(seconds / 5)):
            writer.write(piece)
        audio = writer.close()
        plugin = DemucsSeparator(DemucsConfig(folder=MODELS, model="waves", shifts=1))
        plugin.separate(Audio(piece, RATE_HZ))
        tracemalloc.start()
        plugin.separate(audio)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak


def test_memory_does_not_grow_with_the_audio():
    assert peak_bytes(40) < peak_bytes(20) + 500_000
