"""Sounds that tests of the gallery show, and how files are heard again."""

import shutil

import numpy as np

from ripieno.contracts import Audio
from ripieno.toolkit.ffmpeg import Pipe, file_url
from ripieno_gallery.config import GalleryConfig
from ripieno_gallery.sink import Gallery

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'`\n{{ 7*7 }} 歌"


def noise(seconds, *, rate_hz=16_000, channels=1, level=0.1, seed=0):
    rng = np.random.default_rng(seed)
    return Audio(level * rng.uniform(-1, 1, (channels, round(seconds * rate_hz))), rate_hz)


def sine(hz, seconds, *, rate_hz=48_000, level=0.5):
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return Audio(level * np.sin(2 * np.pi * hz * times_s), rate_hz)


def silence(seconds, *, rate_hz=16_000):
    return Audio(np.zeros((1, round(seconds * rate_hz)), np.float32), rate_hz)


def published(folder, before, after, scores=None, **config):
    """The folder of a gallery."""
    bundle = Gallery(GalleryConfig(**config)).publish(before, after, scores)
    for name, path in bundle.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return folder


def heard(path, *, rate_hz, channels=1):
    """Samples [channels, frames] of a sound file."""
    raw = ("-f", "f32le", "-ar", str(rate_hz), "-ac", str(channels))
    with Pipe(["ffmpeg", "-i", file_url(path), *raw, "pipe:"], mode="read") as pipe:
        return np.frombuffer(pipe.read(), "<f4").reshape(-1, channels).T
