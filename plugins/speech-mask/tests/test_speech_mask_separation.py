"""What any network gives: nothing lost, nothing moved, whatever comes in and however it is cut."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tiny_network import constant_network, loud_network, random_network

from ripieno.contracts import Audio, AudioFormat, ConfigError, Model, Stems
from ripieno.contracts.describe import configure
from ripieno_speech_mask.network import MaskNetwork
from ripieno_speech_mask.separation import SpeechMask
from ripieno_speech_mask.stream import SpeechStream, hop_of

LOOK_AHEADS = (0, 31)
RATES_HZ = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000)


@pytest.fixture(scope="session", params=LOOK_AHEADS, ids=["live", "look-ahead"])
def networks(request, tmp_path_factory) -> "Networks":
    return Networks(tmp_path_factory.mktemp("networks"), request.param)


class Networks:
    """Networks of one look-ahead as models."""

    def __init__(self, folder: Path, look_ahead_frames: int) -> None:
        self.folder, self.look_ahead_frames = folder, look_ahead_frames

    def random(self) -> Model:
        return self._model("random.onnx", random_network)

    def constant(self, mask) -> Model:
        return self._model("constant.onnx", constant_network, mask)

    def loud(self, threshold: float) -> Model:
        return self._model("loud.onnx", loud_network, threshold)

    def _model(self, name, make, *arguments) -> Model:
        return Model(make(self.folder / name, *arguments, look_ahead_frames=self.look_ahead_frames))


def noise(*, seconds: float = 1.0, rate_hz: int = 16000, channels: int = 1, frames: int = 0) -> Audio:
    size = channels, frames or round(seconds * rate_hz)
    return Audio(np.random.default_rng(0).uniform(-0.5, 0.5, size).astype(np.float32), rate_hz)


def separate(audio: Audio, model: Model) -> Stems:
    return SpeechMask().separate(audio, model=model)


def si_sdr_db(estimate: np.ndarray, target: np.ndarray) -> float:
    """Le Roux et al. 2019, of one channel without mean."""
    estimate, target = estimate.astype(float), target.astype(float)
    scaled = target * (estimate @ target) / (target @ target)
    return 10 * np.log10(np.sum(scaled**2) / np.sum((estimate - scaled) ** 2))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_mask_of_1_gives_the_audio_back_at_any_rate(networks, rate_hz):
    audio = noise(seconds=0.7, rate_hz=rate_hz, channels=2)
    speech = separate(audio, networks.constant(1.0))["speech"]
    assert speech.frames == audio.frames
    for got, expected in zip(speech.samples, audio.samples, strict=True):
        assert si_sdr_db(got, expected) >= 100


def test_a_mask_of_0_leaves_all_in_the_music(networks):
    audio = noise(rate_hz=44100, channels=2)
    stems = separate(audio, networks.constant(0.0))
    assert not stems["speech"].samples.any()
    np.testing.assert_array_equal(stems["music"].samples, audio.samples)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_stems_sum_to_the_audio(networks, rate_hz):
    audio = noise(rate_hz=rate_hz, channels=2)
    stems = separate(audio, networks.random())
    summed = stems["speech"].samples + stems["music"].samples
    np.testing.assert_allclose(summed, audio.samples, atol=2**-23)


@settings(max_examples=15)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    channels=st.integers(1, 6),
    frames=st.integers(0, 20000),
    cuts=st.lists(st.integers(0, 20000), max_size=12),
)
def test_any_split_gives_the_same_bits(networks, rate_hz, channels, frames, cuts):
    audio = noise(rate_hz=rate_hz, channels=channels, frames=frames)
    stream = SpeechStream(MaskNetwork(networks.random().path), audio.format)
    whole = np.concatenate([stream.push(audio.samples), stream.flush()], axis=1)
    edges = [0, *sorted(min(cut, audio.frames) for cut in cuts), audio.frames]
    parts = [stream.push(audio.samples[:, start:stop]) for start, stop in pairwise(edges)]
    assert np.concatenate([*parts, stream.flush()], axis=1).tobytes() == whole.tobytes()
    assert whole.shape == audio.samples.shape


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_what_is_given_is_not_later_than_the_latency(networks, rate_hz):
    audio = noise(seconds=1.5, rate_hz=rate_hz)
    stream = SpeechStream(MaskNetwork(networks.random().path), audio.format)
    pushed = given = 0
    for samples in audio.blocks(211):
        pushed += samples.shape[1]
        given += stream.push(samples).shape[1]
        assert given >= pushed - stream.latency.total_s * rate_hz - 1e-6


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_latency_is_that_of_tapers_and_network(networks, rate_hz):
    latency = SpeechStream(MaskNetwork(networks.random().path), AudioFormat(rate_hz, 1)).latency
    hop_s = hop_of(rate_hz) / rate_hz
    assert hop_s == pytest.approx(0.016, rel=0.0025)
    # Half a window of synthesis without look-ahead; with it a window, 31 frames and 3 more of the group.
    assert latency.total_s == pytest.approx((4 + 31 + 3 if networks.look_ahead_frames else 2) * hop_s)


@pytest.mark.parametrize("rate_hz", [16000, 44100, 48000])
def test_a_mask_lies_where_the_sound_is_that_it_was_found_in(networks, rate_hz):
    audio = noise(seconds=4, rate_hz=rate_hz)
    gain = np.full(audio.frames, 0.01, np.float32)
    start, stop = 2 * rate_hz, round(2.3 * rate_hz)
    gain[start:stop] = 1
    audio = Audio(audio.samples * gain, rate_hz)
    # Steady noise lies at -0.1: the mean of logarithms is 2.5 dB below the logarithm of the mean. The burst
    # lies 40 dB above what was before, and at its end 9 dB above the decaying mean that it is in itself.
    speech = separate(audio, networks.loud(0.1))["speech"].samples[0]
    window = 4 * hop_of(rate_hz)
    inside, outside = slice(start + window, stop - window), np.ones(audio.frames, bool)
    outside[start - window : stop + window] = False
    np.testing.assert_allclose(speech[inside], audio.samples[0, inside], atol=1e-5)
    assert np.abs(speech[outside]).max() == 0


@pytest.mark.parametrize("rate_hz", [32000, 44100, 48000, 192000])
def test_above_8_khz_the_mean_mask_of_4_to_8_khz_goes_on(networks, rate_hz):
    mask = np.linspace(1, 0, 513)
    model = networks.constant(mask)
    time_s = np.arange(rate_hz) / rate_hz
    for tone_hz, expected in [(1000, mask[64]), (10000, mask[256:].mean()), (14000, mask[256:].mean())]:
        tone = Audio(0.5 * np.sin(2 * np.pi * tone_hz * time_s), rate_hz)
        inner = slice(rate_hz // 4, -rate_hz // 4)
        speech = separate(tone, model)["speech"].samples[0, inner]
        assert speech.std() / tone.samples[0, inner].std() == pytest.approx(expected, abs=0.005)


def test_one_mask_serves_all_channels(networks):
    left = noise().samples[0]
    speech = separate(Audio(np.stack([left, left / 2, 0 * left]), 16000), networks.random())["speech"].samples
    np.testing.assert_array_equal(speech[1], speech[0] / 2)
    assert not speech[2].any() and speech[0].any()


def test_what_is_above_the_half_of_a_low_rate_was_never_there(networks):
    stems = separate(noise(rate_hz=8000), networks.random())
    assert np.isfinite(stems["speech"].samples).all()


def _bad_input() -> dict[str, Audio]:
    second = noise(rate_hz=48000, channels=2).samples
    return {
        "empty": Audio(np.zeros((2, 0), np.float32), 48000),
        "one sample": Audio(np.ones((1, 1), np.float32), 44100),
        "0.05 s": noise(seconds=0.05, rate_hz=44100, channels=2),
        "a constant": Audio(np.ones((1, 16000), np.float32), 16000),
        "clipped": Audio(np.clip(50 * second, -1, 1), 48000),
        "with an offset": Audio(second + np.float32(0.5), 48000),
        "one dead channel": Audio(second * np.float32([[1], [0]]), 48000),
        "5.1": noise(rate_hz=48000, channels=6),
        "far beyond full scale": Audio(1e6 * second, 48000),
        "beyond all measure": Audio(1e19 * second, 48000),
        "a click beyond all measure": Audio(np.where(np.arange(48000) == 20000, 1e30, second), 48000),
        "denormal": Audio(np.float32(1e-38) * second, 48000),
        "500 Hz": noise(rate_hz=500, seconds=2),
    }


@pytest.mark.parametrize("name", _bad_input())
def test_whatever_comes_is_split_in_two_of_its_shape(networks, name):
    audio = _bad_input()[name]
    stems = separate(audio, networks.random())
    for stem in (stems["speech"], stems["music"]):
        assert (stem.format, stem.frames) == (audio.format, audio.frames)
        assert np.isfinite(stem.samples).all()
    scale = np.abs(audio.samples).max(initial=0)
    np.testing.assert_allclose(
        stems["speech"].samples + stems["music"].samples, audio.samples, atol=scale * 1e-6
    )


def test_silence_stays_silent(networks):
    stems = separate(Audio(np.zeros((2, 30000), np.float32), 44100), networks.random())
    assert not stems["speech"].samples.any() and not stems["music"].samples.any()


@pytest.mark.parametrize("look_ahead_s", [0.25, -1, "long"])
def test_other_look_aheads_are_refused(look_ahead_s):
    with pytest.raises(ConfigError, match="look_ahead_s"):
        configure(SpeechMask, {"look_ahead_s": look_ahead_s})


SIX_MINUTES = """
import sys
from pathlib import Path
import numpy as np
from ripieno.contracts import AudioFormat, Model
from ripieno.contracts.context import new_context
from ripieno_speech_mask.separation import SpeechMask

minute = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 60 * 44100)).astype(np.float32)
with new_context().audio_writer(AudioFormat(44100, 2)) as writer:
    for _ in range(6):
        writer.write(minute)
    audio = writer.close()
del minute
speech = SpeechMask().separate(audio, model=Model(Path(sys.argv[1])))["speech"]
assert speech.frames == audio.frames
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_six_minutes_of_stereo_are_never_held(tmp_path):
    network = constant_network(tmp_path / "constant.onnx", 0.5, look_ahead_frames=31)
    command, env = [sys.executable, "-c", SIX_MINUTES, str(network)], {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    # One stem alone would be 127 MB, beside the 80 MB of the libraries.
    assert float(done.stdout) <= 180
    assert not list(tmp_path.glob("ripieno-*"))
