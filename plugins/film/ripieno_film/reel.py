"""What is known of a film before its first frame: all that a segment's worker needs, as plain values.

Conventions
-----------
Frame i is shown from i / rate on. Where frames are averages of `supersample` pictures, pictures are counted
too: picture p lies at p / (rate * supersample). Everything is counted in whole frames and pictures, never in
seconds, so that a segment draws the same wherever the film is cut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Trajectory, atomic_path

LONGEST_GAP_S = 1.0


@dataclass(frozen=True)
class Reel:
    """A film that is to be drawn.

    Parameters
    ----------
    rows : str
        File of the trajectory's rows.
    names : tuple of str
        Of their columns.
    row_rate : float
        Rows a second.
    look : mapping
        Of the trajectory.
    frames : int
        Of the film, > 0.
    rate : (int, int)
        Frames a second as a fraction.
    size : (int, int)
        Width and height, both even.
    generator : str
        File of the generator.
    gpu : bool
        Whether it may run on one.
    effects : sequence of mapping
        As `ripieno.toolkit.portable` has them.
    supersample : int
        Pictures a frame.
    field_every : int
        Pictures from one field of the generator to the next.
    segment_frames : int
        Frames of a segment; the last one may have more or fewer.
    """

    rows: str
    names: tuple[str, ...]
    row_rate: float
    look: Mapping[str, Any]
    frames: int
    rate: tuple[int, int]
    size: tuple[int, int]
    generator: str
    gpu: bool
    effects: Sequence[Mapping[str, Any]]
    supersample: int
    field_every: int
    segment_frames: int

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return Fraction(*self.rate)

    @property
    def segments(self) -> int:
        """How many there are: the last one is half to one and a half times as long as the others."""
        return max(1, floor(self.frames / self.segment_frames + 0.5))

    def span(self, segment: int) -> tuple[int, int]:
        """First frame of a segment, and the one after its last."""
        start = segment * self.segment_frames
        return start, self.frames if segment == self.segments - 1 else start + self.segment_frames

    def pictures(self, start: int, stop: int) -> range:
        """Those of the frames from number `start` to before `stop`."""
        return range(start * self.supersample, stop * self.supersample)

    def rows_at(self, pictures: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows [pictures, columns] of the trajectory at these pictures; its last row holds to the end."""
        rows = _rows(self.rows)
        per_picture = self.row_rate / float(self.fps * self.supersample)
        place = np.minimum(pictures * per_picture, len(rows) - 1)
        low = np.floor(place + 1e-9).astype(np.int64)
        share = np.clip(place - low, 0, 1)[:, None]
        high = np.minimum(low + 1, len(rows) - 1)
        between: NDArray[np.float32] = ((1 - share) * rows[low] + share * rows[high]).astype(np.float32)
        return between

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Reel":
        """The inverse of `to_json`."""
        tuples = {name: tuple(document[name]) for name in ("names", "rate", "size")}
        return cls(**{**document, **tuples})


def exact_rate(fps: float) -> tuple[int, int]:
    """A frame rate as a fraction: 29.97 is 2997/100, 30000/1001 is found where it is meant."""
    rate = Fraction(fps).limit_denominator(1001)
    return rate.numerator, rate.denominator


def frame_count(samples: int, rate_hz: int, *, rate: tuple[int, int]) -> int:
    """ceil(duration * fps), one at least."""
    return max(1, ceil(Fraction(samples, rate_hz) * Fraction(*rate)))


def pictures_between_fields(*, fps: float, fields_fps: float) -> int:
    """Pictures from one field of the generator to the next, >= 1."""
    return max(1, floor(fps / fields_fps + 1e-9))


def save_rows(trajectory: Trajectory, path: Path) -> None:
    """Write the rows for the workers, so that a frame can be read without the others."""
    with atomic_path(path) as part:
        np.save(part, trajectory.rows)


def check_fit(trajectory: Trajectory, *, duration_s: float) -> None:
    """Refuse a trajectory of other music.

    Raises
    ------
    InputError
        If it has no rows, or is more than a second longer or shorter than the sound.
    """
    rows, fps = len(trajectory.rows), trajectory.fps
    if not rows:
        raise InputError("the trajectory has no rows: the sound that it was made of is empty")
    if not trajectory.names:
        raise InputError("the trajectory's columns have no names: controller/latent gives them")
    if abs(rows / fps - duration_s) > LONGEST_GAP_S + 1 / fps:
        raise InputError(
            f"the trajectory lasts {rows / fps:.2f} s, the sound {duration_s:.2f} s: they are not of one piece. "
            "Wire the audio that the features were made of"
        )


@lru_cache(maxsize=4)
def _rows(path: str) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return rows
