"""Clips: voices are planned, all their strokes rendered at once, and each note measured where it is alone.

Conventions
-----------
Strokes are laid into layers, in which the one before has died away when the next begins; every layer is
measured by itself, and the clip is their sum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, SampleLibrary
from ripieno.contracts.performance import Note
from ripieno.toolkit.measuring.measure import measure_voice
from ripieno.toolkit.pairs.clips import Clip, clip_of
from ripieno.toolkit.playing.player import play

from .engine import RATE_HZ, Engine, Press
from .strokes import Hands, Stroke, ability_of

PEAK_DBFS = (-12.0, -1.0)
"""The loudest sample of a clip lies between these."""
LOUDEST_GAIN_DB = 30.0
AUDIBLE = 0.001
FADE = RATE_HZ // 50
FIELD_PROVENANCE = {
    "pitch_midi": "analysis",
    "dynamics_dbfs": "analysis",
    "onset_s": "analysis",
    "drive_onset_s": "synthetic",
    "offset_s": "synthetic",
    "articulation": "synthetic",
    "mode": "synthetic",
}


@dataclass(frozen=True, eq=False)
class Plan:
    """What is played in a clip, before it sounds."""

    strokes: tuple[Stroke, ...]
    peak_dbfs: float


def make_clips(seeds: Sequence[int], *, hands: Hands, engine: Engine, duration_s: float) -> Iterator[Clip]:
    """The clips of these seeds, rendered together.

    Parameters
    ----------
    seeds : sequence of int
        Each is all that its clip is drawn from.
    hands : Hands
        Plays the library.
    engine : Engine
        Renders its copy.
    duration_s : float
        Of a clip, >= 3.

    Returns
    -------
    iterator of Clip
        In the order of the seeds.
    """
    plans = [plan(seed, hands=hands, duration_s=duration_s) for seed in seeds]
    presses = [stroke.press for planned in plans for stroke in planned.strokes]
    sounds = engine.render(presses)
    frames = round(duration_s * RATE_HZ)
    for planned in plans:
        rendered = [_sounding(stroke, next(sounds)) for stroke in planned.strokes]
        yield _clip(planned, rendered, library=hands.library, frames=frames)


def plan(seed: int, *, hands: Hands, duration_s: float) -> Plan:
    """What is played in the clip of a seed."""
    rng = np.random.default_rng(seed)
    voices = play(ability_of(hands.library), rng=rng, duration_s=duration_s)
    return Plan(hands.strokes(voices, rng=rng), float(rng.uniform(*PEAK_DBFS)))


def check_sounding(library: SampleLibrary, engine: Engine) -> None:
    """Play each technique once.

    Raises
    ------
    InputError
        If nothing is heard of one; the message names it and its key switch.
    MissingError, StepError
        As `Engine.render`.
    """
    techniques = library.techniques
    keys = [(technique.lowest_key + technique.highest_key) // 2 for technique in techniques]
    presses = [
        Press(key, 127, hold=RATE_HZ // 4, ring=RATE_HZ // 10, key_switch=technique.key_switch)
        for technique, key in zip(techniques, keys, strict=True)
    ]
    for technique, press, sound in zip(techniques, presses, engine.render(presses), strict=True):
        if np.abs(sound).max() < AUDIBLE:
            switch = "" if press.key_switch is None else f" after key switch {press.key_switch}"
            name = f"{technique.articulation} ({technique.mode})"
            raise InputError(
                f"{library.file}: key {press.key}{switch}, {name}, plays a sample that is silent"
            )


def _sounding(stroke: Stroke, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    return sound if stroke.gain is None else sound * stroke.gain


def _clip(
    planned: Plan, sounds: Sequence[NDArray[np.float32]], *, library: SampleLibrary, frames: int
) -> Clip:
    layers, notes = _layers(planned.strokes, sounds, frames=frames)
    mix = layers.sum(axis=0)
    peak = float(np.abs(mix).max(initial=0.0))
    gain = min(10 ** (planned.peak_dbfs / 20) / max(peak, 1e-9), 10 ** (LOUDEST_GAIN_DB / 20))
    measured = [
        one
        for layer, of_layer in zip(layers, notes, strict=True)
        for one in measure_voice(layer * np.float32(gain), of_layer, rate_hz=RATE_HZ)
    ]
    return clip_of(
        (mix * np.float32(gain)).astype(np.float32),
        measured,
        instrument=library.instrument,
        rate_hz=RATE_HZ,
        frames=frames,
        field_provenance=FIELD_PROVENANCE,
        masked_outputs=library.masked_outputs,
        licences=(library.terms,),
    )


def _layers(
    strokes: Sequence[Stroke], sounds: Sequence[NDArray[np.float32]], *, frames: int
) -> tuple[NDArray[np.float32], list[list[Note]]]:
    """Sums of sounds that do not touch, [layers, frames], and their notes."""
    ends: list[int] = []
    placed: list[list[tuple[Stroke, NDArray[np.float32]]]] = []
    for stroke, sound in zip(strokes, sounds, strict=True):
        free = next((layer for layer, end in enumerate(ends) if end <= stroke.start), len(ends))
        if free == len(ends):
            ends.append(0)
            placed.append([])
        ends[free] = stroke.end
        placed[free].append((stroke, sound))
    layers = np.zeros((len(placed), frames), np.float32)
    for layer, of_layer in zip(layers, placed, strict=True):
        for stroke, sound in of_layer:
            room = max(0, min(sound.size, frames - stroke.start))
            layer[stroke.start : stroke.start + room] = sound[:room]
    # What still rings at the end would end in a click.
    layers[:, -FADE:] *= np.linspace(1, 0, FADE, dtype=np.float32)
    return layers, [[note for stroke, _ in of_layer for note in stroke.notes] for of_layer in placed]
