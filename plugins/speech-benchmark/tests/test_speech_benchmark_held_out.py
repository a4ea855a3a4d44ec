"""The sets of the example, on the real recordings that they name; skipped where there are none."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno.contracts import Audio
from ripieno.toolkit.distortion import si_sdr_db
from ripieno_speech_benchmark import scores
from ripieno_speech_benchmark.mixtures import Mixtures, MixturesConfig
from ripieno_speech_benchmark.oracle import OracleMask, OracleMaskConfig

BESIDE = Path(__file__).parents[4] / "shared" / "data"
DATA = Path(os.environ.get("RIPIENO_DATA", BESIDE))
EXAMPLE = Path(__file__).parents[3] / "examples" / "speech-benchmark"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "speech").is_dir(), reason="no recordings: set RIPIENO_DATA"),
]


def config_of(name, **changes):
    yaml = pytest.importorskip("yaml")
    document = yaml.safe_load((EXAMPLE / name).read_text(encoding="utf-8"))
    settings = document["steps"]["mixtures"]["with"]
    return MixturesConfig.model_validate({**settings, "folder": DATA, **changes})


def test_an_ideal_ratio_mask_gains_about_13_db_at_0_db():
    dataset = Mixtures(config_of("held-out.yaml", snr_db=[0], rooms=[], clean=False)).generate()
    gains = []
    for mixture in dataset.manifest["mixtures"]:
        paths = {
            track: dataset.files[f"{track}/{mixture['name']}.flac"] for track in ("mix", "speech", "music")
        }
        sounds = {track: Audio(*soundfile.read(path, dtype="float32")) for track, path in paths.items()}
        result = OracleMask(OracleMaskConfig(exponent=0.5)).join(**sounds)
        truth, mix = sounds["speech"].samples, sounds["mix"].samples
        gains.append(si_sdr_db(result.samples, truth) - si_sdr_db(mix, truth))
    assert len(gains) == 16
    assert np.mean(gains) == pytest.approx(13.0, abs=1.0)


def test_every_recording_of_the_sets_has_its_licence():
    for name in ("held-out.yaml", "subset.yaml"):
        dataset = Mixtures(config_of(name, snr_db=[], clean=True)).generate()
        assert all(recording["licence"] for recording in dataset.manifest["recordings"])


def test_the_baseline_is_of_the_subset():
    if not (EXAMPLE / "baseline.csv").is_file():
        pytest.skip("no baseline has been written")
    dataset = Mixtures(config_of("subset.yaml")).generate()
    names = {mixture["name"] for mixture in dataset.manifest["mixtures"]}
    assert {score.mixture for score in scores.read(EXAMPLE / "baseline.csv")} == names
