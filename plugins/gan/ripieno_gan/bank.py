"""The bank of a generator: codes of real pictures, far from each other, and what sound each answers to.

Conventions
-----------
Codes of random numbers draw camouflage; codes of real pictures draw pictures. So a film moves between these. The
families take turns in the bank: code i is of family i modulo their number.

References
----------
Gonzalez: Clustering to minimize the maximum intercluster distance. 1985 (the greedy choice).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .scores import Pictures, detail

SOUND = ("rms", "centroid_hz", "onset_strength", "flatness")
"""Features of sound, in the order of the columns of `answers`."""


def chosen(features: NDArray[np.floating], families: Sequence[str], count: int) -> list[int]:
    """Places of pictures that lie far from each other, the families by turns.

    Parameters
    ----------
    features : ndarray [pictures, features]
        Of the candidates.
    families : sequence of str
        Theirs.
    count : int
        How many; fewer where a family has too few.

    Returns
    -------
    list of int
        Different places; whole rounds of all families.
    """
    scaled = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    names = sorted(set(families))
    within = [np.flatnonzero(np.asarray(families) == name) for name in names]
    rounds = min(-(-count // len(names)), *(len(places) for places in within))
    chains = [_far_apart(scaled[places], rounds) for places in within]
    return [
        int(places[chain[at]]) for at in range(rounds) for places, chain in zip(within, chains, strict=True)
    ]


def _far_apart(rows: NDArray[np.floating], count: int) -> list[int]:
    """Greedy: the most typical row first, then always the one that is farthest from all before."""
    middle = int(np.linalg.norm(rows - rows.mean(axis=0), axis=1).argmin())
    found, nearest = [middle], np.linalg.norm(rows - rows[middle], axis=1)
    while len(found) < count:
        found.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(rows - rows[found[-1]], axis=1))
    return found


def answers(pictures: Pictures) -> NDArray[np.float32]:
    """What sound each picture answers to, rows of unit length over the features of `SOUND`.

    A bright picture of strong contrast answers to loudness, one of much detail to a high centroid, one of hard
    edges to onsets, one whose detail is fine rather than broad to noise. Each is measured against the others.
    """
    light = pictures[:, -1] if pictures.shape[1] == 2 else pictures.mean(axis=1)
    bands = [detail(picture[None]) for picture in pictures]
    fine, middle, broad = (
        np.array([band[name] for band in bands]) for name in ("detail_high", "detail_mid", "detail_low")
    )
    edges = np.quantile(np.abs(np.diff(light, axis=2)).reshape(len(light), -1), 0.98, axis=1)
    measured = np.stack(
        [
            _ranked(light.mean(axis=(1, 2))) + _ranked(light.std(axis=(1, 2))),
            _ranked(middle + fine),
            _ranked(edges),
            _ranked(fine / (broad + 1e-6)),
        ],
        axis=1,
    )
    lengths = np.maximum(np.linalg.norm(measured, axis=1, keepdims=True), 1e-6)
    return np.asarray(measured / lengths, np.float32)


def _ranked(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Their ranks, from -1 to 1."""
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return 2 * ranks / max(len(values) - 1, 1) - 1
