"""What harmony and bass say of where a bar begins.

Conventions
-----------
Chords change, and the bass sounds, on the first beat of a bar more often than on the others. Both are
known a little after the beat: the evidence of a frame is given `delay` frames later.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

from .bar_space import Floats
from .observation import RunningStandard, accent_log_likelihood

CUE_NAMES = (*(f"chroma_{pitch_class}" for pitch_class in range(12)), "bass_db")

BEFORE_S = (-0.26, -0.04)
AFTER_S = (0.06, 0.16)
QUIETEST_DB = -80.0


@dataclass(frozen=True)
class CueWeights:
    """How far a cue stands out on downbeats, in standard deviations over all beats.

    Parameters
    ----------
    harmony, bass : float
        >= 0.
    """

    harmony: float
    bass: float


class CueEvidence:
    """Log-likelihood of each bar row, frame by frame, from rows of cues.

    Harmonic change is the correlation distance of the mean chroma before a frame and after it; the bass is
    its mean level after it. Both are standardised by what they were on the beats so far.

    Parameters
    ----------
    rate_hz : float
        Rows a second.
    names : sequence of str
        Of the columns; all of `CUE_NAMES` must be among them.
    accents : ndarray [bar rows]
        `BarSpace.accents`.
    weights : CueWeights
    memory : float
        Beats over which a cue is standardised, > 0.

    Raises
    ------
    InputError
        If a cue is missing.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        names: tuple[str, ...],
        accents: Floats,
        weights: CueWeights,
        memory: float,
    ) -> None:
        missing = [name for name in CUE_NAMES if name not in names]
        if missing:
            raise InputError(f"the cues lack {', '.join(missing)}: ripieno.toolkit.cues makes them")
        self._columns = np.array([names.index(name) for name in CUE_NAMES])
        self._harmony_accents, self._bass_accents = weights.harmony * accents, weights.bass * accents
        self.delay = max(1, round(AFTER_S[1] * rate_hz))
        reach = self.delay + round(-BEFORE_S[0] * rate_hz) + 1
        at_s = (np.arange(reach) - reach + 1 + self.delay) / rate_hz
        self._spans = np.stack([_mean_over(at_s, span_s) for span_s in (BEFORE_S, AFTER_S)])
        self._harmony = RunningStandard(deviation=0.2, memory=memory)
        self._bass = RunningStandard(deviation=3.0, memory=memory)
        self._recent = np.zeros((reach, len(CUE_NAMES)))
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._harmony.reset()
        self._bass.reset()
        self._recent[:] = 0
        self._recent[:, -1] = QUIETEST_DB
        self._change, self._level = 0.0, QUIETEST_DB

    def hear(self, row: NDArray[np.float32]) -> Floats:
        """Take the next row [columns]; log-likelihood of each bar row for a beat `delay` frames ago."""
        self._recent[:-1] = self._recent[1:]
        self._recent[-1] = row[self._columns]
        before, after = self._spans @ self._recent
        self._change = correlation_distance(before[:12], after[:12])
        self._level = max(float(after[12]), QUIETEST_DB)
        harmony = accent_log_likelihood(self._harmony.score(self._change), self._harmony_accents)
        bass = accent_log_likelihood(self._bass.score(self._level), self._bass_accents)
        return harmony + bass

    def learn(self, beat: float) -> None:
        """Take the cues heard last as those of a beat, with its probability `delay` frames ago."""
        self._harmony.learn(self._change, beat)
        self._bass.learn(self._level, beat)


def correlation_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """1 minus the correlation of two vectors, 0 to 2; 0 where one of them is constant."""
    first, second = first - first.sum() / len(first), second - second.sum() / len(second)
    lengths = sqrt(float(first @ first) * float(second @ second))
    return 1 - float(first @ second) / lengths if lengths > 1e-12 else 0.0


def _mean_over(at_s: NDArray[np.float64], span_s: tuple[float, float]) -> NDArray[np.float64]:
    inside = (at_s >= span_s[0] - 1e-9) & (at_s <= span_s[1] + 1e-9)
    weights: NDArray[np.float64] = inside / max(1, inside.sum())
    return weights
