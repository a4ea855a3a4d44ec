"""A small network that knows families of pictures and their faults, whose middle is a measure of likeness.

It is taught two things at once: of which family a picture is, and what was done to it: nothing, blur, a grid of the
generator's own period, blocks exchanged, washed out. So pictures that a bad generator draws lie apart from real
ones in its features, and the palette does not count, since it is another every time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from ripieno.contracts import ConfigError
from ripieno.toolkit.fitting import fit

from ..palettes import coloured, drawn
from .drawing import Material

FAULTS = ("none", "blurred", "gridded", "shuffled", "washed")
WIDTHS = (16, 24, 32, 48, 64)


class PictureFeatures(nn.Module):
    """Five strided convolutions; features are the means over the last two.

    Parameters
    ----------
    families : int
    """

    def __init__(self, families: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(after // 8, after), nn.SiLU()
            )
            for before, after in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True)
        )
        self.families = nn.Linear(sum(WIDTHS[-2:]), families)
        self.faults = nn.Linear(sum(WIDTHS[-2:]), len(FAULTS))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features [n, 112], logits of families and of faults, of RGB pictures [n, 3, h, w], 0 to 1."""
        values, means = 2 * pictures - 1, []
        for layer in self.layers:
            values = layer(values)
            means.append(values.mean(dim=(2, 3)))
        features = torch.cat(means[-2:], dim=1)
        return features, self.families(features), self.faults(features)


class FeatureLessons(lightning.LightningModule):
    """Families and faults, told apart."""

    def __init__(self, network: PictureFeatures, *, steps: int, rate: float) -> None:
        super().__init__()
        self.network, self.steps, self.rate = network, steps, rate

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        pictures, families, faults = batch
        _, seen, found = self.network(pictures)
        return functional.cross_entropy(seen, families) + functional.cross_entropy(found, faults)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.rate, weight_decay=1e-2)
        schedule = OneCycleLR(optimizer, self.rate, total_steps=self.steps, pct_start=0.1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


@dataclass(frozen=True)
class Flawed:
    """Batches of pictures in drawn palettes, most of them flawed: pictures, families, faults."""

    material: Material
    families: tuple[str, ...]
    count: int
    number: int
    seed: tuple[int, ...]

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[list[Tensor]]:
        for index in range(self.number):
            yield self.batch(np.random.default_rng([*self.seed, index]))

    def batch(self, rng: np.random.Generator) -> list[Tensor]:
        """One of them."""
        chosen = rng.integers(0, len(self.material.pictures), self.count)
        faults = rng.integers(0, len(FAULTS), self.count)
        pictures = [
            flawed(self._rgb(int(at), rng), FAULTS[fault], rng)
            for at, fault in zip(chosen, faults, strict=True)
        ]
        families = [self.families.index(self.material.pictures[at].family) for at in chosen]
        return [
            torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()),
            torch.tensor(families),
            torch.from_numpy(faults),
        ]

    def _rgb(self, index: int, rng: np.random.Generator) -> Any:
        pixels = self.material.picture(index)
        pixels = np.rot90(pixels, int(rng.integers(4)))
        if self.material.channels == 2:
            pixels = coloured(np.moveaxis(pixels, -1, 0) / np.float32(255), drawn(rng))
        return pixels.astype(np.float32) / np.float32(255)


def flawed(picture: Any, fault: str, rng: np.random.Generator) -> Any:
    """The picture float32 [h, w, 3] with a fault of `FAULTS`, weak or strong."""
    import cv2

    size = picture.shape[0]
    if fault == "blurred":
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.2, 5))
    if fault == "gridded":
        period = float(rng.choice((2, 4, 8, 16)))
        wave = np.cos(np.arange(size, dtype=np.float32) * np.float32(2 * np.pi / period))
        return np.clip(
            picture + np.float32(rng.uniform(0.02, 0.1)) * (wave[:, None] * wave[None])[..., None], 0, 1
        )
    if fault == "shuffled":
        block = size // int(rng.choice((16, 8, 4)))
        count = size // block
        blocks = (
            picture[: count * block, : count * block].reshape(count, block, count, block, 3).swapaxes(1, 2)
        )
        flat = blocks.reshape(count * count, block, block, 3)[rng.permutation(count * count)]
        return (
            flat.reshape(count, count, block, block, 3)
            .swapaxes(1, 2)
            .reshape(count * block, count * block, 3)
        )
    if fault == "washed":
        grey = picture.mean(axis=(0, 1) if rng.random() < 0.5 else 2, keepdims=True)
        return (picture + np.float32(rng.uniform(0.4, 0.8)) * (grey - picture)).astype(np.float32)
    return picture


def train(
    network: PictureFeatures,
    training: Flawed,
    validation: Flawed,
    *,
    steps: int,
    rate: float,
    folder: Path,
    tell: Callable[[int], None],
) -> dict[str, float]:
    """Train, going on from the last checkpoint in the folder, and give the shares that were told right."""
    epoch = len(training)

    class Data(lightning.LightningDataModule):
        def train_dataloader(self) -> Flawed:
            assert self.trainer is not None
            number = self.trainer.current_epoch
            tell(number * epoch)
            left = min(epoch, steps - number * epoch)
            return replace(training, number=left, seed=(*training.seed, number))

    fit(FeatureLessons(network, steps=steps, rate=rate), Data(), folder=folder, epochs=-(-steps // epoch))
    return told_right(network.cpu(), validation)


def told_right(network: PictureFeatures, batches: Flawed) -> dict[str, float]:
    """Shares of pictures of which the network names the family, and the fault.

    Raises
    ------
    ConfigError
        If it has learnt so fast that it gives NaN.
    """
    families_right, faults_right = [], []
    with torch.no_grad():
        for pictures, families, faults in batches:
            features, seen, found = network(pictures)
            if not features.isfinite().all():
                raise ConfigError("what it sees are no numbers any more: lower rate")
            families_right += (seen.argmax(1) == families).tolist()
            faults_right += (found.argmax(1) == faults).tolist()
    return {
        "families_right": float(np.mean(families_right)),
        "faults_right": float(np.mean(faults_right)),
    }
