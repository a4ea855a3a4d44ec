"""What a bow does in a planned voice: its velocity, pressure and place on the string, note by note.

Conventions
-----------
All are the model's own, 0 to 1. Loudness is velocity for the most part: the amplitude of a bowed string is
proportional to it. Pressure follows, as a player's does. The direction of the bow is not told: a change of
bow is a velocity that falls to 0 and rises again.

References
----------
Schelleng: The bowed string and the player. J. Acoust. Soc. Am. 53(1), 1973: more velocity bears, and wants,
more pressure.
Askenfelt: Measurement of the bowing parameters in violin playing II. J. Acoust. Soc. Am. 86(2), 1989: range
of velocity, time of attack.
"""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts.performance import PITCH, Note

from .curves import Floats, envelope, grid, sampled, wandering, with_curves
from .models import Model, hertz

SOFTEST_VELOCITY, LOUDEST_VELOCITY = 0.03, 0.42
PRESSURE = (0.18, 0.85)
# Where the model sounds its fundamental whatever the bow does; nearer the ends it breaks into overtones.
POSITION = (0.56, 0.64)
STEP_S = 0.02
ATTACK_S = {"sustained": (0.015, 0.05), "legato": (0.015, 0.05), "staccato": (0.005, 0.012), "tremolo": (0.008, 0.02)}
RELEASE_S = {"sustained": (0.03, 0.07), "legato": (0.03, 0.07), "staccato": (0.012, 0.025), "tremolo": (0.02, 0.04)}
STROKES_HZ = (7.0, 12.0)
STROKE_DIP = 0.85
"""Share of its velocity that a tremolo loses at a change of bow."""


@dataclass(frozen=True)
class Stroke:
    """One bow: all notes that are slurred on it.

    Parameters
    ----------
    pressure, position : float
        About which they wander.
    strokes_hz : float
        Changes of bow in tremolo.
    """

    pressure: float
    position: float
    strokes_hz: float


def bowed(voice: tuple[Note, ...], *, rng: np.random.Generator) -> tuple[Note, ...]:
    """The voice with ``bow_velocity``, ``bow_pressure`` and ``bow_position``."""
    waver, press, drift = (wandering(rng, depth=depth) for depth in (0.04, 0.025, 0.004))
    notes = []
    stroke = _stroke(rng)
    for note, after in zip(voice, (*voice[1:], None), strict=True):
        slurred = bool(notes) and note.articulation == "legato"
        stroke = stroke if slurred else _stroke(rng)
        held = after is not None and after.articulation == "legato"
        attack_s = 0.0 if slurred else min(rng.uniform(*ATTACK_S[note.articulation]), 0.3 * note.duration_s)
        release_s = 0.0 if held else min(rng.uniform(*RELEASE_S[note.articulation]), 0.3 * note.duration_s)
        corners_s = (note.onset_s + attack_s, note.offset_s - release_s)
        times_s = grid(note, step_s=STEP_S if note.articulation != "tremolo" else STEP_S / 4, corners_s=corners_s)
        loudness = note.envelopes["loudness"].at(times_s)
        velocity = SOFTEST_VELOCITY * (LOUDEST_VELOCITY / SOFTEST_VELOCITY) ** loudness
        velocity *= (1 + waver(times_s)) * _shape(note, times_s, attack_s=attack_s, release_s=release_s, stroke=stroke)
        pressure = stroke.pressure + 0.4 * loudness + press(times_s) + _bite(note, times_s)
        notes.append(
            with_curves(
                note,
                bow_velocity=envelope(times_s, velocity),
                bow_pressure=envelope(times_s, np.clip(pressure, *PRESSURE)),
                bow_position=envelope(times_s, np.clip(stroke.position + drift(times_s), *POSITION)),
            )
        )
    return tuple(notes)


def bow_controls(model: Model, notes: tuple[Note, ...], times_s: Floats) -> tuple[Floats, ...]:
    """Length, pressure, velocity and position for each sample; between notes the bow rests on the string."""
    return (
        model.length_m(hertz(sampled(notes, PITCH, times_s))),
        sampled(notes, "bow_pressure", times_s),
        sampled(notes, "bow_velocity", times_s, rest=0.0),
        sampled(notes, "bow_position", times_s),
    )


def _stroke(rng: np.random.Generator) -> Stroke:
    return Stroke(rng.uniform(0.2, 0.4), rng.uniform(POSITION[0] + 0.01, POSITION[1] - 0.01), rng.uniform(*STROKES_HZ))


def _shape(note: Note, times_s: Floats, *, attack_s: float, release_s: float, stroke: Stroke) -> Floats:
    """Velocity beside that of the note's loudness, 0 to 1."""
    since_s, left_s = times_s - note.onset_s, note.offset_s - times_s
    shape = np.ones(times_s.size)
    if attack_s:
        shape = np.minimum(shape, since_s / attack_s)
    if release_s:
        shape = np.minimum(shape, left_s / release_s)
    if note.articulation == "staccato":
        shape *= 0.5 + 0.5 * np.exp(-since_s / 0.08)
    if note.articulation == "tremolo":
        swing = np.minimum(1, 2.5 * np.abs(np.sin(np.pi * (0.5 + stroke.strokes_hz * since_s))))
        shape *= 1 - STROKE_DIP * (1 - swing)
    return shape


def _bite(note: Note, times_s: Floats) -> Floats:
    """Pressure with which a short note is set."""
    if note.articulation != "staccato":
        return np.zeros(times_s.size)
    return np.asarray(0.15 * np.exp(-(times_s - note.onset_s) / 0.03))
