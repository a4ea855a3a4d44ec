"""What the hands do on a plucked string in a planned voice: where and how it is plucked, and damped.

Conventions
-----------
``pluck_position`` is a share of the string. ``damping`` d takes `DAMPING_DB_S` d^3 decibels a second from
the string, whatever its pitch, beside what it loses by itself. A pluck is a short force, half a sine that is
noisy, and shorter, so brighter, the harder it is played; no two are the same. A slurred note is not plucked:
the finger that changes its pitch gives it what force it has.
"""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts.performance import PITCH, Note
from ripieno.toolkit.measuring.refine import hertz
from ripieno.toolkit.playing.ability import SLURRED
from ripieno.toolkit.playing.gestures import BEND, LOUDNESS

from .curves import Floats, grid, sampled, strokes, wandering, with_curves
from .models import RATE_HZ, Model

DAMPING_DB_S = 1500.0
STEP_S = 0.05
LIFT_S = 0.02
"""In which the string is silenced at the end of a stroke."""
LOUDNESS_DB = 26.0
"""From the softest pluck to the loudest."""
# Nearer the bridge with a pick than with a finger; the model counts from the nut.
# An electric guitar is heard there too: nearer the end it hears the octave alone.
POSITION = {"finger": (0.6, 0.8), "pick": (0.66, 0.84)}
WIDTH_S = {"finger": (0.0012, 0.0028), "pick": (0.0004, 0.0014)}
"""Of the loudest and the softest force."""
LONGEST_FORCE = 0.7
"""Of a period: half a sine of one and a half has no power at the fundamental."""
NOISE_POINTS = 9
"""Values of the noise in a force, which has no corners sharper than that."""
NOISE = {"finger": (0.02, 0.12), "pick": (0.1, 0.35)}
RINGING, MUTED = (0.0, 0.06), (0.34, 0.46)
"""Damping by the hand."""
MUTED_WIDTH, HAMMER_WIDTH = 1.6, 1.5
HAMMER_DB = (-9.0, -4.0)
"""Force of the finger in a slur, beside a pluck's."""
STROKES_HZ = (7.0, 12.0)


@dataclass(frozen=True)
class Force:
    """One force on the string.

    Parameters
    ----------
    time_s : float
    peak : float
        1 for the loudest pluck.
    width_s : float
        How long it lasts.
    noise : float
        Standard deviation of the noise in it, as a share.
    seed : int
        Of the noise.
    """

    time_s: float
    peak: float
    width_s: float
    noise: float
    seed: int

    def add_to(self, force: Floats, *, start_s: float) -> None:
        """Add it to a force [frames] that begins at `start_s`."""
        # It begins between two samples: onsets lie on no grid.
        at = (self.time_s - start_s) * RATE_HZ
        first, frames = int(np.ceil(at)), max(4, round(self.width_s * RATE_HZ))
        phase = np.minimum(1, (first - at + np.arange(frames)) / frames)
        noise = np.random.default_rng(self.seed).normal(0, self.noise, NOISE_POINTS)
        shape = np.sin(np.pi * phase) * (1 + np.interp(phase, np.linspace(0, 1, NOISE_POINTS), noise))
        part = force[first : first + frames]
        part += self.peak * shape[: part.size]


@dataclass(frozen=True, eq=False)
class Plucked:
    """Notes on one string, and the forces on it."""

    notes: tuple[Note, ...]
    forces: tuple[Force, ...]

    def controls(self, model: Model, times_s: Floats) -> tuple[Floats, ...]:
        """What the model takes at each time; after the last note the string is damped."""
        frequency_hz = hertz(sampled(self.notes, PITCH, times_s))
        loss_db_s = DAMPING_DB_S * sampled(self.notes, "damping", times_s) ** 3
        force = np.zeros(times_s.size)
        for one in self.forces:
            one.add_to(force, start_s=float(times_s[0]))
        return (
            model.length_m(frequency_hz),
            sampled(self.notes, "pluck_position", times_s),
            # Both lines take it, once a period each.
            10 ** (-loss_db_s / frequency_hz / 40),
            force,
        )


def plucked(voice: tuple[Note, ...], *, model: Model, rng: np.random.Generator) -> tuple[Plucked, ...]:
    """The strokes of a voice, with ``pluck_position`` and ``damping`` in its notes."""
    return tuple(_stroke(notes, model=model, rng=rng) for notes in strokes(voice))


def _stroke(notes: tuple[Note, ...], *, model: Model, rng: np.random.Generator) -> Plucked:
    place, drift = rng.uniform(*POSITION[notes[0].mode]), wandering(rng, depth=0.004)
    end_s = notes[-1].offset_s
    lift_s = min(LIFT_S, 0.3 * notes[-1].duration_s)
    edge = model.edge(max(float(note.envelopes[PITCH].values.max()) for note in notes))
    played, forces = [], []
    for note in notes:
        times_s = grid(note, step_s=STEP_S, corners_s=(end_s - lift_s,))
        # Where nobody bends, that is known too.
        unbent = {} if BEND in note.envelopes else {BEND: np.zeros(times_s.size)}
        hand = rng.uniform(*(MUTED if note.articulation == "muted" else RINGING))
        played.append(
            with_curves(
                note,
                times_s,
                pluck_position=np.clip(place + drift(times_s), edge, 1 - edge),
                damping=np.maximum(hand, 1 - (end_s - times_s) / lift_s),
                **unbent,
            )
        )
        forces += _forces(note, rng=rng)
    return Plucked(tuple(played), tuple(forces))


def _forces(note: Note, *, rng: np.random.Generator) -> list[Force]:
    """One, or in tremolo as many as there is time for."""
    rate_hz = rng.uniform(*STROKES_HZ)
    count = max(1, int((note.duration_s - LIFT_S) * rate_hz)) if note.articulation == "tremolo" else 1
    times_s = note.onset_s + np.arange(count) / rate_hz
    times_s[1:] += rng.normal(0, 0.004, count - 1)
    loudness = np.clip(note.envelopes[LOUDNESS].at(times_s) + rng.normal(0, 0.04, count), 0, 1)
    return [_force(note, time_s, loud, rng=rng) for time_s, loud in zip(times_s, loudness, strict=True)]


def _force(note: Note, time_s: float, loudness: float, *, rng: np.random.Generator) -> Force:
    shortest, longest = WIDTH_S[note.mode]
    peak_db = LOUDNESS_DB * (loudness - 1)
    width = rng.uniform(0.85, 1.15)
    if note.articulation == SLURRED:
        peak_db, width = peak_db + rng.uniform(*HAMMER_DB), width * HAMMER_WIDTH
    if note.articulation == "muted":
        width *= MUTED_WIDTH
    width_s = width * longest * (shortest / longest) ** loudness
    period_s = 1 / float(hertz(note.envelopes[PITCH].values.max()))
    return Force(
        time_s=float(time_s),
        peak=float(10 ** (peak_db / 20)),
        width_s=float(min(width_s, LONGEST_FORCE * period_s)),
        noise=float(rng.uniform(*NOISE[note.mode])),
        seed=int(rng.integers(1 << 32)),
    )
