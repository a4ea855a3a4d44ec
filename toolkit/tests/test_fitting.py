"""What Lightning does on its own account: it is kept quiet, interruptible, and its checkpoints whole."""

import logging
import signal
import tempfile
import warnings

import pytest

lightning = pytest.importorskip("lightning", reason="trainings need lightning and torch")

import torch  # noqa: E402
from torch import nn  # noqa: E402

from ripieno.toolkit.fitting import fit  # noqa: E402


class Line(lightning.LightningModule):
    """Learns a line; what else happens in a step is given."""

    def __init__(self, happens=lambda: None):
        super().__init__()
        self.line, self.happens = nn.Linear(1, 1), happens

    def training_step(self, batch, index):
        self.happens()
        return self.line(batch).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class OneBatch:
    def __len__(self):
        return 1

    def __iter__(self):
        yield torch.ones(2, 1)


class Ones(lightning.LightningDataModule):
    def train_dataloader(self):
        return OneBatch()


def test_an_interrupt_is_passed_on_and_works_again_afterwards(tmp_path):
    def interrupt():
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Line(interrupt), Ones(), folder=tmp_path, epochs=1)
    assert signal.getsignal(signal.SIGINT) is before is not signal.SIG_IGN


def test_checkpoints_are_written_beside_where_they_will_stand(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "another disk that is not there"))
    fit(Line(), Ones(), folder=tmp_path, epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_training_goes_on_after_the_last_epoch_that_is_whole(tmp_path):
    steps = []
    for epochs in (1, 3, 3):
        fit(Line(lambda: steps.append(1)), Ones(), folder=tmp_path, epochs=epochs)
    assert len(steps) == 3


def test_nothing_is_advertised_and_nothing_warned_of(tmp_path):
    said = []
    listener = logging.Handler()
    listener.emit = said.append
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    logger.addHandler(listener)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for epochs in (1, 2):
                fit(Line(), Ones(), folder=tmp_path, epochs=epochs)
    finally:
        logger.removeHandler(listener)
    assert said == [] and logger.level == before
