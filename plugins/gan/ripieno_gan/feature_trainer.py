"""`trainer/picture_features`: learns the network by whose features pictures are compared."""

import json
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ripieno.contracts import Dataset, MissingError, Model, PluginConfig, Trainer
from ripieno.toolkit.torch import torch_threads

from .pictures import TRAIN, VALIDATION, listed

if TYPE_CHECKING:
    from .training.features import Flawed


class PictureFeaturesTrainerConfig(PluginConfig):
    """Settings of `PictureFeaturesTrainer`."""

    steps: int = Field(800, ge=1, description="Batches in all.", json_schema_extra={"unit": "steps"})
    batch: int = Field(16, ge=1, description="Pictures in a batch.", json_schema_extra={"unit": "pictures"})
    epoch: int = Field(
        100,
        ge=1,
        description="Batches after which an interrupted training goes on.",
        json_schema_extra={"unit": "steps"},
    )
    rate: float = Field(3e-3, gt=0, description="Of learning, at its highest.")
    size: int = Field(256, ge=64, description="Of a picture's side.", json_schema_extra={"unit": "pixels"})
    threads: int = Field(1, ge=1, description="Of torch.")


class PictureFeaturesTrainer(Trainer[PictureFeaturesTrainerConfig]):
    """Learns to tell families of pictures, and pictures from flawed ones, whatever their palette.

    What it sees on the way there is a measure of likeness for `trainer/gan` and `metric/generator`.
    """

    random = True

    def train(self, pictures: list[Dataset]) -> Model:
        """Train.

        Parameters
        ----------
        pictures : list of Dataset
            Of one form, with a ``family`` each.

        Returns
        -------
        Model
            ONNX: RGB ``pictures`` in, ``features``, ``families`` and ``faults`` out.

        Raises
        ------
        InputError
            If a split has no pictures, or forms are mixed.
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
        config = self.config
        families = tuple(sorted({picture.family for picture in listed(pictures)}))
        epoch = min(config.epoch, config.steps)
        with torch_threads(config.threads):
            return self._trained(
                self._flawed(pictures, families, TRAIN, epoch),
                self._flawed(pictures, families, VALIDATION, max(1, 256 // config.batch)),
            )

    def _flawed(
        self, pictures: list[Dataset], families: tuple[str, ...], split: str, number: int
    ) -> "Flawed":
        from .training.drawing import Material, of_one_form
        from .training.features import Flawed

        found = of_one_form(listed(pictures, split=split), what="learn" if split == TRAIN else "validate")
        material = Material(found, self.config.size, is_varied=False)
        return Flawed(material, families, self.config.batch, number, (self.context.seed, split == TRAIN))

    def _trained(self, training: "Flawed", validation: "Flawed") -> Model:
        import torch

        from .training.export import export
        from .training.features import FAULTS, PictureFeatures, train

        config = self.config
        torch.manual_seed(self.context.seed % 2**63)
        network = PictureFeatures(len(training.families))
        right = train(
            network,
            training,
            validation,
            steps=config.steps,
            rate=config.rate,
            folder=self.context.checkpoint,
            tell=lambda step: self.context.progress(step, config.steps, unit="steps"),
        )
        path = self.context.scratch / "picture-features.onnx"
        facts: dict[str, Any] = {"families": training.families, "faults": FAULTS, **right}
        export(
            network,
            path,
            example=torch.zeros(2, 3, config.size, config.size),
            inputs=["pictures"],
            outputs=["features", "families", "faults"],
            facts={"ripieno_picture_features": json.dumps(facts)},
        )
        pictures = len(training.material.pictures)
        return Model(
            path, {**config.model_dump(mode="json"), **facts, "seed": self.context.seed, "pictures": pictures}
        )
