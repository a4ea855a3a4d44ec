import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, AudioFormat, Chunk, InputError, SeriesFormat
from ripieno.contracts.testing import TranscriberSuite
from ripieno.toolkit.resampling import PolyphaseResampler
from ripieno_beatnet.activations import RATE_HZ, ActivationsConfig, BeatNetActivations

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
REFERENCE = DATA.parent / "refs" / "beatnet"
MONO = AudioFormat(RATE_HZ, 1)


class TestConformance(TranscriberSuite):
    plugin = BeatNetActivations


def activations(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    made = BeatNetActivations().transcribe(Audio(samples.astype(np.float32), RATE_HZ))
    return made["beat"], made["downbeat"]


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, frames)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference values: set RIPIENO_DATA")
@pytest.mark.parametrize("weights", [1, 2, 3])
def test_heads_are_the_published_probabilities_of_any_beat_and_of_a_downbeat(weights):
    samples = np.load(REFERENCE / "808kick120bpm_22050_float32.npz")["audio"]
    beat, downbeat, _ = np.load(REFERENCE / "808kick120bpm.npz")[f"probs_model{weights}"].T
    found = BeatNetActivations(ActivationsConfig(weights=weights)).transcribe(Audio(samples, RATE_HZ))
    np.testing.assert_allclose(found["beat"], beat + downbeat, atol=1e-4)
    np.testing.assert_allclose(found["downbeat"], downbeat, atol=1e-4)


@settings(max_examples=15)
@given(st.integers(0, 5000))
def test_there_are_50_frames_a_second_and_one_for_what_is_left(frames):
    beat, downbeat = activations(noise(frames))
    assert len(beat) == len(downbeat) == -(-frames // 441)


@pytest.mark.parametrize(
    "samples",
    [
        np.sign(np.sin(2 * np.pi * 20 / RATE_HZ * np.arange(5 * RATE_HZ))),
        np.clip(50 * noise(5 * RATE_HZ), -1, 1),
        1e6 * noise(5 * RATE_HZ),
        1e-38 * noise(5 * RATE_HZ),
        np.ones(5 * RATE_HZ),
    ],
    ids=["a 20 Hz square wave", "clipping", "far beyond full scale", "denormal", "a constant"],
)
def test_whatever_is_heard_gives_probabilities(samples):
    beat, downbeat = activations(samples)
    assert ((downbeat >= 0) & (downbeat <= beat) & (beat <= 1)).all()


def test_audio_of_8_khz_is_heard_through_a_resampler():
    resampler = PolyphaseResampler(8000, RATE_HZ, channels=1)
    clicks = np.zeros((1, 8 * 8000), np.float32)
    clicks[0, 4000::4000] = 1
    beat, _ = activations(np.concatenate([resampler.push(clicks), resampler.flush()], axis=1))
    peaks = [beat[frame - 3 : frame + 4].max() for frame in range(150, 375, 25)]
    between = [beat[frame + 8 : frame + 17].max() for frame in range(150, 375, 25)]
    assert np.median(peaks) > 3 * np.median(between)


@pytest.mark.parametrize(
    "format", [AudioFormat(44100, 1), AudioFormat(RATE_HZ, 2), SeriesFormat(50.0, ("a",))]
)
def test_other_formats_are_refused_with_the_cure(format):
    with pytest.raises(InputError, match=r"effect/downmix .* effect/resample"):
        BeatNetActivations().stream({"audio": format})


@pytest.mark.parametrize("rate_hz", [44100, 24000, 16000])
def test_a_rate_that_changes_while_it_streams_is_refused(rate_hz):
    session = BeatNetActivations().stream({"audio": MONO})
    session.push(audio=Chunk(1.0, np.zeros((1, RATE_HZ), np.float32)))
    blocks = [
        Chunk(1 + (pushed + 1) * 1024 / rate_hz, np.zeros((1, 1024), np.float32)) for pushed in range(40)
    ]
    with pytest.raises(InputError, match="its rate changed"):
        [session.push(audio=block) for block in blocks]


def test_a_watermark_that_goes_on_without_samples_is_refused():
    session = BeatNetActivations().stream({"audio": MONO})
    session.push(audio=Chunk(1.0, np.zeros((1, RATE_HZ), np.float32)))
    with pytest.raises(InputError, match="samples are missing"):
        session.push(audio=Chunk(2.0))


@pytest.mark.slow
def test_ten_minutes_of_silence_at_once_take_little_memory_and_say_nothing():
    session = BeatNetActivations().stream({"audio": MONO})
    samples = np.zeros((1, 600 * RATE_HZ), np.float32)
    tracemalloc.start()
    rows = session.push(audio=Chunk(600.0, samples)).samples
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4e6
    assert rows[50:].max() < 0.1
