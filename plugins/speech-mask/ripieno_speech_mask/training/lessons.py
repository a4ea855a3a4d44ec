"""The training itself: what Lightning runs."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .loss import mask_loss
from .mixtures import Recipe, draw_batch
from .network import MaskNetwork
from .sounds import Sounds


@dataclass(frozen=True)
class Lesson:
    """What is trained on, how long and how fast.

    Parameters
    ----------
    steps : int
        Batches in all.
    clips : int
        In a batch.
    rate : float
        Of learning, at its highest.
    warm_up : int
        Steps until it is reached; it falls to nothing in a half cosine after that.
    epoch : int
        Steps between two validations, after which the training can be taken up again.
    validations : int
        Batches of a validation.
    """

    steps: int
    clips: int = 8
    rate: float = 2e-3
    warm_up: int = 100
    epoch: int = 250
    validations: int = 8


class MaskLessons(lightning.LightningModule):
    """A network, its loss, and its figures on mixtures that it does not learn from."""

    def __init__(self, network: MaskNetwork, lesson: Lesson) -> None:
        super().__init__()
        self.network, self.lesson = network, lesson

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        mask, mixture, speech, both = self._masked(batch)
        loss = mask_loss(mask, mixture, speech, both).mean()
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.log("gain_db", gain_db(*self._masked(batch)), prog_bar=True, batch_size=len(batch[0]))

    def configure_optimizers(self) -> dict[str, object]:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lesson.rate, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._share_of_rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int) -> float:
        if step < self.lesson.warm_up:
            return (step + 1) / self.lesson.warm_up
        done = (step - self.lesson.warm_up) / max(1, self.lesson.steps - self.lesson.warm_up)
        return 0.5 + 0.5 * math.cos(math.pi * min(1.0, done))

    def _masked(self, batch: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        features, mixture, speech, both = batch
        mask, *_ = self.network(features, *self.network.states(len(features)))
        ahead, frames = self.network.look_ahead, mask.shape[1] - self.network.look_ahead
        return mask[:, ahead:].float(), mixture[:, :frames], speech[:, :frames], both[:, :frames]


def gain_db(mask: Tensor, mixture: Tensor, speech: Tensor, both: Tensor) -> Tensor:
    """Improvement of the signal-to-distortion ratio by the mask, scale invariant, in its spectra; the mean."""
    estimate = mask.square() * mixture
    return _si_sdr_db((mask * both), estimate, speech).sub(_si_sdr_db(both, mixture, speech)).mean()


def _si_sdr_db(both: Tensor, estimate: Tensor, speech: Tensor) -> Tensor:
    across = (1, 2)
    kept = both.sum(across).square() / speech.sum(across).clamp(min=1e-9)
    return 10 * torch.log10(kept / (estimate.sum(across) - kept).clamp(min=1e-9) + 1e-9)


@dataclass(frozen=True)
class Material:
    """What mixtures are drawn from."""

    speech: Sounds
    music: Sounds
    recipe: Recipe
    taper: NDArray[np.float32]


class Mixtures:
    """Batches of mixtures, each drawn from the seed and its own number alone, one ahead of what is learned from.

    Parameters
    ----------
    numbers : range
        Of the batches.
    clips : int
        In a batch.
    """

    def __init__(self, material: Material, numbers: range, *, clips: int, seed: int) -> None:
        self._material, self._numbers, self._clips, self._seed = material, numbers, clips, seed

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[list[Tensor]]:
        with ThreadPoolExecutor(1) as thread:
            drawn = deque([thread.submit(self._draw, self._numbers[0])])
            for number in self._numbers[1:]:
                drawn.append(thread.submit(self._draw, number))
                yield drawn.popleft().result()
            yield drawn.popleft().result()

    def _draw(self, number: int) -> list[Tensor]:
        rng = np.random.default_rng([self._seed, number])
        material = self._material
        batch = draw_batch(
            rng, material.speech, material.music, material.recipe, clips=self._clips, taper=material.taper
        )
        return [torch.from_numpy(part) for part in (batch.features, batch.mixture, batch.speech, batch.both)]


class MixtureData(lightning.LightningDataModule):
    """The mixtures of each epoch, new ones every time; those of the validation stay the same."""

    def __init__(self, training: Material, validation: Material, lesson: Lesson, *, seed: int) -> None:
        super().__init__()
        self._training, self._validation, self._lesson, self._seed = training, validation, lesson, seed

    def train_dataloader(self) -> Mixtures:
        every = self._lesson.epoch
        begun = self.trainer.current_epoch * every
        return self._loader(self._training, range(begun, begun + every), self._seed)

    def val_dataloader(self) -> Mixtures:
        return self._loader(self._validation, range(self._lesson.validations), self._seed + 1)

    def _loader(self, material: Material, numbers: range, seed: int) -> Mixtures:
        return Mixtures(material, numbers, clips=self._lesson.clips, seed=seed)


class _Told(lightning.Callback):
    """Says after each step how far the training has come."""

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        self._tell = tell

    def on_train_batch_end(self, trainer: lightning.Trainer, *rest: object) -> None:
        self._tell(trainer.global_step, float(trainer.callback_metrics.get("gain_db", math.nan)))


def train(
    lessons: MaskLessons, data: MixtureData, *, folder: Path, tell: Callable[[int, float], None]
) -> float:
    """Train, going on from the last checkpoint in the folder, and give the gain on the validation in dB."""
    lesson = lessons.lesson
    last = folder / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=-(-lesson.steps // lesson.epoch),
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        gradient_clip_val=1.0,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[
            lightning.pytorch.callbacks.ModelCheckpoint(
                folder, filename=last.stem, save_on_train_epoch_end=True, enable_version_counter=False
            ),
            _Told(tell),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(lessons, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    return float(trainer.callback_metrics["gain_db"])
