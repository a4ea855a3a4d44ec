"""Sound to activations: how likely it is, frame by frame, that a beat or a downbeat falls there."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import (
    Activations,
    Audio,
    AudioFormat,
    AudioSpec,
    Chunk,
    Framer,
    InputError,
    Latency,
    Licence,
    PluginConfig,
    SeriesFormat,
    Session,
    StreamFormat,
    Transcriber,
)
from ripieno.contracts.streaming import run_offline

from .features import AHEAD, FRAMES_PER_S, HOP, RATE_HZ, WINDOW, BeatFeatures
from .network import BeatNetwork, Weights

SPEC = AudioSpec(rate_hz=RATE_HZ, channels=1)
FORMAT = SeriesFormat(FRAMES_PER_S, ("beat", "downbeat"))
LATENCY = Latency(window_s=AHEAD / RATE_HZ, hop_s=HOP / RATE_HZ)
CREDIT = Licence(
    "CC-BY-4.0",
    credit="BeatNet weights by M. Heydari, F. Cwitkowitz and Z. Duan (ISMIR 2021), converted to ONNX",
    source="https://github.com/mjhydri/BeatNet",
)

_BLOCK = 1 << 14
_TOLERANCE_S = HOP / RATE_HZ


class ActivationsConfig(PluginConfig):
    """Settings of `BeatNetActivations`."""

    weights: Weights = Field(
        1,
        description="Published set of weights, named by the corpus it was not trained on: "
        "1 GTZAN, 2 Ballroom, 3 Rock corpus.",
    )


class BeatNetActivations(Transcriber[ActivationsConfig]):
    """Probabilities of beats and downbeats, 50 a second, by BeatNet's network.

    References
    ----------
    Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and
    meter tracking. ISMIR 2021.
    """

    accepts = {"audio": SPEC}
    causal = True
    licences = (CREDIT,)

    def transcribe(self, audio: Audio) -> Activations:
        """Activations of the audio.

        Parameters
        ----------
        audio : Audio
            22050 Hz, mono.

        Returns
        -------
        Activations
            Head ``beat``, that any beat falls in the frame, and head ``downbeat``, that a downbeat does;
            frame i is centred on second i / 50.

        Raises
        ------
        InputError
            If rate or channels are others.
        MissingError
            If onnxruntime is not installed.
        """
        chunks = run_offline(self.stream({"audio": audio.format}), audio)
        return Activations.from_rows(joined_rows(chunks), FORMAT)

    def stream(self, formats: Mapping[str, StreamFormat]) -> Session:
        """A session that takes `audio` and gives rows of (beat, downbeat)."""
        require_format(formats["audio"])
        return _ActivationSession(self.config.weights)


def require_format(format: StreamFormat) -> None:
    """Refuse what is not mono at 22050 Hz.

    Raises
    ------
    InputError
        Saying which effects make it fit.
    """
    if not (isinstance(format, AudioFormat) and SPEC.fits(format)):
        raise InputError(
            f"BeatNet hears mono at {RATE_HZ} Hz, not {format}: put effect/downmix with channels 1 and "
            f"effect/resample with rate_hz {RATE_HZ} before"
        )


def joined_rows(chunks: Iterable[Chunk]) -> NDArray[np.float32]:
    """The rows [frames, columns] of chunks that have some, one after the other."""
    return np.concatenate([chunk.samples for chunk in chunks if chunk.samples is not None])


class ActivationStream:
    """Activations of mono sound at 22050 Hz that arrives in blocks of any size.

    Parameters
    ----------
    weights : int
        Published set of weights, 1 to 3.
    """

    def __init__(self, weights: Weights) -> None:
        self._framer = Framer(window=WINDOW, hop=HOP, start=AHEAD + 1 - WINDOW)
        self._features = BeatFeatures()
        self._network = BeatNetwork(weights)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows [frames, 2] of (beat, downbeat) that samples [1, frames] complete."""
        return self._rows(self._framer.push(samples))

    def flush(self) -> NDArray[np.float32]:
        """The rows that are left: ceil(samples / 441) in all."""
        return self._rows(self._framer.flush())

    def reset(self) -> None:
        """Forget everything, as new."""
        self._framer.reset()
        self._features.reset()
        self._network.reset()

    def _rows(self, windows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        heard = np.reshape(windows, (-1, WINDOW)).astype(np.float32, copy=False)
        beat, downbeat, _ = self._network.frames(self._features.frames(heard)).T
        # The two sum to 1 at most, but for rounding.
        return np.minimum(np.column_stack([beat + downbeat, downbeat]), 1)


class SteadyAudio:
    """Counts the samples of a stream, and refuses it where its clock does not go with them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as new."""
        self._samples = 0

    @property
    def heard_s(self) -> float:
        """Time of the end of what was heard."""
        return self._samples / RATE_HZ

    def blocks(self, chunk: Chunk) -> Iterator[NDArray[np.float32]]:
        """The samples of a chunk in blocks [1, frames] of bounded size.

        Raises
        ------
        InputError
            If the watermark says that the rate is another, or that something is missing.
        """
        samples = np.zeros((1, 0), np.float32) if chunk.samples is None else chunk.samples
        expected_s = (self._samples + samples.shape[1]) / RATE_HZ
        if abs(chunk.until_s - expected_s) > _TOLERANCE_S:
            raise InputError(
                f"the audio has reached {chunk.until_s:.3f} s, but its samples at {RATE_HZ} Hz make "
                f"{expected_s:.3f} s: its rate changed, or samples are missing. Begin a new session"
            )
        for start in range(0, max(1, samples.shape[1]), _BLOCK):
            block = samples[:, start : start + _BLOCK]
            self._samples += block.shape[1]
            yield block


class _ActivationSession:
    latency = LATENCY
    format = FORMAT

    def __init__(self, weights: Weights) -> None:
        self._audio = SteadyAudio()
        self._activations = ActivationStream(weights)
        self._frames = 0

    def push(self, **ports: Chunk) -> Chunk:
        blocks = self._audio.blocks(ports["audio"])
        rows = np.concatenate([self._activations.push(block) for block in blocks])
        self._frames += len(rows)
        return Chunk(self._frames / FRAMES_PER_S, rows)

    def flush(self) -> Chunk:
        return Chunk(self._audio.heard_s, self._activations.flush())

    def reset(self) -> None:
        self._audio.reset()
        self._activations.reset()
        self._frames = 0
