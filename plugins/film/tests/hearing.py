"""Music as a film's controller is given it, without a file of it: features by formula, beats, generators."""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from ripieno.contracts import Asset, Beats, Features, PluginRef, Preset, Sections
from ripieno_film import presets
from ripieno_film.controller import LatentConfig

RATE_HZ = 86.0
NAMES = ("rms", "centroid_hz", "flatness", *(f"mfcc_{index}" for index in range(13)), "onset_strength")
PRESETS = ("default", "pulse", "drift", "fracture", "lumen", "nocturne", "surge")
with as_file(files("ripieno_film.assets") / "cppn.onnx") as found:
    CPPN = Path(found)


def features(duration_s=4.0, *, names=NAMES, rate_hz=RATE_HZ, start_s=0.0, seed=0, **columns):
    """Features that move by themselves; a column given by name is as it is given."""
    rows = round(duration_s * rate_hz)
    rng = np.random.default_rng(seed)
    times_s = np.arange(rows) / rate_hz
    values = np.abs(np.cumsum(rng.standard_normal((rows, len(names))) * 0.1, axis=0)).astype(np.float32)
    if "rms" in names:
        values[:, names.index("rms")] = 0.2 + 0.15 * np.sin(times_s)
    if "centroid_hz" in names:
        values[:, names.index("centroid_hz")] = 1500 + 700 * np.sin(0.7 * times_s)
    for name, column in columns.items():
        values[:, names.index(name)] = column
    return Features(values, names, rate_hz, start_s)


def silence(duration_s=2.0):
    """What frontend/librosa gives of no sound."""
    made = np.zeros((round(duration_s * RATE_HZ), len(NAMES)), np.float32)
    made[:, NAMES.index("flatness")] = 1
    made[:, NAMES.index("mfcc_0")] = -632.5
    return Features(made, NAMES, RATE_HZ)


def config(preset="default", **settings):
    """Settings whose references are bound, as in a run; `preset` is one of these or a `Preset`."""
    made = LatentConfig(**{"weights": "asset/cppn", **settings})
    given = preset if isinstance(preset, Preset) else getattr(presets, preset)
    name = "own" if isinstance(preset, Preset) else preset
    reference = PluginRef[Preset](f"preset/{name}")
    reference.bind(given)
    made = made.model_copy(update={"preset": reference})
    made.weights.bind(Asset(version="1", url="file:x", licence="none", commercial=True).at(CPPN))
    return made


def steady(bpm=120.0, until_s=4.0, first_s=0.0, positions=None):
    """Beats of one tempo."""
    times_s = np.arange(first_s, until_s, 60 / bpm)
    return Beats(times_s, None if positions is None else np.resize(positions, len(times_s)))


def parts(*labels, each_s=1.0):
    """Sections of one length."""
    starts_s = np.arange(len(labels)) * each_s
    return Sections(starts_s, starts_s + each_s, labels)
