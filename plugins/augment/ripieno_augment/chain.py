"""Several augmenters in a row."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from pydantic import Field

from ripieno.contracts import Augmenter, Example, PluginConfig, PluginRef

from .draws import drawn, plain
from .mix import MixesOthers
from .pairs import Pair


class ChainStep(PluginConfig):
    """One augmenter of a chain."""

    augmenter: PluginRef[Augmenter[Any]] = Field(PluginRef("augmenter/gain"), description="What is done.")
    probability: float = Field(1.0, ge=0, le=1, description="How likely.")


def _steps(*names: str) -> tuple[ChainStep, ...]:
    return tuple(ChainStep(augmenter=PluginRef(f"augmenter/{name}"), probability=0.5) for name in names)


class ChainConfig(PluginConfig):
    """Settings of `Chain`."""

    steps: tuple[ChainStep, ...] = Field(
        _steps("eq", "compressor", "room", "noise", "gain"), description="In the order they are applied."
    )


@dataclass(frozen=True)
class StepDraw:
    """One augmenter's part in a chain.

    Parameters
    ----------
    step : int
        Which of the chain's steps.
    draw : JSON
        What it drew.
    """

    step: int
    draw: Any


@dataclass(frozen=True)
class ChainDraw:
    """What was drawn for one use of `Chain`; steps that are not in it are left out."""

    steps: tuple[StepDraw, ...]


class Chain(Augmenter[ChainConfig]):
    """Augmenters one after the other, each with a probability."""

    def draw(self, rng: np.random.Generator) -> ChainDraw:
        steps = []
        for index, step in enumerate(self.config.steps):
            # Each has numbers of its own, so that one step's settings leave the others' draws alone.
            own = np.random.default_rng(int(rng.integers(2**63)))
            if own.random() < step.probability:
                steps.append(StepDraw(index, plain(self._augmenters[index].draw(own))))
        return ChainDraw(tuple(steps))

    def apply(self, example: Example, draw: ChainDraw) -> Example:
        for step in draw.steps:
            augmenter = self._augmenters[step.step]
            example = augmenter.apply(example, drawn(augmenter, step.draw))
        return example

    def among(self, others: tuple[Pair, ...]) -> Self:
        """The same, with other examples for those steps that mix them in."""
        steps = tuple(
            step.model_copy(update={"augmenter": PluginRef.of(step.augmenter.plugin.among(others))})
            if isinstance(step.augmenter.plugin, MixesOthers)
            else step
            for step in self.config.steps
        )
        return type(self)(self.config.model_copy(update={"steps": steps}))

    @property
    def _augmenters(self) -> tuple[Augmenter[Any], ...]:
        return tuple(step.augmenter.plugin for step in self.config.steps)
