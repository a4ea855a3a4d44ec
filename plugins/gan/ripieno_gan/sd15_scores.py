"""How good a generated picture is, as far as numbers tell, and which are not worth learning from.

Conventions
-----------
A picture is uint8 [height, width, 3], RGB. A measure is larger for a picture that holds more; none of them knows
taste. Pictures are compared with their own family alone, by rank, so that calm families are not culled for noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK_CONTRAST = 0.02
"""Below it there is nothing to see: a safety checker gives black."""
ALIKE_BITS = 9
"""So many of the 192 bits of a fingerprint differ at most where pictures look alike."""
_SIDE = 128
_WEIGHTS = {"contrast": 1.0, "colour": 1.0, "detail": 0.5, "variety": 1.0}


@dataclass(frozen=True)
class Judged:
    """A picture's place in its family: score 0 to 1, and why it is culled, empty where it is kept."""

    score: float
    culled: str = ""


def measured(picture: NDArray[np.uint8]) -> dict[str, float | str]:
    """Measures of a picture, and a fingerprint that pictures which look alike nearly share.

    Returns
    -------
    dict
        contrast: standard deviation of the luma, 0 to 0.5. colour: Hasler and Süsstrunk's colourfulness, of
        values 0 to 1. detail: mean slope of the luma. variety: entropy of its histogram, in bits.
        fingerprint: 192 bits as hexadecimal digits, where red, green and blue grow stronger to the right.

    References
    ----------
    Hasler, Süsstrunk: Measuring colourfulness in natural images. SPIE 2003.
    """
    import cv2

    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    across, along = red - green, (red + green) / 2 - blue
    colour = np.hypot(across.std(), along.std()) + 0.3 * np.hypot(across.mean(), along.mean())
    counts = np.histogram(luma, bins=32, range=(0, 1))[0]
    shares = counts[counts > 0] / counts.sum()
    slopes = np.hypot(*np.gradient(luma))
    coarse = cv2.resize(small, (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits(coarse[:, 1:] > coarse[:, :-1]).tobytes().hex()
    return {
        "contrast": round(float(luma.std()), 6),
        "colour": round(float(colour), 6),
        "detail": round(float(slopes.mean()), 6),
        "variety": round(float(-(shares * np.log2(shares)).sum()), 6),
        "fingerprint": bits,
    }


def judged(
    measures: Sequence[Mapping[str, float | str]], *, keep: float, has_colour: bool = True
) -> list[Judged]:
    """Judge the pictures of one family.

    Parameters
    ----------
    measures : sequence of mapping
        Of `measured`.
    keep : float
        Share that stays, 0 to 1, and one picture at least; blank and doubled ones go in any case, and count among
        those that go.
    has_colour : bool
        Whether colour counts.

    Returns
    -------
    list of Judged
        In the order of the pictures.
    """
    weights = {name: weight for name, weight in _WEIGHTS.items() if has_colour or name != "colour"}
    ranks = {name: _ranks([float(one[name]) for one in measures]) for name in weights}
    scores = np.sum([weight * ranks[name] for name, weight in weights.items()], axis=0) / sum(
        weights.values()
    )
    order = np.argsort(-scores, kind="stable")
    left = max(1, round(keep * len(measures)))
    verdicts: dict[int, str] = {}
    seen: list[int] = []
    for index in order.tolist():
        fingerprint = int(str(measures[index]["fingerprint"]), 16)
        if float(measures[index]["contrast"]) < BLANK_CONTRAST:
            verdicts[index] = "blank"
        elif any((fingerprint ^ other).bit_count() <= ALIKE_BITS for other in seen):
            verdicts[index] = "like a better one"
        elif len(seen) >= left:
            verdicts[index] = "among the worst"
        else:
            verdicts[index] = ""
            seen.append(fingerprint)
    return [Judged(round(float(scores[index]), 6), verdicts[index]) for index in range(len(measures))]


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Places 0 to 1, the smallest value first; equal values share the middle of theirs."""
    inorder = np.sort(values)
    before, upto = (np.searchsorted(inorder, values, side=side) for side in ("left", "right"))
    return (before + upto - 1) / 2 / max(1, len(values) - 1)
