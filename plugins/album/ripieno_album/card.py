"""``meta.json``: what a film is, and everything that made it.

Conventions
-----------
The same film has the same card, byte for byte: no dates, no folders, no times that a machine took. Those stand in
``manifest.json`` of the run, under the steps and items that the card names.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from ripieno.contracts import Audio, Licence, Trajectory, Video
from ripieno.contracts.context import Made
from ripieno.contracts.packing import sha256_file
from ripieno.toolkit.ffmpeg import probe

VERSION = 1
TIMINGS = "manifest.json of the run has the seconds that each of these steps took, under its step and item"
_BLOCK_FRAMES = 1 << 18


def card(
    film: Video,
    *,
    frames_sha256: str,
    facts: Mapping[str, Any],
    history: Sequence[Made],
    licences: Sequence[Licence],
    trajectory: Trajectory | None = None,
    audio: Audio | None = None,
) -> dict[str, Any]:
    """The document.

    Returns
    -------
    dict
        JSON: track, film, audio, trajectory, look, sources, steps, timings, licences.
    """
    document: dict[str, Any] = {
        "ripieno_film": VERSION,
        "track": {name: fact for name, fact in facts.items() if name != "art"},
        "film": _film(film, frames_sha256),
        "sources": [
            {"input": made.step, "item": made.item, "file": made.file, "sha256": made.sha256}
            for made in history
            if made.file
        ],
        "steps": [_step(made) for made in history if not made.file],
        "timings": TIMINGS,
        "licences": [asdict(licence) for licence in licences],
    }
    if audio is not None:
        document["audio"] = _audio(audio)
    if trajectory is not None:
        look = dict(trajectory.look)
        document["trajectory"] = {
            "fps": trajectory.fps,
            "frames": len(trajectory.coefficients),
            "columns": list(trajectory.names),
        }
        document["look"] = {"from": f"preset {look.get('preset', '')}".strip(), "value": look}
    return document


def _film(film: Video, frames_sha256: str) -> dict[str, Any]:
    streams = probe(film.path)
    return {
        "container": film.path.suffix.lstrip("."),
        "video_codec": streams.video_codec,
        "audio_codec": streams.codec,
        "width": film.width,
        "height": film.height,
        "fps": film.fps,
        "duration_s": film.duration_s,
        "bytes": film.path.stat().st_size,
        "sha256": sha256_file(film.path),
        "frames_sha256": frames_sha256,
    }


def _audio(audio: Audio) -> dict[str, Any]:
    found = hashlib.sha256()
    for block in audio.blocks(_BLOCK_FRAMES):
        found.update(np.ascontiguousarray(block.T, "<f4").tobytes())
    return {
        "rate_hz": audio.rate_hz,
        "channels": audio.channels,
        "duration_s": audio.duration_s,
        "samples_sha256": found.hexdigest(),
        "samples": "32-bit float, little-endian, channels interleaved, as the film was made of it",
    }


def _step(made: Made) -> dict[str, Any]:
    return {
        "step": made.step,
        "item": made.item,
        "uses": made.uses,
        "plugin": f"{made.distribution} {made.version}".strip(),
        "seed": made.seed,
        "settings": {
            name: {"value": _published(value), "from": made.given.get(name, "default")}
            for name, value in made.settings.items()
        },
    }


def _published(value: Any) -> Any:
    """A setting without the folders of this machine, which are nobody's business on a web host."""
    if isinstance(value, Mapping):
        return {name: _published(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_published(item) for item in value]
    if isinstance(value, str):
        kinds = (PurePosixPath(value), PureWindowsPath(value))
        return next((path.name for path in kinds if path.is_absolute() and path.name), value)
    return value
