"""One clip from its seed: planned, played, rendered voice by voice, heard, and mixed.

Conventions
-----------
Every voice is rendered and measured by itself, so that others cost its labels nothing, at the level that it
has in the mix.
"""

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import DYNAMICS, PITCH, Note
from ripieno.toolkit.measuring.measure import measure_voice
from ripieno.toolkit.pairs.clips import Clip, clip_of
from ripieno.toolkit.playing.player import play

from .bowing import bowed
from .engine import render
from .models import LICENCE, MODELS, RATE_HZ, Model
from .plucking import plucked

PEAK_DBFS = (-16.0, -1.5)
BALANCE_DB = 3.0
"""How far voices of a clip stand from each other's level, to either side."""
TAIL_S = 0.3
"""How long a string is heard after its last note."""
HEARD = ("onset_s", PITCH, DYNAMICS)

Samples = NDArray[np.float32]


def make_clip(seed: int, *, instrument: str, duration_s: float) -> Clip:
    """A clip, from nothing but its seed.

    Parameters
    ----------
    seed : int
    instrument : str
        One of `MODELS`.
    duration_s : float
        As `play` takes it.

    Returns
    -------
    Clip
        Mono at 48 kHz.
    """
    rng = np.random.default_rng(seed)
    model, frames = MODELS[instrument], round(duration_s * RATE_HZ)
    planned = play(model.ability, rng=rng, duration_s=duration_s)
    played = [perform(voice, model=model, frames=frames, rng=rng) for voice in planned]
    levels = 10 ** (rng.uniform(-BALANCE_DB, BALANCE_DB, len(played)) / 20)
    mix = sum(level * sound for level, (_, sound) in zip(levels, played, strict=True))
    gain = 10 ** (rng.uniform(*PEAK_DBFS) / 20) / max(float(np.abs(mix).max()), 1e-9)
    measured = [
        one
        for level, (notes, sound) in zip(levels, played, strict=True)
        for one in measure_voice((gain * level * sound).astype(np.float32), notes, rate_hz=RATE_HZ)
    ]
    channels = sorted({name for one in measured for name in one.note.envelopes} - {*HEARD})
    return clip_of(
        (gain * mix).astype(np.float32),
        measured,
        instrument=model.profile,
        rate_hz=RATE_HZ,
        frames=frames,
        field_provenance={
            **dict.fromkeys(HEARD, "analysis"),
            **dict.fromkeys(("drive_onset_s", "offset_s", "articulation", "mode", *channels), "synthetic"),
        },
        licences=(LICENCE,),
    )


def perform(
    voice: tuple[Note, ...], *, model: Model, frames: int, rng: np.random.Generator
) -> tuple[tuple[Note, ...], Samples]:
    """A planned voice with what the hands do in it, and its sound [frames].

    Each stroke, a note and those slurred to it, has a string of its own that was at rest: on one that still
    sounds another note, a bow can get caught in the octave.
    """
    strokes = bowed(voice, rng=rng) if model.bowed else plucked(voice, model=model, rng=rng)
    sound = np.zeros(frames, np.float32)
    for stroke in strokes:
        first = int(stroke.notes[0].onset_s * RATE_HZ)
        last = min(frames, int((stroke.notes[-1].offset_s + TAIL_S) * RATE_HZ))
        controls = stroke.controls(model, np.arange(first, last) / RATE_HZ)
        sound[first:last] += render(model.faust, np.array(controls, np.float32))
    return tuple(note for stroke in strokes for note in stroke.notes), sound
