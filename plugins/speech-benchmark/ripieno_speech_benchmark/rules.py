"""Two rules about scores: what may become the default, and what is a fall in quality."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ripieno.contracts import ConfigError

from .scores import Score, clean, mean, of_pipeline, under_music

GAIN_DB = 1.0
STOI_LOSS = 0.01
CLEAN_DB = 20.0


@dataclass(frozen=True)
class Finding:
    """What one condition of a rule says.

    Parameters
    ----------
    ok : bool
        Whether it is met.
    says : str
        Figure, value and bound, in one line.
    """

    ok: bool
    says: str


@dataclass(frozen=True)
class Bound:
    """How far the mean of a figure may move before it is a fall.

    Parameters
    ----------
    figure : str
    tolerance : float
        In the figure's unit: above what another processor changes, below what anybody should give away.
    better : {1, -1, 0}
        Whether higher or lower is better; 0 where it must stay what it is.
    """

    figure: str
    tolerance: float
    better: int


BOUNDS = (
    Bound("si_sdr_db", 0.1, 1),
    Bound("stoi", 0.003, 1),
    Bound("residual_music_db", 0.3, -1),
    Bound("loudness_lufs", 0.1, 0),
    Bound("wer", 0.02, -1),
)


def promotion(current: Sequence[Score], candidate: Sequence[Score]) -> tuple[Finding, ...]:
    """Whether the candidate may become the default instead of the current one: if every condition is met.

    On the same mixtures its mean SI-SDR is at least 1 dB higher, its mean STOI is not lower by 0.01 or more,
    and of clean speech each clip comes out with an SI-SDR of at least 20 dB.

    Raises
    ------
    ConfigError
        If the mixtures differ, or none is clean.
    """
    _require_same_mixtures(current, candidate, "the candidate")
    pair = under_music(current), under_music(candidate)
    before_db, after_db = (mean(scores, "si_sdr_db") for scores in pair)
    before, after = (mean(scores, "stoi") for scores in pair)
    unmixed = clean(candidate)
    if not unmixed:
        raise ConfigError("the scores have no speech without music. Set clean in the set, and run again")
    worst = min(unmixed, key=lambda score: score.values.get("si_sdr_db", -math.inf))
    worst_db = worst.values.get("si_sdr_db", -math.inf)
    return (
        Finding(
            # Rounded as it is printed: 0.99999 dB is 1 dB, whatever the sums did.
            round(after_db - before_db, 2) >= GAIN_DB,
            f"SI-SDR {before_db:.2f} -> {after_db:.2f} dB: {after_db - before_db:+.2f}, wanted +{GAIN_DB:g}",
        ),
        Finding(
            round(before - after, 4) < STOI_LOSS,
            f"STOI {before:.4f} -> {after:.4f}: {after - before:+.4f}, wanted above -{STOI_LOSS:g}",
        ),
        Finding(
            round(worst_db, 2) >= CLEAN_DB,
            f"clean speech {worst_db:.2f} dB at worst ({worst.mixture}), wanted {CLEAN_DB:g}",
        ),
    )


def falls(baseline: Sequence[Score], found: Sequence[Score]) -> list[str]:
    """A line for each figure of each pipeline that is worse than the baseline by more than its tolerance.

    Means over mixtures with music and over clean speech are compared apart. A figure that the baseline has
    and that was not measured now is a fall too, but for the word error rate, which needs weights.

    Raises
    ------
    ConfigError
        If the baseline lacks a pipeline, or has other mixtures.
    """
    lines = []
    for pipeline in dict.fromkeys(score.pipeline for score in found):
        before, now = of_pipeline(baseline, pipeline), of_pipeline(found, pipeline)
        if not before:
            raise ConfigError(f"the baseline has no scores of {pipeline}. Write it anew: --write")
        _require_same_mixtures(before, now, pipeline)
        for part, name in ((under_music, "under music"), (clean, "clean")):
            for bound in BOUNDS:
                was, is_now = mean(part(before), bound.figure), mean(part(now), bound.figure)
                if _fell(was, is_now, bound):
                    lines.append(
                        f"{pipeline}, {name}: {bound.figure} {was:.4g} -> {is_now:.4g}, "
                        f"tolerance {bound.tolerance:g}"
                    )
    return lines


def _fell(was: float, is_now: float, bound: Bound) -> bool:
    if math.isnan(was) or was == is_now:
        return False
    if math.isnan(is_now):
        return bound.figure != "wer"
    worse = abs(is_now - was) if bound.better == 0 else bound.better * (was - is_now)
    return round(worse, 6) > bound.tolerance


def _require_same_mixtures(one: Sequence[Score], other: Sequence[Score], of: str) -> None:
    names = [{score.mixture for score in scores} for scores in (one, other)]
    differing = sorted(names[0] ^ names[1])
    if differing:
        raise ConfigError(
            f"{of} was measured on other mixtures: {differing[0]} and {len(differing) - 1} more are in one set "
            "only. Run both on the same set"
        )
