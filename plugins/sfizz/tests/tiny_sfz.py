"""A small library of tones that are known to the cent, made for the tests and played by the real renderer."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ripieno.contracts import SampleLibrary

RATE_HZ = 44100
KEYS = (52, 60, 68, 76)
TURNS = 2
OFF_CENTS = {"tone52-1.wav": 12.0, "tone60-1.wav": -7.5, "tone68-1.wav": 0.0, "tone76-1.wav": 23.0}
OFF_CENTS |= {"tone52-2.wav": 3.0, "tone60-2.wav": -2.0, "tone68-2.wav": 9.0, "tone76-2.wav": -14.0}

FACTS: dict[str, Any] = {
    "description": "Tones.",
    "instrument": "violin",
    "file": "tiny.sfz",
    "techniques": [
        {
            "articulation": "sustained",
            "mode": "arco",
            "key_switch": 24,
            "lowest_key": 55,
            "highest_key": 79,
            "release_s": 0.1,
        },
        {
            "articulation": "plucked",
            "mode": "pizzicato",
            "key_switch": 25,
            "lowest_key": 55,
            "highest_key": 79,
            "release_s": 0.2,
        },
    ],
    "player": {
        "excitation": "bowed",
        "slurs": {"arco": 0.4},
        "portamento": True,
        "vibrato": True,
        "vibrato_depth_cents": (10, 25),
    },
    "pitch_bend_cents": 1200,
    "masked_outputs": ["bow_pressure"],
    "tuning_cents": {f"samples/{name}": cents for name, cents in OFF_CENTS.items()},
    "licence": "CC0-1.0",
    "credit": "Nobody",
    "commercial": True,
    "source": "https://example.org/tiny",
}


def library(**changes: Any) -> SampleLibrary:
    """The map of the tones."""
    return SampleLibrary.model_validate({**FACTS, **changes})


def tone(name: str) -> np.ndarray:
    """Eight harmonics, 3 s, at the pitch of the file's key and its own cents."""
    key = int(name[4:6])
    frequency_hz = 440 * 2 ** ((key - 69 + OFF_CENTS[name] / 100) / 12)
    times_s = np.arange(3 * RATE_HZ) / RATE_HZ
    harmonics = np.arange(1, 9)[:, None]
    phases = 0.7 * harmonics**2
    return 0.1 * (np.sin(2 * np.pi * harmonics * frequency_hz * times_s + phases) / harmonics).sum(axis=0)


def write(folder: Path, *, text: str | None = None) -> Path:
    """Write samples and SFZ into a folder."""
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    for name in OFF_CENTS:
        soundfile.write(folder / "samples" / name, tone(name), RATE_HZ, subtype="FLOAT")
    (folder / "tiny.sfz").write_text(text or sfz_text(), encoding="utf-8")
    return folder


def sfz_text() -> str:
    """Two key switches; round robins drawn under one, counted under the other."""
    lines = [
        "<control> default_path=samples/",
        "<global> sw_lokey=24 sw_hikey=25 sw_default=24 amp_veltrack=60",
    ]
    for switch, release in (
        (24, "ampeg_attack=0.01 ampeg_release=0.05"),
        (25, "ampeg_decay=0.6 ampeg_sustain=0"),
    ):
        for turn in range(1, TURNS + 1):
            drawn = f"lorand={(turn - 1) / TURNS:g} hirand={turn / TURNS:g}"
            counted = f"seq_length={TURNS} seq_position={turn}"
            lines.append(f"<group> sw_last={switch} {release} {drawn if switch == 24 else counted}")
            lines += [
                f"<region>sample=tone{key}-{turn}.wav lokey={key - 4} hikey={key + 3} pitch_keycenter={key}"
                for key in KEYS
            ]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=1)
def _kept() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()


@lru_cache(maxsize=1)
def folder() -> Path:
    """The library, made once in a process."""
    return write(Path(_kept().name) / "tiny")
