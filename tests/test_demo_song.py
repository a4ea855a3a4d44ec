"""The demonstration song: its script, and the three files the script writes."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

FOLDER = Path(__file__).parents[1] / "examples" / "first-film"
SONG = FOLDER / "song.ogg"
BEAT_S = 60 / 112


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("first_film_compose", FOLDER / "compose.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mix(script):
    return script.compose()


@pytest.fixture(scope="module")
def decoded():
    return soundfile.read(SONG, always_2d=True)[0]


@pytest.fixture(scope="module")
def beats():
    return np.loadtxt(SONG.with_suffix(".beats"), delimiter="\t")


@pytest.fixture(scope="module")
def sections():
    rows = (line.split("\t") for line in SONG.with_suffix(".lab").read_text(encoding="utf-8").splitlines())
    return [(float(start_s), float(end_s), label) for start_s, end_s, label in rows]


def snr_db(reference, estimate):
    return 10 * np.log10(np.sum(reference**2) / np.sum((reference - estimate) ** 2))


def level_db(samples):
    return 10 * np.log10(np.mean(samples**2) + 1e-12)


@pytest.mark.slow
def test_the_same_script_makes_the_same_samples(script, mix):
    np.testing.assert_array_equal(script.compose(), mix)


@pytest.mark.slow
def test_the_script_run_elsewhere_writes_the_committed_files(tmp_path):
    shutil.copy(FOLDER / "compose.py", tmp_path)
    subprocess.run([sys.executable, str(tmp_path / "compose.py")], check=True)
    for name in ("song.beats", "song.lab"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
    assert soundfile.info(tmp_path / "song.ogg").frames == soundfile.info(SONG).frames


def test_the_mix_is_finite_stereo_and_never_clips(mix):
    assert mix.shape[1] == 2
    assert np.isfinite(mix).all()
    assert np.abs(mix).max() < 1


def test_the_committed_file_is_the_mix_to_within_a_hundredth_of_its_energy(mix, decoded):
    assert decoded.shape == mix.shape
    assert snr_db(mix, decoded) > 10 * np.log10(1 / 0.01)


def test_the_committed_file_is_short_small_and_does_not_clip_when_decoded(decoded):
    info = soundfile.info(SONG)
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "VORBIS")
    assert 24 <= info.duration <= 30
    assert SONG.stat().st_size <= 600_000
    assert np.abs(decoded).max() < 1


def test_the_loudness_is_that_of_a_streamed_master():
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    command = [ffmpeg, "-nostats", "-i", str(SONG), "-af", "ebur128=peak=true", "-f", "null", "-"]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition(
        "Summary:"
    )[2]
    assert float(re.search(r"I:\s*(\S+) LUFS", summary)[1]) == pytest.approx(-14, abs=0.5)
    assert float(re.search(r"Peak:\s*(\S+) dBFS", summary)[1]) < -1


def test_beats_stand_on_the_grid_of_the_tempo_and_count_four(beats):
    times_s, positions = beats.T
    assert (np.diff(times_s) > 0).all()
    # The file rounds times to a microsecond.
    np.testing.assert_allclose(times_s, BEAT_S / 2 + BEAT_S * np.arange(len(times_s)), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(positions, np.arange(len(positions)) % 4 + 1)


def test_sections_cover_the_file_and_change_on_downbeats(beats, sections, decoded):
    starts_s, ends_s, labels = zip(*sections, strict=True)
    assert labels == ("intro", "verse", "chorus", "outro")
    assert starts_s[0] == 0
    assert starts_s[1:] == ends_s[:-1]
    assert ends_s[-1] == pytest.approx(len(decoded) / 44_100, abs=1e-4)
    assert set(starts_s[1:]) <= set(beats[beats[:, 1] == 1, 0])


def test_a_beat_tracker_finds_the_tempo_and_the_beats(beats, decoded):
    librosa = pytest.importorskip("librosa")
    tempo_bpm, found_s = librosa.beat.beat_track(y=decoded.mean(axis=1), sr=44_100, units="time")
    assert float(tempo_bpm[0]) == pytest.approx(112, rel=0.04)
    # 70 ms is the usual tolerance for a beat (Davies, Degara, Plumbley, 2009).
    nearest_s = np.abs(beats[:, :1] - found_s).min(axis=1)
    assert np.mean(nearest_s < 0.07) > 0.9


def test_the_chorus_is_the_peak_and_the_song_fades_to_silence(sections, decoded):
    levels_db = {
        label: level_db(decoded[round(start_s * 44_100) : round(end_s * 44_100)])
        for start_s, end_s, label in sections
    }
    assert levels_db["intro"] < levels_db["verse"] - 2
    assert levels_db["verse"] < levels_db["chorus"] - 2
    assert levels_db["outro"] < levels_db["chorus"] - 2
    assert level_db(decoded[-441:]) < -60
