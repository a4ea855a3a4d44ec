"""A generator of a few weights and a data set of noise, made in a moment."""

import numpy as np
import torch

from ripieno.contracts import Dataset
from ripieno.contracts.codecs import DatasetFolder
from ripieno.toolkit.latents import GeneratorCard
from ripieno_gan import pictures
from ripieno_gan.card import FACTS
from ripieno_gan.training.export import export
from ripieno_gan.training.networks import Generator, Shape


def generator(path, *, weight=None, facts="{}", axes=2):
    """A generator of 32 x 32 pixels, all of whose weights may be one value."""
    torch.manual_seed(0)
    network = Generator(Shape((16, 8), (1, 1)))
    if weight is not None:
        for values in network.parameters():
            torch.nn.init.constant_(values, weight)
    codes = np.random.default_rng(0).standard_normal((3, 8 * 16 * 16))
    card = GeneratorCard((8, 16, 16), "fields", (32, 32), codes, codes[:axes], np.ones((3, 1)), ("rms",))
    export(
        network,
        path,
        example=torch.randn(2, 8, 16, 16),
        inputs=["latent"],
        outputs=["fields"],
        facts={**card.to_metadata(), FACTS: facts},
    )
    return str(path)


def data(folder, count):
    """A data set of noise, its folder."""
    rng = np.random.default_rng(1)
    kept = folder / "kept"
    kept.mkdir()
    entries = [
        pictures.keep(kept, rng.integers(0, 256, (32, 32, 2), np.uint8), name=f"{number}", facts={})
        for number in range(count)
    ]
    files = {entry["picture"]: kept / entry["picture"] for entry in entries}
    DatasetFolder().write(Dataset(files, {"pictures": entries}), folder / "data")
    return str(folder / "data")
