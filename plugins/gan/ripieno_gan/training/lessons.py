"""The training itself: what Lightning runs.

Conventions
-----------
First the encoder and the generator learn to give pictures back. Then, from the averages of their weights, the
discriminator joins: it judges pictures given back, and pictures of two codes mixed from place to place, as films
mix them. Every draw of a step comes from the seed and the step's number, so that a training that was broken off
ends as one that was not.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from ripieno.contracts import ConfigError
from ripieno.toolkit.fitting import fit

from . import losses
from .drawing import Batches, Material
from .networks import Discriminator, Encoder, Generator, normalised

WARM_UP = 50
GIVING_BACK, JUDGED = (0.9, 0.99), (0.5, 0.999)
"""Betas of AdamW in the two parts: without a discriminator the longer memory learns faster."""


@dataclass(frozen=True)
class Lesson:
    """How long, how fast, and what counts how much.

    Parameters
    ----------
    first_steps, steps : int
        Batches before the discriminator joins, and in all.
    batch : int
        Pictures.
    rate, judged_rate, judging_rate : float
        Of learning at its highest, of the generator before and after the discriminator joins, and of the
        discriminator. Each falls in a half cosine.
    epoch : int
        Steps between two validations, after which the training can be taken up again.
    noise : float
        Added to a code, whose root mean square is 1.
    adversarial, matching : float
        Weight of the discriminator's verdict, and of the likeness of what it sees, beside the difference.
    gamma : float
        Weight of R1.
    penalty_every : int
        Steps between two R1 penalties, which count as many times as much.
    averaging : float
        Share of the averaged weights that a step leaves as it is.
    """

    first_steps: int
    steps: int
    batch: int = 8
    rate: float = 2e-3
    judged_rate: float = 1e-3
    judging_rate: float = 1.5e-3
    epoch: int = 100
    noise: float = 0.1
    adversarial: float = 0.5
    matching: float = 1.0
    gamma: float = 10.0
    penalty_every: int = 16
    averaging: float = 0.999


class GanLessons(lightning.LightningModule):
    """Encoder, generator and discriminator, and the averages of the first two, which are what is kept.

    References
    ----------
    Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.
    """

    done: Tensor

    def __init__(
        self,
        generator: Generator,
        lesson: Lesson,
        *,
        seed: int,
        judge: Callable[[Tensor, Tensor], dict[str, float]] | None = None,
    ) -> None:
        super().__init__()
        self.lesson, self.seed, self.judge = lesson, seed, judge
        shape = generator.shape
        self.generator, self.encoder = generator, Encoder(shape, is_checkpointed=generator.is_checkpointed)
        self.discriminator = Discriminator(shape.outputs)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.averaged_encoder = copy.deepcopy(self.encoder).requires_grad_(False)
        self.register_buffer("done", torch.zeros((), dtype=torch.long))
        self.history: list[dict[str, float]] = []
        self.automatic_optimization = False
        self._sums: dict[str, float] = {}
        self.to(memory_format=torch.channels_last)

    def training_step(self, batch: Tensor, index: int) -> None:
        step = int(self.done)
        real = as_pictures(batch)
        draws = torch.Generator().manual_seed((self.seed * 1_000_003 + step) % 2**63)
        is_judged = step >= self.lesson.first_steps
        # Lightning's types do not say that of two there is a list.
        optimizers: Any = self.optimizers()
        schedules: Any = self.lr_schedulers()
        if step == self.lesson.first_steps:
            self._begin_to_be_judged(optimizers[0].optimizer)
        codes = self.encoder(real)
        noisy = normalised(codes + self.lesson.noise * torch.randn(codes.shape, generator=draws).to(codes))
        if is_judged:
            with torch.no_grad():
                mixed = mixture(noisy, draws)
            half = max(1, len(real) // 2)
            drawn = self.generator(torch.cat([noisy, mixed[:half]]))
            back, invented = drawn[: len(real)], drawn[len(real) :]
            self._teach_discriminator(real, torch.cat([back[half:], invented]).detach(), optimizers[1], step)
            schedules[1].step()
            loss = self._given_back(back, real) + self._verdict(drawn, real)
        else:
            loss = self._given_back(self.generator(noisy), real)
        optimizers[0].zero_grad()
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_([*self.generator.parameters(), *self.encoder.parameters()], 1.0)
        optimizers[0].step()
        schedules[0].step()
        self.done += 1
        self._average()
        self._count(loss=float(loss.detach()), steps=1)

    def validation_step(self, batch: Tensor, index: int) -> None:
        real = as_pictures(batch)
        draws = torch.Generator().manual_seed(self.seed % 2**63)
        codes = self.averaged_encoder(real)
        figures = {"difference": float(losses.difference(self.averaged(codes), real))}
        invented = self.averaged(mixture(codes, draws))
        if not invented.isfinite().all():
            raise ConfigError(
                f"after {int(self.done)} steps it draws no numbers any more: lower rate, judged_rate and judging_rate"
            )
        if self.judge is not None:
            figures |= self.judge(real.float(), invented.float())
        steps = self._sums.pop("steps", 0)
        figures |= {name: value / max(steps, 1) for name, value in self._sums.items()}
        self._sums = {}
        self.history.append({"step": int(self.done), **figures})
        self.log_dict({name: torch.tensor(value) for name, value in figures.items()}, batch_size=len(batch))

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[LambdaLR]]:
        ours = [*self.generator.parameters(), *self.encoder.parameters()]
        lesson = self.lesson
        optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(weights, lr=rate, betas=betas, weight_decay=1e-4)
            for weights, rate, betas in (
                (ours, lesson.rate, GIVING_BACK),
                (list(self.discriminator.parameters()), lesson.judging_rate, JUDGED),
            )
        ]
        return optimizers, [
            LambdaLR(optimizers[0], self._share_of_rate),
            LambdaLR(optimizers[1], lambda step: _cosine(step, lesson.steps - lesson.first_steps)),
        ]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = checkpoint["history"]

    def _share_of_rate(self, step: int) -> float:
        lesson = self.lesson
        if step < lesson.first_steps:
            return 0.1 + 0.9 * _cosine(step, lesson.first_steps)
        share = lesson.judged_rate / lesson.rate
        return share * _cosine(step - lesson.first_steps, lesson.steps - lesson.first_steps)

    def _begin_to_be_judged(self, optimizer: torch.optim.Optimizer) -> None:
        """From the averages of the weights on, with another memory."""
        self.generator.load_state_dict(self.averaged.state_dict())
        self.encoder.load_state_dict(self.averaged_encoder.state_dict())
        for group in optimizer.param_groups:
            group["betas"] = JUDGED

    def _given_back(self, drawn: Tensor, real: Tensor) -> Tensor:
        difference = losses.difference(drawn, real)
        self._count(difference_in_training=float(difference.detach()))
        if real.shape[1] == 3:
            return difference + losses.colour_difference(drawn, real)
        return difference

    def _verdict(self, drawn: Tensor, real: Tensor) -> Tensor:
        """What the discriminator says of drawn pictures, the first of which are the real ones given back."""
        self.discriminator.requires_grad_(False)
        with torch.no_grad():
            _, wanted = self.discriminator(real)
        logits, seen = self.discriminator(drawn)
        self.discriminator.requires_grad_(True)
        matching = losses.mismatch([side[: len(real)] for side in seen], wanted)
        wrong = losses.judged_wrong(logits)
        self._count(adversarial=float(wrong.detach()), matching=float(matching.detach()))
        return self.lesson.adversarial * wrong + self.lesson.matching * matching

    def _teach_discriminator(self, real: Tensor, drawn: Tensor, optimizer: Any, step: int) -> None:
        optimizer.zero_grad()
        # One after the other: what a picture shows must not depend on which others are judged with it.
        loss = losses.judged_right(self.discriminator(real)[0], self.discriminator(drawn)[0])
        self.manual_backward(loss)
        if step % self.lesson.penalty_every == 0:
            # The slope of a slope needs more digits than bfloat16 has.
            with torch.autocast(real.device.type, enabled=False):
                pictures = real.float().requires_grad_(True)
                penalty = losses.r1(self.discriminator(pictures)[0], pictures)
            self.manual_backward(self.lesson.gamma * self.lesson.penalty_every * penalty)
        optimizer.step()
        self._count(discriminator=float(loss.detach()))

    def _average(self) -> None:
        keep = min(self.lesson.averaging, (1 + int(self.done)) / (10 + int(self.done)))
        pairs = ((self.averaged, self.generator), (self.averaged_encoder, self.encoder))
        with torch.no_grad():
            for kept, taught in pairs:
                for average, weight in zip(kept.parameters(), taught.parameters(), strict=True):
                    average.lerp_(weight, 1 - keep)

    def _count(self, **figures: float) -> None:
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0.0) + value


def as_pictures(batch: Tensor) -> Tensor:
    """Pictures 0 to 1 of bytes."""
    return (batch.float() / 255).contiguous(memory_format=torch.channels_last)


def mixture(codes: Tensor, draws: torch.Generator) -> Tensor:
    """Codes of pairs, mixed: half of them where a slow mask says so, half everywhere alike."""
    count, _, height, width = codes.shape
    others = codes.roll(1, dims=0)
    coarse = torch.randn((count, 1, 4, 4), generator=draws) * 3
    level = torch.randn((count, 1, 1, 1), generator=draws)
    slow = functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    is_local = (torch.arange(count) % 2 == 0).view(-1, 1, 1, 1)
    share = torch.sigmoid(torch.where(is_local, slow + level, level)).to(codes)
    return normalised(share * codes + (1 - share) * others)


def _cosine(step: int, steps: int) -> float:
    warm_up = min(WARM_UP, steps // 10)
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    done = (step - warm_up) / max(1, steps - warm_up)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, done)))


class GanData(lightning.LightningDataModule):
    """New pictures for each epoch; those of the validation stay the same."""

    def __init__(
        self, training: Material, validation: Material, lesson: Lesson, *, seed: int, judged: int
    ) -> None:
        super().__init__()
        self._training, self._validation = training, validation
        self._lesson, self._seed, self._judged = lesson, seed, judged

    def train_dataloader(self) -> Batches:
        assert self.trainer is not None
        lesson, epoch = self._lesson, self.trainer.current_epoch
        number = min(lesson.epoch, lesson.steps - epoch * lesson.epoch)
        return Batches(self._training, lesson.batch, number, (self._seed, epoch))

    def val_dataloader(self) -> "_Once":
        return _Once(self._validation, self._judged)


@dataclass(frozen=True)
class _Once:
    """One batch, of the first pictures."""

    material: Material
    count: int

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Tensor]:
        yield self.material.first(self.count)


class _Told(lightning.Callback):
    """Says after each step how many are done."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: object, batch: object, index: int
    ) -> None:
        self._tell(int(module.done))


def train(lessons: GanLessons, data: GanData, *, folder: Path, tell: Callable[[int], None]) -> Path:
    """Train, going on from the last checkpoint in the folder.

    Returns
    -------
    Path
        The checkpoint whose pictures were judged best: the least ``kid``, or ``difference`` where nothing
        judges.
    """
    lesson = lessons.lesson
    best = ModelCheckpoint(
        folder,
        filename="best",
        monitor="difference" if lessons.judge is None else "kid",
        save_top_k=1,
        enable_version_counter=False,
    )
    fit(
        lessons,
        data,
        folder=folder,
        epochs=-(-lesson.steps // lesson.epoch),
        precision="bf16-mixed",
        callbacks=[_Told(tell), best],
    )
    return folder / "best.ckpt"
