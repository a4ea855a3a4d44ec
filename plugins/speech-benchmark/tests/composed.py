"""Recordings that are computed: voices that come in syllables, music that lasts, a room that is late."""

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from ripieno_speech_benchmark.mixtures import MixturesConfig

RATE_HZ = 16000
ROOM_DELAY = 321


def voice(*, seed, seconds, rate_hz=RATE_HZ):
    """Harmonics of a gliding pitch, four syllables a second, with pauses."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = 120 + 60 * rng.random() + 25 * np.sin(2 * np.pi * 0.7 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    tone = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2 * times_s + rng.uniform(0, 6)), 0, None)
    return 0.1 * tone * syllables + 0.001 * rng.standard_normal(times_s.size)


def music(*, seed, seconds, rate_hz=RATE_HZ):
    """A chord a second, in stereo [frames, 2], silent for its first fifth."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    pitches_hz = 220 * 2 ** (rng.integers(0, 24, (int(seconds) + 1, 3)) / 12)
    own_hz = pitches_hz[times_s.astype(int)]
    chord = np.sin(2 * np.pi * own_hz * times_s[:, None]).sum(axis=1) * 0.2
    chord[: times_s.size // 5] = 0
    return np.stack([chord, 0.5 * chord], axis=1)


def room(*, seed, rate_hz=RATE_HZ):
    """An exponential decay whose direct path comes late."""
    tail = np.random.default_rng(seed).standard_normal(rate_hz // 4) * np.exp(-np.arange(rate_hz // 4) / 600)
    response = np.concatenate([np.zeros(ROOM_DELAY), 0.1 * tail])
    response[ROOM_DELAY] = 1
    return response


def write(folder, *, voices=("anna", "ben"), pieces=("bed",), rooms=("hall",), seconds=3.0):
    """A folder of recordings; each is drawn from its name."""
    makers = {"speech": (voices, voice, seconds), "music": (pieces, music, 3 * seconds)}
    for kind, (names, make, length_s) in makers.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in names:
            samples = make(seed=sum(name.encode()), seconds=length_s)
            soundfile.write(folder / kind / f"{name}.wav", samples, RATE_HZ)
    (folder / "rir").mkdir(exist_ok=True)
    for name in rooms:
        soundfile.write(folder / "rir" / f"{name}.wav", room(seed=sum(name.encode())), RATE_HZ, "FLOAT")
    return folder


@lru_cache(maxsize=1)
def _process_folder():
    return tempfile.TemporaryDirectory(prefix="ripieno-", ignore_cleanup_errors=True)


def folder():
    """The same small folder for all tests that change nothing in it."""
    path = Path(_process_folder().name)
    return path if (path / "rir").is_dir() else write(path)


def config(**settings):
    """Of a set of two seconds from that folder."""
    defaults = {"folder": folder(), "rooms": ("rir/*",), "length_s": 2.0, "snr_db": (-5.0, 5.0)}
    return MixturesConfig(**{**defaults, **settings})
