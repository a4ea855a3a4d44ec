"""How well found beats agree with a reference.

Conventions
-----------
Agreement lies in [0, 1], 1 = the same, and is mir_eval's. Beats before `trim_s` are left out on both
sides, as is usual for beat trackers: a listener needs some seconds too. Where a side has too few beats
for it, agreement is 0; other figures are left out.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Beats, InputError, Metric, PluginConfig, Scores

# Long enough that beats rounded to frames do not count as a change of tempo.
TEMPO_SPAN_BEATS = 4

Times = NDArray[np.float64]


class BeatScoresConfig(PluginConfig):
    """Settings of `BeatScores`."""

    trim_s: float = Field(
        5.0, ge=0, description="Beats before this time are left out.", json_schema_extra={"unit": "s"}
    )
    window_s: float = Field(
        0.07,
        gt=0,
        description="How far beats may lie apart and still match, for the F-measures and the offset.",
        json_schema_extra={"unit": "s"},
    )


class BeatScores(Metric[BeatScoresConfig]):
    """Agreement of beats and downbeats with a reference, their tempo, and how late they are.

    References
    ----------
    Davies, Degara, Plumbley: Evaluation methods for musical audio beat tracking algorithms. Technical
    report C4DM-TR-09-06, Queen Mary University of London, 2009.
    Raffel et al.: mir_eval: a transparent implementation of common MIR metrics. ISMIR 2014.
    """

    def measure(self, beats: Beats, reference: Beats) -> Scores:
        """Figures of `beats` beside `reference`.

        Parameters
        ----------
        beats : Beats
            As they were found.
        reference : Beats
            As they should be.

        Returns
        -------
        Scores
            Agreement: ``f_measure``, ``cmlc``, ``cmlt`` (correct metrical level, continuous and total),
            ``amlc``, ``amlt`` (any allowed level), ``cemgil``, ``information_gain``, and
            ``downbeat_f_measure`` where the reference knows downbeats and the beats have positions. Further
            ``offset_ms``, the mean distance of beats from those that they match, > 0 = after them; and two
            medians: ``tempo_error_percent``, and ``latency_ms``, how long after its time a beat was known,
            where any was known later.

        Raises
        ------
        InputError
            If times run beyond what mir_eval takes (30 000 s).
        """
        heard = beats.times_s >= self.config.trim_s
        found, truth = beats.times_s[heard], self._kept(reference.times_s)
        downbeats, true_downbeats = self._kept(beats.downbeats_s), self._kept(reference.downbeats_s)
        window_s = self.config.window_s
        values = agreement(found, truth, window_s=window_s)
        if len(true_downbeats) and _tell_bars(beats):
            values["downbeat_f_measure"] = f_measure(downbeats, true_downbeats, window_s=window_s)
        values |= offset(found, truth, window_s=window_s) | tempo_error(found, truth)
        late_s = beats.known_s[heard] - found
        if late_s.any():
            values["latency_ms"] = 1000 * float(np.median(late_s))
        counts = f"{len(truth)} beats and {len(true_downbeats)} downbeats"
        return Scores(values, f"{counts} of the reference from {self.config.trim_s:g} s on")

    def _kept(self, times_s: Times) -> Times:
        return times_s[times_s >= self.config.trim_s]


def _tell_bars(beats: Beats) -> bool:
    """Whether bars were looked for; where no beat was found that is not known."""
    return bool(beats.positions.any() or not len(beats.times_s))


def agreement(found: Times, truth: Times, *, window_s: float) -> dict[str, float]:
    """mir_eval's figures of beat times [beats] beside true ones.

    Raises
    ------
    InputError
        If mir_eval does not take the times.
    """
    from mir_eval import beat

    # A side without beats is worth a warning to mir_eval; here the figures and the counts say it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cmlc, cmlt, amlc, amlt = beat.continuity(truth, found)
        except ValueError as cause:
            raise InputError(f"mir_eval does not take these beats: {cause}") from cause
        return {
            "f_measure": f_measure(found, truth, window_s=window_s),
            "cmlc": cmlc,
            "cmlt": cmlt,
            "amlc": amlc,
            "amlt": amlt,
            "cemgil": beat.cemgil(truth, found)[0],
            "information_gain": beat.information_gain(truth, found),
        }


def f_measure(found: Times, truth: Times, *, window_s: float) -> float:
    """Harmonic mean of precision and recall; each time matches one of the other side at most."""
    matches = len(matched(found, truth, window_s=window_s)[0])
    return 2 * matches / max(1, len(found) + len(truth))


def offset(found: Times, truth: Times, *, window_s: float) -> dict[str, float]:
    """``offset_ms``: how far beats lie after those that they match, on average; empty where none does."""
    ours, theirs = matched(found, truth, window_s=window_s)
    return {"offset_ms": 1000 * float(np.mean(ours - theirs))} if len(ours) else {}


def matched(found: Times, truth: Times, *, window_s: float) -> tuple[Times, Times]:
    """The times of both sides that match within the window, as many as can."""
    if not (len(found) and len(truth)):
        return found[:0], truth[:0]
    from mir_eval.util import match_events

    pairs = np.array(match_events(truth, found, window_s), int).reshape(-1, 2)
    return found[pairs[:, 1]], truth[pairs[:, 0]]


def tempo_error(found: Times, truth: Times) -> dict[str, float]:
    """``tempo_error_percent``: of the beats found in each span of four true beats, how many are not four.

    The median of all spans that lie within the beats found, counted between beats by interpolation;
    empty where there is none.
    """
    if len(found) < 2:
        return {}
    inside = truth[(truth >= found[0]) & (truth <= found[-1])]
    counted = np.interp(inside, found, np.arange(len(found)))
    ratios = (counted[TEMPO_SPAN_BEATS:] - counted[:-TEMPO_SPAN_BEATS]) / TEMPO_SPAN_BEATS
    return {"tempo_error_percent": 100 * float(np.median(np.abs(ratios - 1)))} if len(ratios) else {}
