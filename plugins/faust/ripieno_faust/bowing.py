"""What a bow does in a planned voice: its velocity, pressure and place on the string, note by note.

Conventions
-----------
All are the model's own, 0 to 1. Loudness is velocity for the most part: the amplitude of a bowed string is
proportional to it. Pressure follows, as a player's does. The direction of the bow is not told: a change of
bow is a velocity that falls to 0 and rises again.

References
----------
Schelleng: The bowed string and the player. J. Acoust. Soc. Am. 53(1), 1973: amplitude is proportional to
velocity, which bears, and wants, more pressure.
Askenfelt: Measurement of the bowing parameters in violin playing II. J. Acoust. Soc. Am. 86(2), 1989.
"""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts.performance import PITCH, Note
from ripieno.toolkit.measuring.refine import hertz
from ripieno.toolkit.playing.gestures import LOUDNESS

from .curves import Curve, Floats, grid, sampled, strokes, wandering, with_curves
from .models import Model

VELOCITY = (0.03, 0.42)
"""Of the softest and the loudest note."""
PRESSURE = (0.18, 0.85)
# In which the model sounds its fundamental whatever velocity and pressure are.
POSITION = (0.56, 0.64)
ATTACK_S = {"sustained": (0.015, 0.05), "staccato": (0.005, 0.012), "tremolo": (0.008, 0.02)}
RELEASE_S = {"sustained": (0.03, 0.07), "staccato": (0.012, 0.025), "tremolo": (0.02, 0.04)}
LONGEST_RAMP = 0.3
"""Of a note, the share that attack or release takes at most."""
STEP_S, TREMOLO_STEP_S = 0.02, 0.005
STROKES_HZ = (7.0, 12.0)
DIP = 0.85
"""Share of its velocity that a tremolo loses at each change of bow."""


@dataclass(frozen=True, eq=False)
class Bow:
    """How the bow is led in one stroke.

    Parameters
    ----------
    start_s, end_s : float
    attack_s, release_s : float
        In which the velocity rises from 0, and falls to it.
    pressure, position : float
        About which they move.
    changes_hz : float
        Of direction, in tremolo.
    waver, press, drift : callable
        What velocity, as a share, pressure and position do beside.
    """

    start_s: float
    end_s: float
    attack_s: float
    release_s: float
    pressure: float
    position: float
    changes_hz: float
    waver: Curve
    press: Curve
    drift: Curve

    @classmethod
    def drawn(cls, notes: tuple[Note, ...], *, rng: np.random.Generator) -> "Bow":
        """A bow for these notes; the first has its attack, the last its release."""
        first, last = notes[0], notes[-1]
        # A voice may begin with a slurred note: it is set on the string as a long one is.
        attacks, releases = (
            times_s.get(first.articulation, times_s["sustained"]) for times_s in (ATTACK_S, RELEASE_S)
        )
        return cls(
            start_s=first.onset_s,
            end_s=last.offset_s,
            attack_s=min(rng.uniform(*attacks), LONGEST_RAMP * first.duration_s),
            release_s=min(rng.uniform(*releases), LONGEST_RAMP * last.duration_s),
            pressure=rng.uniform(0.2, 0.4),
            position=rng.uniform(*POSITION),
            changes_hz=rng.uniform(*STROKES_HZ),
            waver=wandering(rng, depth=0.04),
            press=wandering(rng, depth=0.025),
            drift=wandering(rng, depth=0.006),
        )

    def play(self, note: Note) -> Note:
        """A note of the stroke with its channels."""
        corners_s = (self.start_s + self.attack_s, self.end_s - self.release_s)
        step_s = TREMOLO_STEP_S if note.articulation == "tremolo" else STEP_S
        times_s = grid(note, step_s=step_s, corners_s=corners_s)
        loudness = note.envelopes[LOUDNESS].at(times_s)
        softest, loudest = VELOCITY
        velocity = softest * (loudest / softest) ** loudness * (1 + self.waver(times_s))
        pressure = self.pressure + 0.4 * loudness + self.press(times_s)
        if note.articulation == "staccato":
            since_s = times_s - self.start_s
            velocity *= 0.5 + 0.5 * np.exp(-since_s / 0.08)
            pressure += 0.15 * np.exp(-since_s / 0.03)
        if note.articulation == "tremolo":
            velocity *= self._changes(times_s)
        return with_curves(
            note,
            times_s,
            bow_velocity=velocity * self._ramps(times_s),
            bow_pressure=np.clip(pressure, *PRESSURE),
            bow_position=np.clip(self.position + self.drift(times_s), *POSITION),
        )

    def _ramps(self, times_s: Floats) -> Floats:
        rise, fall = (times_s - self.start_s) / self.attack_s, (self.end_s - times_s) / self.release_s
        return np.clip(np.minimum(rise, fall), 0, 1)

    def _changes(self, times_s: Floats) -> Floats:
        turn = np.abs(np.cos(np.pi * self.changes_hz * (times_s - self.start_s)))
        return 1 - DIP * (1 - np.minimum(1, 2.5 * turn))


@dataclass(frozen=True, eq=False)
class Bowed:
    """Notes on one bow."""

    notes: tuple[Note, ...]

    def controls(self, model: Model, times_s: Floats) -> tuple[Floats, ...]:
        """What the model takes at each time; after the last note the bow rests on the string."""
        return (
            model.length_m(hertz(sampled(self.notes, PITCH, times_s))),
            sampled(self.notes, "bow_pressure", times_s),
            sampled(self.notes, "bow_velocity", times_s),
            sampled(self.notes, "bow_position", times_s),
        )


def bowed(voice: tuple[Note, ...], *, rng: np.random.Generator) -> tuple[Bowed, ...]:
    """The strokes of a voice, with ``bow_velocity``, ``bow_pressure`` and ``bow_position`` in its notes."""
    played = []
    for notes in strokes(voice):
        bow = Bow.drawn(notes, rng=rng)
        played.append(Bowed(tuple(map(bow.play, notes))))
    return tuple(played)
