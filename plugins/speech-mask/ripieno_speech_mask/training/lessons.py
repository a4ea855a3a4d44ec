"""The training itself: what Lightning runs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from ripieno.toolkit.fitting import fit

from .drawing import Drawer
from .loss import mask_loss
from .network import MaskNetwork


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
        Of learning, at its highest, of the matrices; the rest learns at a tenth of it.
    warm_up : int
        Steps until it is reached, at most a tenth of all; it falls to nothing in a half cosine after that.
    epoch : int
        Steps between two validations, after which the training can be taken up again.
    validations : int
        Batches of a validation.
    compiled : bool
        Whether the arithmetic of a step is fused, which needs a C++ compiler.
    """

    steps: int
    clips: int = 8
    rate: float = 2e-2
    warm_up: int = 100
    epoch: int = 250
    validations: int = 8
    compiled: bool = False


class MaskLessons(lightning.LightningModule):
    """A network, its loss, and its figures on mixtures that it does not learn from.

    References
    ----------
    Jordan et al.: Muon: an optimizer for hidden layers in neural networks. 2024.
    Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.
    """

    def __init__(self, network: MaskNetwork, lesson: Lesson) -> None:
        super().__init__()
        self.network, self.lesson = network, lesson
        # Two optimizers take each step.
        self.automatic_optimization = False
        self._step_loss = torch.compile(self._loss) if lesson.compiled else self._loss

    def training_step(self, batch: list[Tensor], index: int) -> None:
        loss = self._step_loss(batch)
        self.zero_grad()
        self.manual_backward(loss)
        torch.nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        # Lightning's types do not say that of two there is a list.
        schedules: Any = self.lr_schedulers()
        for optimizer, schedule in zip(self.optimizers(), schedules, strict=True):
            optimizer.step()
            schedule.step()
        self.log("loss", loss.detach(), prog_bar=True)

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.log("gain_db", gain_db(*self._masked(batch)), prog_bar=True, batch_size=len(batch[0]))

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[LambdaLR]]:
        matrices = [weight for weight in self.parameters() if weight.ndim == 2 and len(weight) > 1]
        others = [weight for weight in self.parameters() if weight.ndim != 2 or len(weight) == 1]
        rate = self.lesson.rate
        optimizers = [
            torch.optim.Muon(matrices, lr=rate, weight_decay=0.1),
            torch.optim.AdamW(others, lr=rate / 10, weight_decay=0.0),
        ]
        return optimizers, [LambdaLR(optimizer, self._share_of_rate) for optimizer in optimizers]

    def _share_of_rate(self, step: int) -> float:
        warm_up = min(self.lesson.warm_up, self.lesson.steps // 10)
        if step < warm_up:
            return (step + 1) / warm_up
        done = (step - warm_up) / max(1, self.lesson.steps - warm_up)
        return 0.5 + 0.5 * math.cos(math.pi * min(1.0, done))

    def _loss(self, batch: list[Tensor]) -> Tensor:
        return mask_loss(*self._masked(batch)).mean()

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


class MixtureData(lightning.LightningDataModule):
    """The mixtures of each epoch, new ones every time; those of the validation stay the same.

    Parameters
    ----------
    drawer : Drawer
        Whose materials are that of the training and that of the validation.
    """

    def __init__(self, drawer: Drawer, lesson: Lesson, *, seed: int) -> None:
        super().__init__()
        self._drawer, self._lesson, self._seed = drawer, lesson, seed

    def train_dataloader(self) -> "Batches":
        assert self.trainer is not None
        return Batches(self._drawer, self._lesson.epoch, 0, [self._seed, 0, self.trainer.current_epoch])

    def val_dataloader(self) -> "Batches":
        return Batches(self._drawer, self._lesson.validations, 1, [self._seed, 1])


@dataclass(frozen=True)
class Batches:
    """So many batches of a material, whose number Lightning asks."""

    drawer: Drawer
    number: int
    material: int
    seed: list[int]

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[list[Tensor]]:
        return self.drawer.batches(self.number, material=self.material, seed=self.seed)


class _Told(lightning.Callback):
    """Says after each step how many are done."""

    def __init__(self, tell: Callable[[int], None], *, epoch: int) -> None:
        self._tell, self._epoch = tell, epoch

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: object,
        batch: object,
        index: int,
    ) -> None:
        self._tell(trainer.current_epoch * self._epoch + index + 1)


def train(lessons: MaskLessons, data: MixtureData, *, folder: Path, tell: Callable[[int], None]) -> float:
    """Train, going on from the last checkpoint in the folder, and give the gain on the validation in dB."""
    lesson = lessons.lesson
    trainer = fit(
        lessons,
        data,
        folder=folder,
        epochs=-(-lesson.steps // lesson.epoch),
        precision="bf16-mixed",
        callbacks=[_Told(tell, epoch=lesson.epoch)],
    )
    # Once more, as a training that was broken off after its last epoch has no other.
    (figures,) = trainer.validate(lessons, datamodule=data, verbose=False)
    return float(figures["gain_db"])
