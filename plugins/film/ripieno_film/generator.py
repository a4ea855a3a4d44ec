"""A generator that is loaded, and the fields it draws for frames of a film."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.latents import GeneratorCard, expand
from ripieno.toolkit.onnx import onnx_session, run_network

from .reel import Reel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Array = NDArray[np.float32]


class Generator:
    """A network that draws fields.

    Parameters
    ----------
    path : Path
        An ONNX file with a `GeneratorCard` in its metadata.
    gpu : bool
        Whether to compute by CUDA where that is there.

    Raises
    ------
    InputError
        If it is no generator, or is not what its card says.
    MissingError
        If onnxruntime is not installed.
    """

    def __init__(self, path: Path, *, gpu: bool = False) -> None:
        self.path = path
        self.session: InferenceSession = onnx_session(path, distribution="ripieno-film", gpu=gpu)
        self.card = GeneratorCard.of_session(self.session, path)

    def draw(self, code: Array) -> Array:
        """Fields [planes, height, width], 0..1, of a code [channels, height, width].

        One at a time: what lies between its layers stays in the cache, and no picture depends on its
        neighbours.
        """
        outputs = run_network(self.session, self.path, {"latent": code[None]}, outputs=[self.card.output])
        fields: Array = outputs[0][0]
        return fields


@lru_cache(maxsize=2)
def load(path: str, *, gpu: bool) -> Generator:
    """The generator of a file; a worker keeps it for its next segment."""
    return Generator(Path(path), gpu=gpu)


def fields_of(reel: Reel, generator: Generator, pictures: range) -> Iterator[Array]:
    """Fields [planes, height, width] of consecutive pictures.

    The generator draws one in `field_every`, and those between are blended of the two around them.
    """
    import cv2

    every = reel.field_every
    # Field number k belongs to picture k * every; the last one lies on the last picture or after it.
    keys = range(pictures.start // every, -(-(pictures.stop - 1) // every) + 1)
    codes = expand(
        generator.card,
        reel.rows_at(np.array(keys, np.int64) * every),
        names=reel.names,
        look=reel.look,
    )
    drawn: dict[int, Array] = {}

    def draw(key: int) -> Array:
        if key not in drawn:
            # A picture lies between two.
            drawn.pop(key - 2, None)
            drawn[key] = generator.draw(codes[key - keys.start])
        return drawn[key]

    for picture in pictures:
        key, between = divmod(picture, every)
        if not between:
            yield draw(key)
            continue
        before, after, share = draw(key), draw(key + 1), between / every
        # Flat: OpenCV takes a third axis for channels, of which it has 512 at most.
        flat = cv2.addWeighted(
            before.reshape(len(before), -1), 1 - share, after.reshape(len(after), -1), share, 0
        )
        yield np.asarray(flat, np.float32).reshape(before.shape)
