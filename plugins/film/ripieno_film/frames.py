"""From rows of a trajectory to finished frames: fields, paint, motion blur, effects."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .chain import Chain
from .generator import fields_of, load
from .painting import Controls, Painter
from .reel import Reel

Frame = NDArray[np.uint8]


def frames_of(reel: Reel, start: int, stop: int) -> Iterator[Frame]:
    """Frames [height, width, 3] from number `start` to before `stop`, the same wherever a film is cut."""
    chain = Chain(reel.effects, fps=float(reel.fps))
    before = max(0, start - chain.lead)
    pictures = reel.pictures(before, stop)
    painted = paint(reel, fields_of(reel, load(reel.generator, gpu=reel.gpu), pictures), pictures)
    return chain.run(painted, start=before, first=start)


def paint(reel: Reel, fields: Iterable[NDArray[np.float32]], pictures: range) -> Iterator[Frame]:
    """Frames before the effects, of the fields of consecutive pictures."""
    import cv2

    # Workers are the parallelism.
    cv2.setNumThreads(1)
    painter = _painter(json.dumps(reel.look, sort_keys=True), reel.size)
    blend = Blend(reel.supersample)
    for row, field in zip(reel.rows_at(np.array(pictures, np.int64)), fields, strict=True):
        frame = blend.push(painter.paint(field, controls_of(row, reel.names)))
        if frame is not None:
            yield frame


def controls_of(row: NDArray[np.float32], names: tuple[str, ...]) -> Controls:
    """What the painter reads of a row."""
    value = dict(zip(names, row.tolist(), strict=True))
    return Controls(
        hue=value.get("hue", 0.0),
        energy=value.get("energy", 0.5),
        pulse=value.get("pulse", 0.0),
        flash=value.get("flash", 0.0),
        zoom=value.get("zoom", 1.0),
        drift=(value.get("drift_x", 0.0), value.get("drift_y", 0.0)),
    )


@lru_cache(maxsize=1)
def _painter(look: str, size: tuple[int, int]) -> Painter:
    """The painter of a look; a worker keeps it for its next segment, since its textures take a while."""
    return Painter(json.loads(look), size=size)


class Blend:
    """The mean of every `count` pictures, in light that is coded as it was painted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._sum: NDArray[np.uint16] | None = None

    def push(self, picture: Frame) -> Frame | None:
        """The mean, when its last picture is given."""
        if self._count == 1:
            return picture
        import cv2

        if self._sum is None:
            self._sum = picture.astype(np.uint16)
        else:
            cv2.add(self._sum, picture, dst=self._sum, dtype=cv2.CV_16U)
        self._taken += 1
        if self._taken < self._count:
            return None
        mean = cv2.convertScaleAbs(self._sum, alpha=1 / self._count)
        self._sum, self._taken = None, 0
        return np.asarray(mean, np.uint8)
