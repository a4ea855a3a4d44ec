"""What the hands do on a plucked string in a planned voice: where and how it is plucked, and damped.

Conventions
-----------
``pluck_position`` is a share of the string. ``damping`` d takes `DAMPING_DB_S` d^3 decibels a second from
the string, whatever its pitch, beside what it loses by itself. A pluck is a short force: half a sine that
becomes noisy and shorter, and so brighter, the harder it is played. No two are the same.
"""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts.performance import PITCH, Note

from .curves import Floats, envelope, grid, sampled, wandering, with_curves
from .models import RATE_HZ, Model, hertz

DAMPING_DB_S = 1500.0
STEP_S = 0.05
LIFT_S = 0.02
"""In which the string is silenced at the end of a note."""
LOUDNESS_DB = 26.0
"""From the softest pluck to the loudest."""
# Nearer the bridge with a pick than with a finger; the model counts from the nut.
POSITION = {"finger": (0.62, 0.85), "pick": (0.72, 0.92)}
WIDTH_S = {"finger": (0.0012, 0.0028), "pick": (0.0004, 0.0014)}
NOISE = {"finger": (0.02, 0.12), "pick": (0.1, 0.35)}
MUTE = (0.34, 0.46)
STROKES_HZ = (7.0, 12.0)


@dataclass(frozen=True)
class Pluck:
    """One force on the string.

    Parameters
    ----------
    time_s : float
    strength : float
        Peak, 1 for the loudest.
    width_s : float
        How long it lasts.
    noise : float
        Standard deviation of the noise in it, beside its peak.
    seed : int
        Of the noise.
    """

    time_s: float
    strength: float
    width_s: float
    noise: float
    seed: int


def plucked(voice: tuple[Note, ...], *, model: Model, rng: np.random.Generator) -> tuple[tuple[Note, ...], tuple[Pluck, ...]]:
    """The voice with ``pluck_position`` and ``damping``, and its plucks in order."""
    notes: list[Note] = []
    plucks: list[Pluck] = []
    drift = wandering(rng, depth=0.004)
    position = 0.0
    for note, after in zip(voice, (*voice[1:], None), strict=True):
        slurred = bool(notes) and note.articulation == "legato"
        if not slurred:
            position = rng.uniform(*POSITION[note.mode])
            plucks += _plucks(note, rng=rng)
        held = after is not None and after.articulation == "legato"
        times_s = grid(note, step_s=STEP_S, corners_s=(note.offset_s - LIFT_S,))
        edge = model.edge(float(note.envelopes[PITCH].values.max()))
        places = np.clip(position + drift(times_s), edge, 1 - edge)
        notes.append(
            with_curves(
                note,
                pluck_position=envelope(times_s, places),
                damping=envelope(times_s, _damping(note, times_s, held=held, rng=rng)),
            )
        )
    return tuple(notes), tuple(plucks)


def pluck_controls(
    model: Model, notes: tuple[Note, ...], plucks: tuple[Pluck, ...], times_s: Floats
) -> tuple[Floats, ...]:
    """Length, position, gain of each line and force for each sample; between notes the string is damped."""
    frequency_hz = hertz(sampled(notes, PITCH, times_s))
    loss_db_s = DAMPING_DB_S * sampled(notes, "damping", times_s, rest=1.0) ** 3
    return (
        model.length_m(frequency_hz),
        sampled(notes, "pluck_position", times_s),
        # A period passes both lines.
        np.exp(-np.log(10) / 40 * loss_db_s / frequency_hz),
        _force(plucks, times_s),
    )


def _plucks(note: Note, *, rng: np.random.Generator) -> list[Pluck]:
    """One, or in tremolo as many as there is time for."""
    strokes_hz = rng.uniform(*STROKES_HZ)
    count = max(1, int((note.duration_s - LIFT_S) * strokes_hz)) if note.articulation == "tremolo" else 1
    since_s = np.arange(count) / strokes_hz
    since_s[1:] += rng.normal(0, 0.004, count - 1)
    times_s = note.onset_s + since_s
    loudness = np.clip(note.envelopes["loudness"].at(times_s) + rng.normal(0, 0.04, count), 0, 1)
    return [_pluck(note, time_s, loud, rng=rng) for time_s, loud in zip(times_s, loudness, strict=True)]


def _pluck(note: Note, time_s: float, loudness: float, *, rng: np.random.Generator) -> Pluck:
    softest, loudest = WIDTH_S[note.mode][::-1]
    width_s = softest * (loudest / softest) ** loudness * rng.uniform(0.85, 1.15)
    return Pluck(
        time_s=float(time_s),
        strength=float(10 ** (LOUDNESS_DB * (loudness - 1) / 20)),
        width_s=float(width_s * (1.6 if note.articulation == "muted" else 1)),
        noise=float(rng.uniform(*NOISE[note.mode])),
        seed=int(rng.integers(1 << 32)),
    )


def _force(plucks: tuple[Pluck, ...], times_s: Floats) -> Floats:
    force = np.zeros(times_s.size)
    for pluck in plucks:
        frames = max(4, round(pluck.width_s * RATE_HZ))
        # The fraction of a sample at which it begins is kept: onsets lie on no grid.
        at = (pluck.time_s - times_s[0]) * RATE_HZ
        first = int(np.ceil(at))
        phase = (np.arange(frames) + first - at) / frames
        noise = np.random.default_rng(pluck.seed).normal(0, pluck.noise, frames)
        force[first : first + frames] += (
            pluck.strength * np.sin(np.pi * np.minimum(phase, 1)) * (1 + noise)
        )[: force.size - first]
    return force


def _damping(note: Note, times_s: Floats, *, held: bool, rng: np.random.Generator) -> Floats:
    """The hand's, and at the end of a note that is not held the finger's that leaves."""
    hand = rng.uniform(*MUTE) if note.articulation == "muted" else rng.uniform(0, 0.06)
    damping = np.full(times_s.size, hand)
    if not held:
        damping = np.maximum(damping, 1 - (note.offset_s - times_s) / min(LIFT_S, 0.3 * note.duration_s))
    return damping
