"""The networks: what draws, what reads a picture back into its code, and what judges.

Conventions
-----------
A picture is [n, channels, side, side], 0 to 1; a code [n, 8, side / 16, side / 16] whose places each have mean
square 1. All three are convolutions throughout: nothing in them knows the size of a picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

CODE_CHANNELS = 8
CODE_SIDE = 16
NORMED = 2
"""Stages beyond this one are not normalised."""
QUIET = 0.05
"""Added to the mean square of a place: one where codes cancel is not blown up."""


@dataclass(frozen=True)
class Shape:
    """How wide and deep a generator is: 0.35 G multiplications a picture, if nothing is said.

    Parameters
    ----------
    channels : tuple of int
        At the side of the code, at twice that, and so on; the last is the picture's side.
    blocks : tuple of int
        Residual blocks there. In the last stage a block is one convolution, elsewhere two.
    outputs : int
        2 for index and shade, 3 for red, green and blue.
    """

    channels: tuple[int, ...] = (96, 48, 32, 16, 16)
    blocks: tuple[int, ...] = (2, 2, 1, 1, 0)
    outputs: int = 2

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return CODE_SIDE << (len(self.channels) - 1)


SMALL = Shape()
WIDE = Shape((352, 192, 128, 64, 32), (2, 2, 2, 2, 1))
"""About 7 M parameters, for a GPU."""


def normalised(code: Tensor) -> Tensor:
    """The code with mean square 1 at each place, less where there is next to nothing."""
    return code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + QUIET) * math.sqrt(1 + QUIET)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // 8 if channels % 8 == 0 else channels // 4), channels)


class Block(nn.Module):
    """Adds to what comes in what its convolutions make of it.

    Parameters
    ----------
    channels : int
    convolutions : int
    is_normed : bool
        Whether each is preceded by a normalisation of groups.
    """

    def __init__(self, channels: int, *, convolutions: int = 2, is_normed: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(convolutions):
            layers += [_norm(channels)] if is_normed else []
            layers += [nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, values: Tensor) -> Tensor:
        changed: Tensor = self.layers(values)
        return values + changed


class Generator(nn.Module):
    """Draws a picture from a code.

    Channels are cut by a 1 x 1 convolution before each bilinear enlargement, where they are cheapest.

    Parameters
    ----------
    shape : Shape
    is_checkpointed : bool
        Whether blocks are computed again on the way back, which takes a third longer and half the memory.
    """

    def __init__(self, shape: Shape = SMALL, *, is_checkpointed: bool = False) -> None:
        super().__init__()
        self.shape, self.is_checkpointed = shape, is_checkpointed
        channels = shape.channels
        self.stem = nn.Conv2d(CODE_CHANNELS, channels[0], 3, padding=1)
        last = len(channels) - 1
        # Where a picture is fine, a normalisation costs a film as much as a convolution.
        self.stages = nn.ModuleList(
            nn.ModuleList(
                Block(width, convolutions=1 if at == last else 2, is_normed=at <= NORMED)
                for _ in range(count)
            )
            for at, (width, count) in enumerate(zip(channels, shape.blocks, strict=True))
        )
        self.cuts = nn.ModuleList(nn.Conv2d(wide, narrow, 1) for wide, narrow in pairwise(channels))
        self.head = nn.Sequential(nn.SiLU(), nn.Conv2d(channels[-1], shape.outputs, 3, padding=1))
        _begin(self, "linear")
        _quieten_blocks(self)

    def forward(self, latent: Tensor) -> Tensor:
        """Pictures [n, outputs, size, size], 0 to 1, of codes of any loudness."""
        values = self.stem(normalised(latent))
        for at, stage in enumerate(self.stages):
            if at:
                values = self.cuts[at - 1](values)
                values = functional.interpolate(
                    values, scale_factor=2.0, mode="bilinear", align_corners=False
                )
            values = _through(stage, values, is_checkpointed=self.is_checkpointed and self.training)
        return torch.sigmoid(self.head(values))


class Encoder(nn.Module):
    """Reads a picture into its code: a generator turned around."""

    def __init__(self, shape: Shape = SMALL, *, is_checkpointed: bool = False) -> None:
        super().__init__()
        self.is_checkpointed = is_checkpointed
        channels = shape.channels[::-1]
        self.stem = nn.Conv2d(shape.outputs, channels[0], 3, padding=1)
        self.widen = nn.ModuleList(nn.Conv2d(narrow, wide, 1) for narrow, wide in pairwise(channels))
        # At the picture's own side a block would cost more than it is worth.
        self.stages = nn.ModuleList(
            nn.ModuleList(Block(width) for _ in range(1 if at else 0)) for at, width in enumerate(channels)
        )
        self.head = nn.Sequential(
            _norm(channels[-1]), nn.SiLU(), nn.Conv2d(channels[-1], CODE_CHANNELS, 3, padding=1)
        )
        _begin(self, "linear")
        _quieten_blocks(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """Codes [n, 8, side / 16, side / 16] of pictures."""
        values = self.stem(2 * pictures - 1)
        for at, stage in enumerate(self.stages):
            if at:
                values = self.widen[at - 1](functional.avg_pool2d(values, 2))
            values = _through(stage, values, is_checkpointed=self.is_checkpointed and self.training)
        return normalised(self.head(values))


class Discriminator(nn.Module):
    """Judges every place of a picture, by its surroundings of two sizes.

    Parameters
    ----------
    outputs : int
        Channels of a picture.
    channels : sequence of int
        At the picture's side, at half of it, and so on.
    """

    def __init__(self, outputs: int = 2, channels: Sequence[int] = (16, 24, 40, 64, 96)) -> None:
        super().__init__()
        self.stem = nn.Conv2d(outputs, channels[0], 3, padding=1)
        self.widen = nn.ModuleList(
            nn.Conv2d(narrow, wide, 3, padding=1) for narrow, wide in pairwise(channels)
        )
        self.stages = nn.ModuleList(Block(width, convolutions=1, is_normed=False) for width in channels[1:])
        self.heads = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1)) for width in channels[-2:]
        )
        _begin(self, "relu")

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits [n, places], above 0 for what looks real, and what was seen at each side.

        The places of both sizes of surroundings come one after the other.
        """
        values, seen, logits = self.stem(2 * pictures - 1), [], []
        sides = len(self.stages)
        for at, (widen, stage) in enumerate(zip(self.widen, self.stages, strict=True)):
            values = stage(widen(functional.avg_pool2d(functional.silu(values), 2)))
            seen.append(values)
            if at >= sides - len(self.heads):
                logits.append(self.heads[at - sides + len(self.heads)](values).flatten(1))
        return torch.cat(logits, dim=1), seen


def _begin(network: nn.Module, nonlinearity: Literal["linear", "relu"]) -> None:
    """Weights that keep the power of what comes in.

    By the usual ones it fades away: a discriminator's verdict says nothing, and of the two fields of a picture one
    may be lost on the way into the code and back, and stay flat.

    References
    ----------
    He, Zhang, Ren, Sun: Delving deep into rectifiers. ICCV 2015.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity=nonlinearity)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _quieten_blocks(network: nn.Module) -> None:
    """At the beginning a block changes little, whatever the depth."""
    for module in network.modules():
        if isinstance(module, Block):
            nn.init.normal_(module.layers[-1].weight, std=0.01)  # type: ignore[arg-type]


def _through(stage: nn.Module, values: Tensor, *, is_checkpointed: bool) -> Tensor:
    for block in stage.children():
        values = checkpoint(block, values, use_reentrant=False) if is_checkpointed else block(values)
    return values
