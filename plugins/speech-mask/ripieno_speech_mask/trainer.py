"""Trains the network of `separator/speech_mask` on mixtures drawn as it goes."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    Audio,
    Augmenter,
    Dataset,
    InputError,
    MissingError,
    Model,
    PluginConfig,
    PluginRef,
    Trainer,
)
from ripieno.toolkit.torch import torch_threads

from .features import HOP, RATE_HZ, tapers
from .separation import LookAhead

if TYPE_CHECKING:
    from .training.drawing import Material
    from .training.network import MaskNetwork


class SpeechMaskTrainerConfig(PluginConfig):
    """Settings of `SpeechMaskTrainer`."""

    look_ahead_s: LookAhead = Field(0.5, description="How far the network hears ahead.")
    steps: int = Field(9000, ge=1, description="Batches in all; 10,000 of 8 take half an hour on two cores.")
    batch: int = Field(8, ge=1, description="Mixtures in a batch.")
    clip_s: float = Field(
        4.0, ge=1, le=30, description="Length of a mixture.", json_schema_extra={"unit": "s"}
    )
    rate: float = Field(2e-2, gt=0, description="Of learning, at its highest.")
    epoch: int = Field(
        250, ge=1, description="Batches between two validations, after which an interrupted training goes on."
    )
    snr_db: tuple[float, float] = Field(
        (-5.0, 15.0), description="Speech over music, lowest and highest.", json_schema_extra={"unit": "dB"}
    )
    augmenter: PluginRef[Augmenter[Any]] | None = Field(
        None, description="What is done to a share of the clips of the data sets: a codec, a room."
    )
    augmented: float = Field(0.3, ge=0, le=1, description="Share of clips that the augmenter changes.")
    voices_share: float = Field(
        0.1, ge=0, le=1, description="Share of stretches of speech that come from `voices`, where given."
    )
    songs_share: float = Field(
        0.5, ge=0, le=1, description="Share of stretches of music that come from `songs`, where given."
    )
    threads: int = Field(1, ge=1, description="Of torch.")
    compiled: bool = Field(
        False,
        description="Whether a step's arithmetic is fused first: faster by half, but needs a C++ compiler.",
    )


class SpeechMaskTrainer(Trainer[SpeechMaskTrainerConfig]):
    """Learns which part of a spectrum is speech, from speech and music mixed anew for every step.

    Each step draws voices, music, rooms, colours, speeds and levels from the seed and its own number; the
    data sets' validation split and nothing else is validated on, at 0 dB. An interrupted training goes on from its
    last epoch.
    """

    random = True

    def train(
        self,
        speech: list[Dataset],
        music: list[Dataset],
        *,
        voices: list[Audio] | None = None,
        songs: list[Audio] | None = None,
        init: Model | None = None,
    ) -> Model:
        """Train.

        Parameters
        ----------
        speech, music : list of Dataset
            Whose manifests list ``clips`` with ``split`` and ``audio`` (else ``name`` with ``.flac``).
        voices, songs : list of Audio, optional
            Recordings of speech alone and of music alone.
        init : Model, optional
            What a training of this plugin gave, to begin with its weights.

        Returns
        -------
        Model
            ONNX; its metadata has the settings, the data and the gain on the validation.

        Raises
        ------
        InputError
            If there is no speech or no music in one of the splits, or `init` is another network's.
        MissingError
            If torch, lightning or onnx is not installed.
        """
        try:
            import lightning  # noqa: F401
            import onnx  # noqa: F401
        except ImportError as cause:
            raise MissingError(
                'training needs torch, lightning and onnx. Run: pip install "ripieno-speech-mask[train]"'
            ) from cause
        material = {
            split: self._material(speech, music, voices, songs, split) for split in ("train", "validation")
        }
        return self._trained(material["train"], material["validation"], init)

    def _material(
        self,
        speech: list[Dataset],
        music: list[Dataset],
        voices: list[Audio] | None,
        songs: list[Audio] | None,
        split: str,
    ) -> "Material":
        from .training.drawing import Material
        from .training.mixtures import Recipe
        from .training.sounds import Sounds, clips_of, clips_of_recordings

        rng = np.random.default_rng([self.context.seed, split == "train"])
        sounds = []
        augmenter = self.config.augmenter.plugin if self.config.augmenter else None
        config = self.config
        kinds = (("speech", speech, voices, config.voices_share), ("music", music, songs, config.songs_share))
        for name, sets, recordings, share in kinds:
            clips = [
                clip
                for data in sets
                for clip in clips_of(
                    data, split=split, augmenter=augmenter, share=self.config.augmented, rng=rng
                )
            ]
            if not clips:
                raise InputError(
                    f"the data sets of {name} have no clip in the split {split}: make more clips"
                )
            recorded = clips_of_recordings(recordings or []) if split == "train" else []
            sounds.append(Sounds(clips, recorded, recorded=share))
        recipe = Recipe(clip_s=self.config.clip_s, snr_db=self.config.snr_db)
        if split == "validation":
            recipe = replace(recipe, snr_db=(0.0, 0.0), music_alone=0.0, speech_alone=0.0)
        analysis, _ = tapers(self.config.look_ahead_s > 0)
        return Material(sounds[0], sounds[1], recipe, analysis.astype(np.float32))

    def _trained(self, training: "Material", validation: "Material", init: Model | None) -> Model:
        import torch

        from .training.drawing import Drawer
        from .training.export import export
        from .training.lessons import Lesson, MaskLessons, MixtureData, train

        config = self.config
        torch.manual_seed(self.context.seed % 2**63)
        network = self._network(init)
        lesson = Lesson(
            config.steps,
            clips=config.batch,
            rate=config.rate,
            epoch=min(config.epoch, config.steps),
            compiled=config.compiled,
        )
        with torch_threads(config.threads), Drawer([training, validation], clips=config.batch) as drawer:
            gain_db = train(
                MaskLessons(network, lesson),
                MixtureData(drawer, lesson, seed=self.context.seed),
                folder=self.context.checkpoint,
                tell=lambda step: self.context.progress(step, config.steps, unit="steps"),
            )
        path = self.context.scratch / "speech-mask.onnx"
        export(network, path)
        return Model(path, self._card(training, gain_db))

    def _network(self, init: Model | None) -> "MaskNetwork":
        from .training.export import weights_of
        from .training.network import MaskNetwork

        network = MaskNetwork(round(self.config.look_ahead_s * RATE_HZ / HOP))
        if init is not None:
            network.load_state_dict(weights_of(init.path, network))
        return network

    def _card(self, training: "Material", gain_db: float) -> dict[str, Any]:
        return {
            "look_ahead_s": self.config.look_ahead_s,
            "steps": self.config.steps,
            "batch": self.config.batch,
            "seed": self.context.seed,
            "speech_s": round(training.speech.duration_s),
            "music_s": round(training.music.duration_s),
            "validation_gain_db": round(gain_db, 2),
        }
