"""Trainings by Lightning: quiet, interruptible, and in epochs, so that one goes on where it was broken off.

It imports torch and lightning: import it where a training begins.
"""

import io
import logging
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins import TorchCheckpointIO

from ripieno.contracts import write_whole


class _Whole(TorchCheckpointIO):
    """Checkpoints that are written beside where they will stand: a kill leaves the one before.

    Lightning writes them in the system's temporary folder, and copies them where that is another disk.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_whole(path, content.getvalue())


def fit(
    lessons: lightning.LightningModule,
    data: lightning.LightningDataModule,
    *,
    folder: Path,
    epochs: int,
    precision: Literal["32-true", "bf16-mixed"] = "32-true",
    callbacks: Sequence[lightning.Callback] = (),
) -> lightning.Trainer:
    """Train, going on from the last whole epoch whose state is in the folder.

    Parameters
    ----------
    lessons, data
        What is learnt, and from what; its batches are asked for anew in each epoch.
    folder : Path
        For checkpoints.
    epochs : int
        In all, > 0.
    precision : str
        Of Lightning.
    callbacks : sequence of Callback
        Called before the state is written.

    Returns
    -------
    Trainer
        To validate with.
    """
    last = folder / "last.ckpt"
    kept = ModelCheckpoint(
        folder, filename=last.stem, save_on_train_epoch_end=True, enable_version_counter=False
    )
    with _quiet(), _interruptible():
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator="auto",
            devices=1,
            precision=precision,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            callbacks=[*callbacks, kept],
            plugins=[_Whole()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        trainer.fit(lessons, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    return trainer


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C as everywhere: Lightning leaves it ignored from then on, and ends the process without a word."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as stop:
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from stop


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's tips, its surprise at a training that goes on, and what torch finds old-fashioned in it."""
    said = logging.getLogger("lightning.pytorch")
    before = said.level
    said.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            warnings.filterwarnings("ignore", "Checkpoint directory .* is not empty")
            yield
    finally:
        said.setLevel(before)
