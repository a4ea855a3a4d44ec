"""What is heard of a set of clips: its labels against its sound.

Conventions
-----------
Errors are of the sound less the label, in the clips and labels as they lie in files; masked pitch is left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ripieno.contracts import Audio, Example, Performance, read_cont
from ripieno.contracts.codecs import DatasetFolder
from ripieno.toolkit.measuring.agreement import onset_errors_s, pitch_errors_cents

from .kinds import Kind
from .tracker import tracker_errors_cents
from .worker import Turn

TRACKED_NOTES = 20
TRACKED_IN_A_CLIP = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Heard:
    """One set of clips.

    Parameters
    ----------
    kind : Kind
    sound_s : float
        Of all clips that were kept.
    turn : Turn
        What they took.
    counts : mapping of str to int
        As in the manifest.
    pitch_cents, tracked_cents, onset_ms : ndarray
        By the refiner, by a tracker that knows no label, and after silence.
    performances : tuple of Performance
        The labels.
    """

    kind: Kind
    sound_s: float
    turn: Turn
    counts: dict[str, int]
    pitch_cents: Floats
    tracked_cents: Floats
    onset_ms: Floats
    performances: tuple[Performance, ...]


def hear(kind: Kind, turn: Turn) -> Heard:
    """Read and measure a set."""
    manifest = DatasetFolder().read(Path(turn.folder)).manifest
    pitch: list[Floats] = []
    tracked: list[Floats] = []
    onsets: list[Floats] = []
    performances: list[Performance] = []
    for samples, performance in _clips(Path(turn.folder), manifest):
        notes, rate_hz = performance.notes, performance.rate_hz
        pitch.append(pitch_errors_cents(samples, notes, rate_hz=rate_hz, ring_s=kind.ring_s))
        onsets.append(1e3 * onset_errors_s(samples, notes, rate_hz=rate_hz))
        if len(tracked) < TRACKED_NOTES:
            found = tracker_errors_cents(samples, notes, rate_hz=rate_hz, ring_s=kind.ring_s)
            tracked += islice(found, TRACKED_IN_A_CLIP)
        performances.append(performance)
    sound_s = sum(performance.duration_s for performance in performances)
    return Heard(
        kind,
        sound_s,
        turn,
        manifest["counts"],
        np.concatenate(pitch),
        np.concatenate(tracked),
        np.concatenate(onsets),
        tuple(performances),
    )


def example(heard: Heard) -> Example:
    """The first clip of a set, with its label."""
    folder = Path(heard.turn.folder)
    samples, performance = next(_clips(folder, DatasetFolder().read(folder).manifest))
    return Example(Audio(samples[None], performance.rate_hz), performance)


def _clips(folder: Path, manifest: Any) -> Iterator[tuple[NDArray[np.float32], Performance]]:
    for clip in manifest["clips"]:
        samples, _ = soundfile.read(folder / clip["audio"], dtype="float32")
        yield samples, read_cont(folder / clip["cont"])
