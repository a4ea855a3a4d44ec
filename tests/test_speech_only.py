"""The example of speech alone: its recordings, its pipelines, and a folder of which one file is broken."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from ripieno.toolkit.loudness import LoudnessMeter

soundfile = pytest.importorskip("soundfile")

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "speech-only"
MIXES = sorted((FOLDER / "mixes").glob("*.ogg"))


@pytest.mark.parametrize("path", MIXES, ids=lambda path: path.stem)
def test_a_recording_is_short_stereo_and_not_clipped(path):
    samples, rate_hz = soundfile.read(path, always_2d=True)
    assert samples.shape[1] == 2 and rate_hz == 44_100
    assert 8 < len(samples) / rate_hz < 20
    assert 0.5 < np.abs(samples).max() < 1
    assert path.stat().st_size < 200_000


def test_the_recipe_does_what_the_example_does():
    files = ROOT / "recipes/ripieno_recipes/speech_only.yaml", FOLDER / "pipeline.yaml"
    recipe, example = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in files)
    for part in ("name", "description", "steps", "outputs"):
        assert recipe[part] == example[part]


@pytest.mark.parametrize("name", ["known-recipe", "heavy"])
def test_heavier_variants_lack_nothing_but_weights(bench, name):
    said = bench.fails("check", FOLDER / f"{name}.yaml").splitlines()
    assert len(said) == 3
    assert all(": asset " in line for line in said)


@pytest.mark.slow
def test_a_folder_is_done_but_for_the_file_that_is_broken(bench):
    pytest.importorskip("ripieno_speech_mask")
    for path in MIXES:
        (bench.folder / "in").mkdir(exist_ok=True)
        shutil.copy(path, bench.folder / "in")
    bench.write("in/broken.ogg", b"no sound")
    ran = bench.run(FOLDER / "pipeline.yaml", "--input", "mix=in/*.ogg", code=1)
    assert ran.status("mix", "broken") == "failed"
    for path in MIXES:
        mix, rate_hz = soundfile.read(path, always_2d=True)
        voice, voice_rate_hz = soundfile.read(ran.folder / f"{path.stem}__speech_only.wav", always_2d=True)
        assert (voice.shape, voice_rate_hz) == (mix.shape, rate_hz)
        meter = LoudnessMeter(rate_hz, channels=2)
        meter.push(voice.T)
        assert meter.integrated_lufs == pytest.approx(-16, abs=0.1)
        assert meter.true_peak_dbtp <= -1
    with open(ran.folder / "gallery/metrics.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["item"] for row in rows] == [path.stem for path in MIXES]
    assert all(float(row["after.loudness_lufs"]) == pytest.approx(-16, abs=0.1) for row in rows)
    assert "broken" in ran.text("gallery/index.html")
    assert len(list((ran.folder / "gallery/snippets").iterdir())) == 2 * len(MIXES)
