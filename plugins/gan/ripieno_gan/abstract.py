"""`data_source/abstract`: pictures made by formula, in five families, for a generator to learn from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ripieno.contracts import Context, Dataset, DataSource, Licence, PluginConfig, derive_seed

from . import pictures
from .families import FAMILIES
from .pictures import Entry, Form

BATCH = 16
ROUND = 256
"""Pictures between two reports of progress; workers wait for each other only there."""
OURS = Licence("CC0-1.0", source="data_source/abstract of ripieno-gan")


class AbstractConfig(PluginConfig):
    """Settings of `Abstract`."""

    count: int = Field(200, ge=1, description="How many pictures.", json_schema_extra={"unit": "pictures"})
    size: int = Field(256, ge=64, le=1024, description="Of a side.", json_schema_extra={"unit": "pixels"})
    families: tuple[str, ...] = Field(
        (), description="Kinds of pictures, one after the other; all where none is given."
    )
    form: Form = Field(
        "fields", description="Two fields that a palette colours later, or red, green and blue."
    )
    validation_share: float = Field(
        0.1, ge=0, le=1, description="Of the pictures, drawn from each one's seed."
    )

    @field_validator("families")
    @classmethod
    def _are_known(cls, families: tuple[str, ...]) -> tuple[str, ...]:
        pictures.require_known(families, FAMILIES)
        return families


class Abstract(DataSource[AbstractConfig]):
    """Warped noise, reaction and diffusion, flows, colour fields and glitches, made by formula: no weights needed."""

    random = True
    parallel = True

    def generate(self) -> Dataset:
        """`count` pictures, the families one after the other.

        The same for the same seed, whatever the number of workers; a larger set begins with the smaller. A
        picture of 256 x 256 takes 15 ms of one core.
        """
        config, context = self.config, self.context
        shared = {"seed": context.seed, "settings": config.model_dump(mode="json")}
        jobs = [
            {**shared, "first": first, "count": min(BATCH, config.count - first)}
            for first in range(0, config.count, BATCH)
        ]
        entries: list[Entry] = []
        for start in range(0, len(jobs), ROUND // BATCH):
            for made in context.map(make, jobs[start : start + ROUND // BATCH]):
                entries += made
            context.progress(len(entries), config.count, unit="pictures")
        return pictures.gathered(
            context.checkpoint,
            entries,
            source="data_source/abstract",
            settings=config.model_dump(mode="json"),
            seed=context.seed,
            licences=(OURS,),
        )


def make(job: Mapping[str, Any], context: Context) -> list[Entry]:
    """The pictures of one job, on a worker; those that are there are not made again."""
    config = AbstractConfig.model_validate(job["settings"])
    families = config.families or tuple(FAMILIES)
    entries = []
    for index in range(job["first"], job["first"] + job["count"]):
        name, family = f"abstract-{index:06d}", families[index % len(families)]
        seed = derive_seed(job["seed"], "picture", str(index))
        facts = {
            "family": family,
            "seed": seed,
            "split": pictures.split_of(seed, validation_share=config.validation_share),
        }
        entry = pictures.kept(context.checkpoint, name)
        entries.append(
            entry or pictures.keep(context.checkpoint, drawn(seed, family, config), name=name, facts=facts)
        )
    return entries


def drawn(seed: int, family: str, config: AbstractConfig) -> NDArray[np.uint8]:
    """A picture of a seed: uint8 [size, size, 2], or 3 for RGB."""
    from . import palettes

    rng = np.random.default_rng(seed)
    fields = FAMILIES[family](rng, config.size)
    if config.form == "rgb":
        return palettes.coloured(fields, palettes.drawn(rng))
    return (np.moveaxis(fields, 0, -1) * 255 + 0.5).astype(np.uint8)
