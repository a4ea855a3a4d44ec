"""Speech and what is not speech, told apart by a small network, whole files and live the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from ripieno.contracts import (
    Audio,
    AudioFormat,
    Chunk,
    Licence,
    Model,
    PluginConfig,
    Separator,
    Session,
    Stems,
    run_offline,
)

from .network import MaskNetwork
from .stream import SpeechStream

MODELS = Path(__file__).parent / "models"


def _one_of_two(look_ahead_s: float) -> float:
    if look_ahead_s not in (0.0, 0.5):
        raise ValueError("input should be 0.0 or 0.5")
    return look_ahead_s


LookAhead = Annotated[
    float, AfterValidator(_one_of_two), Field(json_schema_extra={"unit": "s", "enum": [0.0, 0.5]})
]


class SpeechMaskConfig(PluginConfig):
    """Settings of `SpeechMask`."""

    look_ahead_s: LookAhead = Field(
        0.5,
        description="How far the network hears ahead: 0.5 for files, the better one; 0 for live use, 32 ms "
        "late in all.",
    )


class SpeechMask(Separator[SpeechMaskConfig]):
    """Takes the music out from under a voice, on a plain CPU.

    A network of 1.6 million parameters hears mel bands and masks the bins of a short-time spectrum, the same
    mask for all channels; above 8 kHz it goes on with the mean of 4 to 8 kHz. `music` is the audio less
    `speech`, so the two sum to it.

    References
    ----------
    Weninger, Erdogan, Watanabe, et al.: Speech enhancement with LSTM recurrent neural networks and its
    application to noise-robust ASR. LVA/ICA 2015.
    Mauler, Martin: A low delay, variable resolution, perfect reconstruction spectral analysis-synthesis
    system for speech enhancement. EUSIPCO 2007.
    """

    causal = True
    licences = (Licence("Apache-2.0", credit="Speech mask network by the Ripieno developers"),)

    @classmethod
    def output_names(cls, config: SpeechMaskConfig) -> tuple[str, ...]:
        return ("speech", "music")

    def separate(self, audio: Audio, *, model: Model | None = None) -> Stems:
        """Speech and music of the audio.

        Parameters
        ----------
        audio : Audio
            Any rate and channels; made for 8 to 192 kHz.
        model : Model, optional
            A network of `trainer/speech_mask`, heard in place of the one that `look_ahead_s` names, with the
            look-ahead it was trained with.

        Returns
        -------
        Stems
            ``speech`` and ``music``, sample for sample where they are in the audio.

        Raises
        ------
        InputError
            If the model is something else.
        MissingError
            If the network or onnxruntime is not there.
        """
        session = _SpeechMaskSession(self._network(model), audio.format)
        with (
            self.context.audio_writer(audio.format) as speech,
            self.context.audio_writer(audio.format) as music,
        ):
            for chunk in run_offline(session, audio):
                assert chunk.samples is not None
                parts = np.split(chunk.samples, 2)
                speech.write(parts[0])
                music.write(parts[1])
                self.context.progress(chunk.until_s, audio.duration_s, unit="s")
            return Stems({"speech": speech.close(), "music": music.close()})

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        """A session that takes `audio` and gives the channels of `speech`, then those of `music`."""
        return _SpeechMaskSession(self._network(), formats["audio"])

    def _network(self, model: Model | None = None) -> MaskNetwork:
        return MaskNetwork(weights_path(self.config.look_ahead_s) if model is None else model.path)


def weights_path(look_ahead_s: float) -> Path:
    """The network that comes with the package for a look-ahead."""
    return MODELS / f"look-ahead-{look_ahead_s:g}.onnx"


class _SpeechMaskSession:
    def __init__(self, network: MaskNetwork, format: AudioFormat) -> None:
        self._stream = SpeechStream(network, format)
        self._nothing = np.zeros((format.channels, 0), np.float32)
        self._rate_hz = format.rate_hz
        self.latency = self._stream.latency
        self.format = AudioFormat(format.rate_hz, 2 * format.channels)
        self.reset()

    def reset(self) -> None:
        self._stream.reset()
        self._heard = self._nothing
        self._given = 0

    def push(self, **ports: Chunk) -> Chunk:
        samples = ports["audio"].samples
        samples = self._nothing if samples is None else samples
        self._heard = np.concatenate([self._heard, samples], axis=1)
        return self._stems(self._stream.push(samples))

    def flush(self) -> Chunk:
        return self._stems(self._stream.flush())

    def _stems(self, speech: NDArray[np.float32]) -> Chunk:
        count = speech.shape[1]
        mix, self._heard = self._heard[:, :count], self._heard[:, count:]
        self._given += count
        return Chunk(self._given / self._rate_hz, np.concatenate([speech, mix - speech]))
