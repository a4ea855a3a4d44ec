"""What a film shows is shown when it is heard: clicks, through a frontend and the controller."""

import importlib.resources
from pathlib import Path

import numpy as np
import pytest

from ripieno.contracts import Asset, Audio, Beats
from ripieno_film import presets
from ripieno_film.controller import LatentConfig, LatentController
from ripieno_librosa.features import FeaturesConfig, LibrosaFeatures

RATE_HZ, FPS = 44100, 120.0


def clicks(times_s, *, noise):
    """Short bursts, alone or in noise."""
    rng = np.random.default_rng(0)
    samples = noise * rng.standard_normal(round((times_s[-1] + 0.5) * RATE_HZ))
    burst = 0.3 * rng.standard_normal(RATE_HZ // 40) * np.exp(-np.arange(RATE_HZ // 40) / (0.005 * RATE_HZ))
    for at_s in times_s:
        start = round(at_s * RATE_HZ)
        samples[start : start + len(burst)] += burst
    return Audio(samples.astype(np.float32), RATE_HZ)


def steered(audio, *, frontend, beats=None):
    config = LatentConfig(fps=FPS, motion={"flash": 1}, weights="asset/cppn")
    config.preset.bind(presets.default)
    cppn = Path(str(importlib.resources.files("ripieno_film.assets") / "cppn.onnx"))
    config.weights.bind(Asset(version="1", url="file:x", licence="none", commercial=True).at(cppn))
    return LatentController(config).control(LibrosaFeatures(frontend).transform(audio), beats=beats)


def risen(trajectory, name, near_s):
    """When the column is highest around a time."""
    column = trajectory.coefficients[:, trajectory.names.index(name)]
    first = round((near_s - 0.1) * FPS)
    return (first + int(column[first : first + round(0.2 * FPS)].argmax())) / FPS


@pytest.mark.parametrize("noise", [0, 0.01])
def test_a_click_flashes_within_five_milliseconds(noise):
    times_s = np.arange(60, 600, 61) / FPS
    made = steered(clicks(times_s, noise=noise), frontend=FeaturesConfig(hop=128, window=512))
    for at_s in times_s:
        assert abs(risen(made, "flash", at_s) - at_s) <= 0.005


def test_a_beat_is_on_its_frame():
    times_s = np.arange(60, 600, 53) / FPS
    made = steered(clicks(times_s, noise=0.01), frontend=FeaturesConfig(), beats=Beats(times_s))
    for at_s in times_s:
        assert abs(risen(made, "pulse", at_s) - at_s) < 1e-9
