"""Whether there is music in a sound, as a tagger of AudioSet hears it, without any reference.

Conventions
-----------
The network is ONNX: ``log_mel`` float32 [1, 1, frames, 64] of `ripieno_speech_metrics.log_mel` in, and
``probabilities`` float32 [1, 527] of AudioSet's classes in their usual order out, class 137 being Music.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ripieno.contracts import Asset, Audio, InputError, Metric, MissingError, PluginConfig, PluginRef, Scores
from ripieno.toolkit.checkpoints import weights_file
from ripieno.toolkit.onnx import onnx_session, run_network

from .comparing import Samples, mean, parts_together, scored, told
from .log_mel import BANDS, RATE_HZ, log_mel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CLASSES, MUSIC = 527, 137
CLIP_S = 10
WHERE_FROM = (
    "metric/music_probability needs CNN14 of PANNs as ONNX. Get "
    "https://zenodo.org/records/3987831/files/Cnn14_mAP%3D0.431.pth (about 330 MB, CC-BY-4.0), then run: "
    'pip install "ripieno-speech-metrics[convert]"; '
    "python -m ripieno_speech_metrics.cnn14 Cnn14_mAP=0.431.pth cnn14.onnx, and set weights: cnn14.onnx"
)


class MusicProbabilityConfig(PluginConfig):
    """Settings of `MusicProbability`."""

    weights: Path | PluginRef[Asset] | None = Field(
        None,
        union_mode="left_to_right",
        description="The tagger: an ONNX file, or an entry of the catalogue that is one.",
    )


class MusicProbability(Metric[MusicProbabilityConfig]):
    """How probable music is in a sound, by CNN14 of PANNs.

    References
    ----------
    Kong, Cao, Iqbal, Wang, Wang, Plumbley: PANNs: large-scale pretrained audio neural networks for audio
    pattern recognition. IEEE/ACM TASLP 28, 2020.
    Gemmeke et al.: Audio Set: an ontology and human-labeled dataset for audio events. ICASSP 2017.
    """

    @classmethod
    def assets(cls, config: MusicProbabilityConfig) -> tuple[Path, ...]:
        return () if isinstance(config.weights, PluginRef) else (_file(config),)

    def measure(self, audio: Audio) -> Scores:
        """Figures of `audio`.

        Parameters
        ----------
        audio : Audio
            Heard in mono at 32 kHz, in equal parts of 10 s at most, as the tagger was trained; shorter ones
            have silence after them.

        Returns
        -------
        Scores
            ``music_probability``, 0 to 1, the mean of the parts, and ``music_probability_max``, the highest.
            Left out for empty audio.

        Raises
        ------
        MissingError
            If no weights are given or there, or onnxruntime is not installed.
        InputError
            If the file is not such a network.
        """
        session, path = self._tagger
        parts = parts_together([audio], rate_hz=RATE_HZ, longest_s=CLIP_S)
        found = [tag(session, part, path=path)[MUSIC] for (part,) in parts]
        values = {"music_probability": mean(found), "music_probability_max": max(found, default=np.nan)}
        against = f"no reference: {path.name} over {len(found)} parts of {told(audio)}"
        return scored(values, against=against, otherwise="the audio is empty")

    @cached_property
    def _tagger(self) -> "tuple[InferenceSession, Path]":
        path = _file(self.config)
        session = onnx_session(path, distribution="ripieno-speech-metrics", gpu=self.context.device == "cuda")
        taken, given = session.get_inputs(), session.get_outputs()
        if [port.name for port in (*taken, *given)] != ["log_mel", "probabilities"]:
            said = ", ".join(f"{port.name} {port.shape}" for port in (*taken, *given))
            wanted = f"log_mel [1, 1, frames, {BANDS}] in and probabilities [1, {CLASSES}] out"
            raise InputError(f"{path}: not a tagger: it has {said}, expected {wanted}. {WHERE_FROM}")
        return session, path


def tag(session: "InferenceSession", samples: Samples, *, path: Path) -> list[float]:
    """Probabilities of the 527 classes in samples [frames] at 32 kHz, of 10 s at most.

    Raises
    ------
    InputError
        If the network does not compute that many from these features.
    """
    clip = np.zeros(CLIP_S * RATE_HZ, np.float32)
    clip[: len(samples)] = samples
    features = {"log_mel": log_mel(clip)[None, None]}
    [probabilities] = run_network(session, path, features, outputs=["probabilities"])
    if probabilities.shape != (1, CLASSES):
        raise InputError(f"{path}: gives probabilities {probabilities.shape}, expected (1, {CLASSES})")
    return [float(value) for value in probabilities[0]]


def _file(config: MusicProbabilityConfig) -> Path:
    if config.weights is None:
        raise MissingError(WHERE_FROM)
    example = "cnn14.onnx, made of Cnn14_mAP=0.431.pth by ripieno_speech_metrics.cnn14 (CC-BY-4.0)"
    return weights_file(config.weights, such_as=example, asset="panns_cnn14")
