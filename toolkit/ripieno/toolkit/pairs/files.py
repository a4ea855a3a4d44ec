"""A clip as files: its sound, its label, and the verdict that says that both are whole.

Conventions
-----------
Each file gets its name when it is complete, the verdict last of all.
"""

import io
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import StepError
from ripieno.contracts.cont import write_cont
from ripieno.contracts.packing import sha256_file
from ripieno.contracts.performance import Performance

from .manifest import Verdict


def write_clip(
    samples: NDArray[np.float32], performance: Performance, folder: Path, name: str
) -> tuple[Path, Path]:
    """Write ``NAME.flac``, mono of 24 bit, and ``NAME.cont``; their paths.

    Raises
    ------
    StepError
        If the disk does not take them.
    """
    import soundfile

    audio, cont = folder / f"{name}.flac", folder / f"{name}.cont"
    # Encoded in memory: libsndfile does not say why a disk refuses.
    flac = io.BytesIO()
    soundfile.write(flac, samples, performance.rate_hz, format="FLAC", subtype="PCM_24")
    try:
        _write(audio, flac.getvalue())
        write_cont(performance, cont)
    except OSError as error:
        raise _refused(error, folder, name) from error
    return audio, cont


def write_verdict(verdict: Verdict, folder: Path) -> None:
    """Write ``NAME.json``: from here on the clip is finished."""
    name = verdict.clip.name
    try:
        _write(folder / f"{name}.json", json.dumps(verdict.to_json(), ensure_ascii=False).encode())
    except OSError as error:
        raise _refused(error, folder, name) from error


def read_verdict(folder: Path, name: str) -> Verdict | None:
    """The verdict of a finished clip whose files are whole; None where the clip is still to be made."""
    try:
        verdict = Verdict.from_json(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
        digests = sha256_file(folder / verdict.clip.audio), sha256_file(folder / verdict.clip.cont)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return verdict if digests == (verdict.clip.audio_sha256, verdict.clip.cont_sha256) else None


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


def _refused(error: OSError, folder: Path, name: str) -> StepError:
    return StepError(f"{name}: cannot be written to {folder}: {error.strerror}")
