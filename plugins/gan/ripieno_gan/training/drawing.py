"""Pictures of data sets as batches, each a little different every time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from ripieno.contracts import InputError

from ..pictures import CHANNELS, Listed, fitted, read


@dataclass(frozen=True)
class Material:
    """Pictures of one form and how they are brought to size.

    Parameters
    ----------
    pictures : tuple of Listed
    size : int
        Of a side, pixels.
    is_varied : bool
        Whether they are turned, mirrored and cut; fields also change the direction of their colours.
    """

    pictures: tuple[Listed, ...]
    size: int
    is_varied: bool = True

    @property
    def channels(self) -> int:
        """2 for fields, 3 for RGB."""
        return CHANNELS[self.pictures[0].form]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """One as it is, uint8 [size, size, channels]."""
        pixels = read(self.pictures[index].path, channels=self.channels)
        return fitted(pixels, (self.size, self.size))

    def batch(self, rng: Generator, count: int) -> Tensor:
        """Some pictures drawn at random, uint8 [count, channels, size, size]."""
        chosen = rng.integers(0, len(self.pictures), count)
        drawn = [self.picture(int(index)) for index in chosen]
        if self.is_varied:
            drawn = [varied(pixels, rng) for pixels in drawn]
        return torch.from_numpy(np.stack(drawn).transpose(0, 3, 1, 2).copy())

    def first(self, count: int) -> Tensor:
        """Some pictures as they are, evenly from the whole."""
        chosen = np.linspace(0, len(self.pictures) - 1, min(count, len(self.pictures))).astype(int)
        drawn = np.stack([self.picture(int(index)) for index in chosen])
        return torch.from_numpy(drawn.transpose(0, 3, 1, 2).copy())


def of_one_form(pictures: Sequence[Listed], *, what: str) -> tuple[Listed, ...]:
    """The pictures, if they are there and of one form.

    Raises
    ------
    InputError
        If there are none, or fields and RGB together.
    """
    forms = {picture.form for picture in pictures}
    if not pictures:
        raise InputError(f"no pictures to {what} on: make more of them, or change validation_share")
    if len(forms) > 1 or not forms <= CHANNELS.keys():
        raise InputError(
            f"pictures of forms {', '.join(sorted(forms))}: a generator learns from one, fields or rgb"
        )
    return tuple(pictures)


def varied(pixels: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """The picture mirrored, turned by right angles, now and then a little turned and cut.

    Parameters
    ----------
    pixels : ndarray [size, size, channels]
        uint8; of two channels the first is the index of a palette, which may run backwards.
    """
    import cv2

    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    pixels = np.rot90(pixels, int(rng.integers(4)))
    if rng.random() < 0.5:
        size = pixels.shape[0]
        # So large that no corner of a turned square is outside.
        zoom = 1.17 + 0.18 * rng.random()
        turn = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), rng.uniform(-9, 9), zoom)
        pixels = cv2.warpAffine(  # type: ignore[assignment]
            np.ascontiguousarray(pixels),
            turn,
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    pixels = np.ascontiguousarray(pixels)
    if pixels.shape[2] == 2 and rng.random() < 0.5:
        pixels[..., 0] = 255 - pixels[..., 0]
    return pixels


@dataclass(frozen=True)
class Batches:
    """So many batches, whose number Lightning asks; each depends on the seed and its own number alone."""

    material: Material
    count: int
    number: int
    seed: tuple[int, ...]

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Tensor]:
        for index in range(self.number):
            yield self.material.batch(np.random.default_rng([*self.seed, index]), self.count)
