"""Mixtures drawn by a process of their own, beside the one that learns."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy
from torch.multiprocessing import get_context

from .mixtures import Recipe, draw_batches
from .sounds import Sounds

_AHEAD = 3


@dataclass(frozen=True)
class Material:
    """What mixtures are drawn from."""

    speech: Sounds
    music: Sounds
    recipe: Recipe
    taper: NDArray[np.float32]


class Drawer:
    """Batches of mixtures of some materials, drawn ahead of what is asked for; to be used in a ``with``.

    Parameters
    ----------
    materials : sequence of Material
    clips : int
        In a batch.
    """

    def __init__(self, materials: Sequence[Material], *, clips: int) -> None:
        self._clips = clips
        # A process and not a thread: the one that learns seldom lets go of the interpreter. Torch's, whose
        # tensors come by shared memory.
        self._process = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_hold, initargs=(materials,)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.shutdown(cancel_futures=True)

    def batches(self, number: int, *, material: int, seed: Sequence[int]) -> Iterator[list[Tensor]]:
        """The first `number` batches that a seed gives of a material: features, mixture, speech, both."""
        return islice(chain.from_iterable(self._drawn(material, seed)), number)

    def _drawn(self, material: int, seed: Sequence[int]) -> Iterator[list[list[Tensor]]]:
        ahead = deque(self._submit(material, [*seed, draw]) for draw in range(_AHEAD))
        for draw in count(_AHEAD):
            yield ahead.popleft().result()
            ahead.append(self._submit(material, [*seed, draw]))

    def _submit(self, material: int, seed: list[int]) -> "Future[list[list[Tensor]]]":
        return self._process.submit(_draw, material, seed, clips=self._clips)


_held: Sequence[Material] = ()


def _hold(materials: Sequence[Material]) -> None:
    global _held
    _held = materials


def _draw(index: int, seed: list[int], *, clips: int) -> list[list[Tensor]]:
    material = _held[index]
    rng = np.random.default_rng(seed)
    batches = draw_batches(
        rng, material.speech, material.music, material.recipe, clips=clips, taper=material.taper
    )
    return [
        [from_numpy(part) for part in (batch.features, batch.mixture, batch.speech, batch.both)]
        for batch in batches
    ]
