"""`metric/generator`: how a generator's pictures compare with those of a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ripieno.contracts import Dataset, InputError, Metric, Model, PluginConfig, Scores
from ripieno.toolkit.latents import GeneratorCard, blend
from ripieno.toolkit.onnx import onnx_session, run_network

from . import scores
from .pictures import CHANNELS, VALIDATION, fitted, listed, read
from .scores import Pictures

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

AT_ONCE = 8


class GeneratorScoresConfig(PluginConfig):
    """Settings of `GeneratorScores`."""

    count: int = Field(
        256, ge=4, description="Pictures on each side, at most.", json_schema_extra={"unit": "pictures"}
    )
    ways: int = Field(8, ge=1, description="Interpolations that are followed.")
    steps: int = Field(24, ge=2, description="Pictures along each.", json_schema_extra={"unit": "pictures"})


class GeneratorScores(Metric[GeneratorScoresConfig]):
    """Kernel distance, diversity, saturation, chroma and detail beside the validation's pictures, and evenness."""

    licences = (scores.LICENCE,)

    @classmethod
    def assets(cls, config: GeneratorScoresConfig) -> tuple[Any, ...]:
        return (scores.FEATURES,)

    def measure(self, model: Model, pictures: list[Dataset]) -> Scores:
        """Measure.

        Parameters
        ----------
        model : Model
            A generator with a `GeneratorCard`.
        pictures : list of Dataset
            As it was trained on; those of the split ``validation`` are compared with, all where it is empty.

        Returns
        -------
        Scores
            ``kid``; ratios ``diversity_ratio``, ``saturation_ratio``, ``chroma_ratio``, ``detail_low_ratio``,
            ``detail_mid_ratio``, ``detail_high_ratio``, in which 1 is as in the data; ``evenness``, 1 where an
            interpolation changes as much at each step.

        Raises
        ------
        InputError
            If the model is no generator, or the pictures are of another form.
        """
        generator = LoadedGenerator(model.path)
        real = real_pictures(pictures, generator, self.config.count)
        figures = figures_of(generator, real, ways=self.config.ways, steps=self.config.steps)
        return Scores(figures, compared_with=f"{len(real)} pictures of the data")


class LoadedGenerator:
    """A generator's file, ready to draw.

    Parameters
    ----------
    path : Path
        ``.onnx`` with a `GeneratorCard`.

    Raises
    ------
    InputError
        If it has none, or another shape than it says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session: InferenceSession = onnx_session(path, distribution="ripieno-gan")
        self.card = GeneratorCard.of_session(self.session, path)

    def draw(self, codes: Pictures) -> Pictures:
        """Pictures [n, channels, height, width] of codes.

        Raises
        ------
        InputError
            If they are not as its card says, or hold NaN.
        """
        parts = [
            run_network(
                self.session, self.path, {"latent": codes[at : at + AT_ONCE]}, outputs=[self.card.output]
            )[0]
            for at in range(0, len(codes), AT_ONCE)
        ]
        drawn = np.concatenate(parts)
        width, height = self.card.size
        shape = (len(codes), CHANNELS[self.card.output], height, width)
        if drawn.shape != shape:
            raise InputError(
                f"{self.path}: draws {list(drawn.shape)}, its card says {list(shape)}: export it again"
            )
        if not np.isfinite(drawn).all():
            raise InputError(f"{self.path}: draws NaN: its weights are broken: train or export it again")
        return drawn

    def mixtures(self, count: int) -> Pictures:
        """Codes of two of the bank each, one leading here and the other there, as in a film."""
        bank, rng = len(self.card.anchors), np.random.default_rng(0)
        codes = []
        for at in range(count):
            pair = [at % bank, int(rng.integers(bank))]
            share = rng.uniform(0, 1)
            codes.append(
                blend(
                    np.array([[share, 1 - share]], np.float32),
                    self.card.anchors[pair],
                    shape=self.card.latent_shape,
                    drift=rng.uniform(0, 1, (1, 2)).astype(np.float32),
                    tilt=float(rng.choice((0.0, 4.0))),
                )
            )
        return np.concatenate(codes)

    def ways(self, count: int, steps: int) -> Pictures:
        """Pictures [count, steps, channels, height, width] from codes of the bank to their next."""
        share = np.linspace(0, 1, steps)
        weights = np.stack([np.cos(share * np.pi / 2), np.sin(share * np.pi / 2)], axis=1)
        weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        bank = len(self.card.anchors)
        drawn = [
            self.draw(
                blend(weights, self.card.anchors[[at % bank, (at + 1) % bank]], shape=self.card.latent_shape)
            )
            for at in range(count)
        ]
        return np.stack(drawn)


def real_pictures(datasets: list[Dataset], generator: LoadedGenerator, count: int) -> Pictures:
    """Pictures of data sets as the generator's: form and size, float32 0 to 1.

    Raises
    ------
    InputError
        If there are fewer than two, or they are of another form.
    """
    card = generator.card
    found = listed(datasets, split=VALIDATION) or listed(datasets)
    fitting = [picture for picture in found if picture.form == card.output]
    if len(fitting) < 2:
        raise InputError(
            f"{generator.path} draws {card.output}: of such pictures the data has {len(fitting)}, "
            "and 2 are the least to compare with"
        )
    places = np.linspace(0, len(fitting) - 1, min(count, len(fitting))).astype(int)
    channels = CHANNELS[card.output]
    sized = [fitted(read(fitting[at].path, channels=channels), card.size) for at in places]
    return np.stack(sized).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def figures_of(
    generator: LoadedGenerator, real: Pictures, *, ways: int = 8, steps: int = 24
) -> dict[str, float]:
    """The figures of `GeneratorScores` beside real pictures [n, channels, height, width], 0 to 1."""
    drawn = generator.draw(generator.mixtures(len(real)))
    return {
        **scores.compared(real, drawn),
        "evenness": scores.evenness(generator.ways(ways, steps)),
    }
