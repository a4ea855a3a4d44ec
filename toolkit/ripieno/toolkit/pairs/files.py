"""A clip as files: its sound, its label, and the verdict that says that both are whole.

Conventions
-----------
Each file gets its name when it is complete, the verdict last of all.
"""

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import cont_text, write_whole
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
    write_whole(audio, flac.getvalue())
    write_whole(cont, cont_text(performance).encode())
    return audio, cont


def write_verdict(verdict: Verdict, folder: Path) -> None:
    """Write ``NAME.json``: from here on the clip is finished."""
    name = verdict.clip.name
    write_whole(folder / f"{name}.json", json.dumps(verdict.to_json(), ensure_ascii=False).encode())


def read_verdict(folder: Path, name: str) -> Verdict | None:
    """The verdict of a finished clip whose files are whole; None where the clip is still to be made."""
    try:
        verdict = Verdict.from_json(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
        digests = sha256_file(folder / verdict.clip.audio), sha256_file(folder / verdict.clip.cont)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return verdict if digests == (verdict.clip.audio_sha256, verdict.clip.cont_sha256) else None
