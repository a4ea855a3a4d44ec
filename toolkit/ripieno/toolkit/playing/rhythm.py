"""Rhythm: how long notes are, and how a person is never quite in time.

References
----------
Repp: Diversity and commonality in music performance: an analysis of timing microstructure in Schumann's
"Träumerei". J. Acoust. Soc. Am. 92(5), 1992: phrases begin slowly, flow, and slow down at their end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The shortest note that is planned.
SHORTEST_S = 0.08
LONGEST_S = 2.4
# Standard deviation of an onset, of skilled players about a hundredth of a second.
JITTER_S = 0.006

CELLS = (
    (1.0,),
    (0.5,),
    (0.5, 0.5, 1.0),
    (1.5, 0.5),
    (0.25,),
    (1 / 3,),
    (2.0, 1.0),
    (0.75, 0.25),
    (3.0, 1.0),
    (2.0, 4.0),
)
CELL_WEIGHTS = np.array([4, 5.5, 4, 2, 1.4, 1.3, 2.2, 1.5, 0.8, 0.5])


@dataclass(frozen=True)
class Hold:
    """How an articulation fills the time from one onset to the next.

    Parameters
    ----------
    least_s : float
        Shortest time from onset to onset.
    share : tuple of float
        Least and greatest share of it that sounds.
    longest_s : float
        However slow the music is.
    """

    least_s: float
    share: tuple[float, float]
    longest_s: float = LONGEST_S


HOLDS: Mapping[str, Hold] = {
    "sustained": Hold(0.11, (0.86, 0.97)),
    "legato": Hold(0.11, (0.9, 0.99)),
    "staccato": Hold(0.16, (0.35, 0.6), 0.22),
    "tremolo": Hold(0.5, (0.88, 0.97)),
    "plucked": Hold(0.11, (0.75, 0.98)),
    "struck": Hold(0.11, (0.6, 0.98)),
    "muted": Hold(0.14, (0.5, 0.85), 0.6),
    "harmonic": Hold(0.3, (0.8, 0.97)),
}


def draw_beat_s(rng: np.random.Generator) -> float:
    """A beat of 56 to 150 beats a minute."""
    return float(60 / np.exp(rng.uniform(np.log(56), np.log(150))))


def draw_steps_s(rng: np.random.Generator, *, beat_s: float, count: int, least_s: float) -> Floats:
    """Times from onset to onset of a phrase, in strict tempo: one or two rhythmic cells, repeated."""
    cells = rng.choice(len(CELLS), size=rng.integers(1, 3), p=CELL_WEIGHTS / CELL_WEIGHTS.sum())
    beats = np.resize(np.concatenate([CELLS[cell] for cell in cells]), count)
    if rng.random() < 0.35:
        beats[-1] = max(beats[-1], rng.choice([1.5, 2.0, 3.0]))
    steps_s = beats * beat_s
    while steps_s.min() < least_s:
        steps_s = np.where(steps_s < least_s, 2 * steps_s, steps_s)
    return np.minimum(steps_s, LONGEST_S)


def humanised(rng: np.random.Generator, steps_s: Floats, *, least_s: float) -> Floats:
    """The steps as a person plays them: rubato over the phrase, a slower end, and jitter."""
    place = np.linspace(0, 1, steps_s.size)
    rubato = 1 - rng.uniform(0, 0.1) * np.sin(np.pi * place)
    slowing = 1 + rng.uniform(0, 0.2) * np.clip(place * 4 - 3, 0, 1) ** 2
    jitter_s = np.clip(rng.normal(0, JITTER_S, steps_s.size + 1), -2.5 * JITTER_S, 2.5 * JITTER_S)
    return np.maximum(steps_s * rubato * slowing + np.diff(jitter_s), least_s)


def draw_rest_s(rng: np.random.Generator) -> float:
    """Silence after a phrase: mostly a rest that is heard, else a breath."""
    return float(rng.uniform(0.2, 0.9) if rng.random() < 0.8 else rng.uniform(0.05, 0.12))
