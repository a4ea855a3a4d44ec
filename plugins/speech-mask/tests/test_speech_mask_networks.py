"""The networks that come with the package, on voices and music that they were not trained on."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from ripieno.contracts import Audio
from ripieno.toolkit.distortion import si_sdr_db
from ripieno_speech_mask.separation import MODELS, SpeechMask, SpeechMaskConfig, weights_path

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
LOOK_AHEADS_S = [0.0, 0.5]

pytestmark = pytest.mark.parametrize("look_ahead_s", LOOK_AHEADS_S)


@pytest.fixture(scope="module")
def voice():
    return recording("speech/librispeech_198-209-0000.ogg", length_s=8)


@pytest.fixture(scope="module")
def music():
    return recording("music/kevin_macleod_vibe_ace.ogg", length_s=8)


def recording(name, *, length_s):
    soundfile = pytest.importorskip("soundfile")
    if not (DATA / name).is_file():
        pytest.skip(f"RIPIENO_DATA names no folder with {name}")
    samples, rate_hz = soundfile.read(DATA / name, dtype="float32", always_2d=True)
    mono = samples[: length_s * rate_hz].mean(axis=1)
    return Audio((mono / np.abs(mono).max() / 3)[None], rate_hz)


def speech_in(audio, look_ahead_s):
    return SpeechMask(SpeechMaskConfig(look_ahead_s=look_ahead_s)).separate(audio)["speech"].samples


def level_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20)


def test_the_card_tells_the_digest(look_ahead_s):
    digest = hashlib.sha256(weights_path(look_ahead_s).read_bytes()).hexdigest()
    assert digest in (MODELS / "README.md").read_text(encoding="utf-8")


def test_speech_alone_stays(look_ahead_s, voice):
    assert si_sdr_db(speech_in(voice, look_ahead_s), voice.samples) > 20


def test_music_alone_goes(look_ahead_s, music):
    assert level_db(speech_in(music, look_ahead_s)) < level_db(music.samples) - 15


def test_speech_comes_out_of_music(look_ahead_s, voice, music):
    from ripieno.toolkit.resampling import resample

    bed = resample(music.samples, from_hz=music.rate_hz, to_hz=voice.rate_hz)[:, : voice.frames]
    bed *= np.sqrt(np.mean(voice.samples**2) / np.mean(bed**2))
    mix = Audio(voice.samples + bed, voice.rate_hz)
    gain_db = si_sdr_db(speech_in(mix, look_ahead_s), voice.samples) - si_sdr_db(mix.samples, voice.samples)
    assert gain_db > 5
