"""`trainer/gan`: learns a generator of pictures, small enough for a film on a plain CPU."""

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ripieno.contracts import Dataset, InputError, MissingError, Model, PluginConfig, Trainer
from ripieno.toolkit.latents import GeneratorCard, principal_axes
from ripieno.toolkit.torch import torch_threads

from . import bank, scores
from .card import FACTS
from .measuring import LoadedGenerator, figures_of
from .pictures import TRAIN, VALIDATION, listed

if TYPE_CHECKING:
    from torch import Tensor

    from .training.drawing import Material
    from .training.lessons import GanLessons
    from .training.networks import Generator, Shape

AXES = 8
CANDIDATES = 1024


class GanTrainerConfig(PluginConfig):
    """Settings of `GanTrainer`."""

    width: Literal["small", "wide"] = Field(
        "small", description="0.5 M parameters, for films on a CPU, or 7 M, for a GPU."
    )
    size: Literal[256, 512] = Field(
        256,
        description="Of a picture's side; for 512 begin with a generator of 256 as `init`.",
        json_schema_extra={"unit": "pixels"},
    )
    first_steps: int = Field(
        900, ge=1, description="Batches before the discriminator joins.", json_schema_extra={"unit": "steps"}
    )
    steps: int = Field(
        2500,
        ge=2,
        description="Batches in all; these take half an hour of two cores.",
        json_schema_extra={"unit": "steps"},
    )
    batch: int = Field(8, ge=2, description="Pictures in a batch.", json_schema_extra={"unit": "pictures"})
    epoch: int = Field(
        100,
        ge=1,
        description="Batches between two validations, after which an interrupted training goes on.",
        json_schema_extra={"unit": "steps"},
    )
    rate: float = Field(2e-3, gt=0, description="Of learning before the discriminator joins, at its highest.")
    judged_rate: float = Field(1e-3, gt=0, description="Of learning after that, at its highest.")
    judging_rate: float = Field(1.5e-3, gt=0, description="Of the discriminator's learning, at its highest.")
    noise: float = Field(0.1, ge=0, le=1, description="Added to codes, whose root mean square is 1.")
    adversarial: float = Field(0.5, ge=0, description="Weight of what the discriminator says.")
    matching: float = Field(1.0, ge=0, description="Weight of the likeness of what the discriminator sees.")
    gamma: float = Field(10.0, ge=0, description="Weight of the R1 penalty.")
    penalty_every: int = Field(
        16, ge=1, description="Batches between two R1 penalties.", json_schema_extra={"unit": "steps"}
    )
    averaging: float = Field(
        0.999, ge=0, lt=1, description="Of weights: how much of the average a step keeps."
    )
    judged: int = Field(
        64, ge=4, le=1024, description="Pictures of a validation.", json_schema_extra={"unit": "pictures"}
    )
    anchors: int = Field(
        120, ge=1, le=256, description="Codes in the bank.", json_schema_extra={"unit": "codes"}
    )
    checkpointing: bool = Field(
        False, description="Whether to compute twice what would not fit in memory: slower by a third."
    )
    threads: int = Field(1, ge=1, description="Of torch.")

    @model_validator(mode="after")
    def _has_both_parts(self) -> "GanTrainerConfig":
        if self.first_steps >= self.steps:
            raise ValueError(
                f"first_steps is {self.first_steps} of {self.steps} steps in all: leave some for the discriminator"
            )
        return self


class GanTrainer(Trainer[GanTrainerConfig]):
    """Learns to draw pictures from codes: first to give them back, then against a discriminator.

    From pictures of two fields (`data_source/abstract`) it makes a generator of fields, which any palette colours;
    from RGB one of RGB. The checkpoint whose pictures lie nearest to the validation's by the kernel distance is kept.
    An interrupted training goes on from its last epoch.
    """

    random = True
    licences = (scores.LICENCE,)

    @classmethod
    def assets(cls, config: GanTrainerConfig) -> tuple[Any, ...]:
        return (scores.FEATURES,)

    def train(self, pictures: list[Dataset], *, init: Model | None = None) -> Model:
        """Train.

        Parameters
        ----------
        pictures : list of Dataset
            Whose manifests list ``pictures``, all of one form, each in a split, ``train`` or ``validation``.
        init : Model, optional
            A generator of this plugin, to begin with its weights.

        Returns
        -------
        Model
            ONNX with a `GeneratorCard`; its metadata has settings, data, figures and their history.

        Raises
        ------
        InputError
            If a split has too few pictures, forms are mixed, or `init` is another network's.
        MissingError
            If torch, lightning or onnx is not installed.
        """
        try:
            import lightning  # noqa: F401
            import onnx  # noqa: F401
        except ImportError as cause:
            raise MissingError(
                'training needs torch, lightning and onnx. Run: pip install "ripieno-gan[train]"'
            ) from cause
        training, validation = self._material(pictures, TRAIN), self._material(pictures, VALIDATION)
        with torch_threads(self.config.threads):
            return self._trained(training, validation, init)

    def _material(self, pictures: list[Dataset], split: str) -> "Material":
        from .training.drawing import Material, of_one_form

        found = of_one_form(listed(pictures, split=split), what="learn" if split == TRAIN else "validate")
        if len(found) < 4:
            raise InputError(f"{len(found)} pictures in the split {split}: make 4 at least")
        return Material(found, self.config.size, is_varied=split == TRAIN)

    def _trained(self, training: "Material", validation: "Material", init: Model | None) -> Model:
        import torch

        from .training.export import weights_of
        from .training.lessons import GanData, GanLessons, Lesson, train
        from .training.networks import Generator

        config = self.config
        fields = Lesson.__dataclass_fields__.keys() & config.model_dump().keys()
        lesson = Lesson(**{name: getattr(config, name) for name in fields})
        lesson = replace(lesson, epoch=min(lesson.epoch, lesson.steps))
        torch.manual_seed(self.context.seed % 2**63)
        generator = Generator(self._shape(training.channels), is_checkpointed=config.checkpointing)
        if init is not None:
            generator.load_state_dict(weights_of(init.path, generator))
        lessons = GanLessons(generator, lesson, seed=self.context.seed, judge=judge)
        best = train(
            lessons,
            GanData(training, validation, lesson, seed=self.context.seed, judged=config.judged),
            folder=self.context.checkpoint,
            tell=lambda step: self.context.progress(step, config.steps, unit="steps"),
        )
        state = torch.load(best, map_location="cpu", weights_only=True)["state_dict"]
        lessons.cpu().load_state_dict(state)
        return self._written(lessons, training, validation)

    def _shape(self, outputs: int) -> "Shape":
        from .training.networks import SMALL, WIDE

        shape = replace(WIDE if self.config.width == "wide" else SMALL, outputs=outputs)
        if self.config.size == 512:
            return replace(shape, channels=(*shape.channels, 8), blocks=(*shape.blocks, 1))
        return shape

    def _written(self, lessons: "GanLessons", training: "Material", validation: "Material") -> Model:
        path = self.context.scratch / "generator.onnx"
        facts = write(lessons, training, validation, path=path, anchors=self.config.anchors)
        card = {
            "settings": self.config.model_dump(mode="json"),
            "seed": self.context.seed,
            "pictures": {TRAIN: len(training.pictures), VALIDATION: len(validation.pictures)},
            **facts,
            "history": lessons.history,
        }
        return Model(path, card)


def write(
    lessons: "GanLessons", training: "Material", validation: "Material", *, path: Any, anchors: int
) -> dict[str, Any]:
    """Write the averaged generator of a training with its bank, and give the facts for its card.

    Parameters
    ----------
    lessons : GanLessons
    training, validation : Material
        Pictures that the bank is chosen from, and those that figures are measured on.
    path : Path
        ``.onnx``.
    anchors : int
        Codes in the bank.

    Returns
    -------
    dict
        JSON: ``step``, ``parameters``, ``anchor_families``, ``figures``.
    """
    import json

    import torch

    from .training.export import export

    generator, shape = lessons.averaged.float(), lessons.averaged.shape
    codes, families, seen = _faithful(*_candidates(lessons, training))
    places = bank.chosen(seen, families, anchors)
    kept = codes[places].astype(np.float16).astype(np.float32)
    card = GeneratorCard(
        kept.shape[1:],
        "fields" if shape.outputs == 2 else "rgb",
        (shape.size, shape.size),
        anchors=kept.reshape(len(kept), -1),
        axes=principal_axes(codes.reshape(len(codes), -1), AXES),
        projection=bank.answers(_drawn(generator, torch.from_numpy(kept))),
        features=bank.SOUND,
    )
    facts: dict[str, Any] = {
        "version": version("ripieno-gan"),
        "step": int(lessons.done),
        "parameters": sum(weight.numel() for weight in generator.parameters()),
        "anchor_families": [families[place] for place in places],
    }
    export(
        generator,
        path,
        example=torch.from_numpy(kept[:2]),
        inputs=["latent"],
        outputs=[card.output],
        facts={**card.to_metadata(), FACTS: json.dumps(facts)},
    )
    real = validation.first(256).float().numpy() / np.float32(255)
    return {**facts, "figures": {**figures_of(LoadedGenerator(path), real), "bytes": path.stat().st_size}}


def judge(real: "Tensor", drawn: "Tensor") -> dict[str, float]:
    """The figures of one validation."""
    return scores.compared(real.cpu().numpy(), drawn.float().cpu().numpy())


def _candidates(lessons: "GanLessons", training: "Material") -> tuple[Any, list[str], Any, Any]:
    """Codes of pictures of the training, their families, features of what they draw, and of the pictures."""
    import torch

    from .training.lessons import as_pictures

    places = np.linspace(0, len(training.pictures) - 1, min(CANDIDATES, len(training.pictures))).astype(int)
    real = torch.from_numpy(
        np.stack([training.picture(int(at)) for at in places]).transpose(0, 3, 1, 2).copy()
    )
    with torch.no_grad():
        parts = [
            lessons.averaged_encoder(as_pictures(part)).float() for part in torch.split(real, scores.AT_ONCE)
        ]
    codes = torch.cat(parts)
    seen = scores.features_of(_drawn(lessons.averaged.float(), codes))
    wanted = scores.features_of(real.numpy() / np.float32(255))
    return codes.numpy(), [training.pictures[at].family for at in places], seen, wanted


def _faithful(codes: Any, families: list[str], seen: Any, wanted: Any) -> tuple[Any, list[str], Any]:
    """The half of each family that is given back best: what no code can hold is drawn as camouflage."""
    missed = np.linalg.norm((seen - wanted) / (wanted.std(axis=0) + 1e-6), axis=1)
    names = np.asarray(families)
    limits = {name: np.median(missed[names == name]) for name in set(families)}
    kept = [at for at, name in enumerate(families) if missed[at] <= limits[name]]
    return codes[kept], [families[at] for at in kept], seen[kept]


def _drawn(generator: "Generator", codes: "Tensor") -> Any:
    """Pictures of codes, float32 [n, channels, size, size]."""
    import torch

    generator = generator.eval()
    with torch.no_grad():
        return torch.cat([generator(part).float() for part in torch.split(codes, scores.AT_ONCE)]).numpy()
