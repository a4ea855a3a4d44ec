"""Features of a recording as a film sees them: standardised, and at the times of its frames.

Conventions
-----------
Frame i of a film is shown from i / fps on. Levels are in decibels, centroids in octaves before they are
standardised, as they are heard. Mean and deviation are those of the sounding part of the recording; what
is silent has 0 everywhere. All is done in blocks of rows: a long recording takes no more memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Features, InputError

Array = NDArray[np.float64]
BLOCK_ROWS = 1 << 15
SILENT_DB, SOUNDING_DB = -70.0, -50.0
LOWEST_DB = -100.0
FARTHEST = 3.0
ALWAYS = ("rms", "onset_strength")
# A window touches an onset before its centre reaches it. With four hops a window, as is usual, the strongest
# rise of a click was measured 0.5 (in noise) to 1.0 rows (out of silence) before it.
EARLY_ROWS = 0.8


@dataclass(frozen=True, eq=False)
class Standard:
    """Mean and deviation of each of some features.

    Attributes
    ----------
    mean, deviation : ndarray [features]
        Of the sounding part; deviation is > 0.
    """

    mean: Array
    deviation: Array


@dataclass(frozen=True, eq=False)
class Sound:
    """Features of one recording at the frames of a film.

    Attributes
    ----------
    features : Features
        With at least the names `ALWAYS`.
    names : tuple of str
        Which of them are read, in order.
    fps : float
        Frames a second.
    standard : Standard
        Of these features.
    """

    features: Features
    names: tuple[str, ...]
    fps: float
    standard: Standard

    @classmethod
    def of(cls, features: Features, names: Sequence[str], *, fps: float, port: str = "features") -> "Sound":
        """The sound of some features.

        Raises
        ------
        InputError
            If one is lacking; the message says which, and what gives it.
        """
        wanted = tuple(dict.fromkeys((*ALWAYS, *names)))
        lacking = [name for name in wanted if name not in features.names]
        if lacking:
            raise InputError(
                f"{port} lack {', '.join(lacking)}: they are {', '.join(features.names) or 'empty'}. "
                "frontend/librosa gives all of them"
            )
        return cls(features, wanted, fps, standard_of(features, wanted))

    def at(self, first: int, last: int) -> Array:
        """The standardised features [frames, names] of frames `first` to before `last`, -3..3."""
        rows, share = self._places(first, last)
        start, stop = int(rows[0]), min(int(rows[-1]) + 2, len(self.features.values))
        heard = self._standardised(start, stop)
        before, after = rows - start, np.minimum(rows + 1, stop - 1) - start
        between: Array = heard[before] + share[:, None] * (heard[after] - heard[before])
        return between

    def column(self, name: str) -> int:
        """Place of a name in `at`."""
        return self.names.index(name)

    def loudness(self, at: Array, sounding: Array) -> Array:
        """Of frames, 0..1, half where it is that of the mean: of what `at` and `sounding` gave."""
        loud: Array = np.clip(0.5 + at[:, self.column("rms")] / 4, 0, 1) * sounding
        return loud

    def sounding(self, first: int, last: int) -> Array:
        """How far each frame is from silence: 0 below -70 dB of full scale, 1 above -50 dB."""
        rows, _ = self._places(first, last)
        level_db = 20 * np.log10(np.maximum(self.features["rms"][rows].astype(np.float64), 1e-9))
        return np.clip((level_db - SILENT_DB) / (SOUNDING_DB - SILENT_DB), 0, 1)

    def onsets(self, first: int, last: int) -> Array:
        """Onset strength 0..1: the strongest row of those nearest to each frame, so that none is left out."""
        edges_s = (np.arange(first, last + 1) - 0.5) / self.fps
        edges = (edges_s - self.features.start_s) * self.features.rate_hz - EARLY_ROWS
        rows = np.ceil(edges - 1e-6).astype(np.int64)
        rows = np.clip(rows, 0, len(self.features.values) - 1)
        # Where rows are rarer than frames, the row before goes on.
        begins = np.where(rows[1:] > rows[:-1], rows[:-1], np.maximum(rows[:-1] - 1, 0))
        ends = np.maximum(rows[1:], begins + 1)
        start = int(begins.min())
        heard = self._standardised(start, int(ends.max()))[:, self.column("onset_strength")]
        spans = np.column_stack([begins, ends]).ravel() - start
        strongest = np.maximum.reduceat(np.append(heard, 0), spans)[::2]
        return np.clip((strongest - 1) / 2, 0, 1)

    def _places(self, first: int, last: int) -> tuple[NDArray[np.int64], Array]:
        """The row before each frame, and how far the frame lies towards the next row."""
        times_s = np.arange(first, last) / self.fps
        place = (times_s - self.features.start_s) * self.features.rate_hz
        place = np.clip(place, 0, len(self.features.values) - 1)
        rows = place.astype(np.int64)
        return rows, place - rows

    def _standardised(self, start: int, stop: int) -> Array:
        heard, sounding = _heard(self.features, self.names, start, stop)
        away = (heard - self.standard.mean) / self.standard.deviation
        return np.clip(away, -FARTHEST, FARTHEST) * sounding[:, None]


def standard_of(features: Features, names: Sequence[str]) -> Standard:
    """Mean and deviation of some features, in two passes over blocks.

    A feature that hardly changes keeps a deviation that is not much smaller than its mean, so that noise
    in its last digits does not become motion.
    """
    total, weight = np.zeros(len(names)), 0.0
    for heard, sounding in _blocks(features, names):
        total += (heard * sounding[:, None]).sum(axis=0)
        weight += float(sounding.sum())
    mean = total / max(weight, 1.0)
    squares = np.zeros(len(names))
    for heard, sounding in _blocks(features, names):
        squares += (np.square(heard - mean) * sounding[:, None]).sum(axis=0)
    deviation = np.sqrt(squares / max(weight, 1.0))
    return Standard(mean, np.maximum(deviation, 1e-3 * np.abs(mean) + 1e-4))


def _blocks(features: Features, names: Sequence[str]) -> Iterator[tuple[Array, Array]]:
    for start in range(0, len(features.values), BLOCK_ROWS):
        yield _heard(features, names, start, min(start + BLOCK_ROWS, len(features.values)))


def _heard(features: Features, names: Sequence[str], start: int, stop: int) -> tuple[Array, Array]:
    """Rows as they are heard [rows, names], and how far each is from silence [rows]."""
    columns = [features.names.index(name) for name in names]
    heard = features.values[start:stop, columns].astype(np.float64)
    rms = features.values[start:stop, features.names.index("rms")].astype(np.float64)
    level_db = np.maximum(20 * np.log10(np.maximum(rms, 1e-9)), LOWEST_DB)
    for place, name in enumerate(names):
        if name == "rms":
            heard[:, place] = level_db
        elif name.endswith("_hz"):
            heard[:, place] = np.log2(1 + np.maximum(heard[:, place], 0) / 100)
        elif name == "onset_strength":
            heard[:, place] = np.log1p(np.maximum(heard[:, place], 0))
    return heard, np.clip((level_db - SILENT_DB) / (SOUNDING_DB - SILENT_DB), 0, 1)
