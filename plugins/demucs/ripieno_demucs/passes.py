"""One network over a whole sound, a segment at a time, in memory that does not grow with the sound.

Conventions
-----------
Arrays are float32: sounds [channels, frames], stems [stems, channels, frames]. Beyond its ends a sound is
silent. All is at the network's rate.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, ConfigError
from ripieno.toolkit.segments import overlap_add
from ripieno.toolkit.torch import torch_threads

if TYPE_CHECKING:
    from torch.nn import Module

_BLOCK_FRAMES = 1 << 16
_SILENCE = 1e-8


@dataclass(frozen=True)
class Sound:
    """Channels of audio with a mean of 0 and a deviation of 1, as the networks learnt to hear.

    Parameters
    ----------
    audio : Audio
        At the network's rate.
    channels : tuple of int
        Those of the audio that the network hears; one may come twice.
    mean, deviation : float
        Of their mono sum.
    """

    audio: Audio
    channels: tuple[int, ...]
    mean: float
    deviation: float

    @classmethod
    def of(cls, audio: Audio, channels: tuple[int, ...]) -> Self:
        """The channels, measured in one go over the audio."""
        total = squares = 0.0
        for block in audio.blocks(_BLOCK_FRAMES):
            mono = np.mean(block[channels, :], axis=0, dtype=np.float64)
            total += float(np.sum(mono))
            squares += float(np.sum(np.square(mono)))
        mean = total / max(1, audio.frames)
        variance = (squares - mean * total) / max(1, audio.frames - 1)
        return cls(audio, channels, mean, max(0.0, variance) ** 0.5 + _SILENCE)

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return self.audio.frames

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples [channels, stop - start] of any frames."""
        first, last = max(0, start), min(self.frames, stop)
        heard = np.zeros((len(self.channels), stop - start), np.float32)
        if first < last:
            samples = self.audio.read(first, last)[self.channels, :]
            level = (samples - np.float32(self.mean)) / np.float32(self.deviation)
            heard[:, first - start : last - start] = level
        return heard

    def at_its_level(self, heard: NDArray[np.float32]) -> NDArray[np.float32]:
        """What a network made of it, of the mean and deviation that the audio has."""
        return heard * np.float32(self.deviation) + np.float32(self.mean)


@dataclass(frozen=True, eq=False)
class Network:
    """A network, and how it is run.

    Parameters
    ----------
    module : torch.nn.Module
        HTDemucs, HDemucs or Demucs.
    segment_s : float or None
        What it sees at a time; its own where None.
    device : str
        Where it computes.
    bfloat16 : bool
        Whether products are computed in bfloat16.
    """

    module: "Module"
    segment_s: float | None = None
    device: str = "cpu"
    bfloat16: bool = False

    @property
    def rate_hz(self) -> int:
        """Rate of its sound."""
        return int(self._fact("samplerate"))

    @property
    def channels(self) -> int:
        """Channels of its sound."""
        return int(self._fact("audio_channels"))

    @property
    def stems(self) -> tuple[str, ...]:
        """What it gives."""
        return tuple(self._fact("sources"))

    @property
    def segment_frames(self) -> int:
        """Frames that it sees at a time.

        Raises
        ------
        ConfigError
            If that is longer than what a transformer was trained on.
        """
        longest_s = self._fact("segment")
        if self.segment_s is None:
            return int(self.rate_hz * longest_s)
        if is_transformer(self.module) and self.segment_s > longest_s:
            raise ConfigError(
                f"segment_s: {self.segment_s:g} s is longer than the {float(longest_s):g} s that this network was "
                "trained on. Take less, or leave it out"
            )
        return int(self.rate_hz * self.segment_s)

    def separate(self, sound: Sound, start: int, stop: int, stems: Sequence[int]) -> NDArray[np.float32]:
        """Some of its stems [stems, channels, stop - start] of a segment of the sound."""
        import torch

        frames = stop - start
        seen = self._frames_seen(frames)
        before = (seen - frames) // 2
        samples = torch.from_numpy(sound.read(start - before, start - before + seen))
        precision = torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bfloat16)
        with torch.inference_mode(), precision:
            parts = self.module(samples[None].to(self.device))[0]
        own = parts[list(stems), :, before : before + frames]
        result: NDArray[np.float32] = own.float().cpu().numpy()
        return result

    def _frames_seen(self, frames: int) -> int:
        """What must be fed to get `frames`: as much as the network was built for."""
        if is_transformer(self.module) and self.segment_s is not None:
            return self.segment_frames
        valid_length = getattr(self.module, "valid_length", None)
        return frames if valid_length is None else int(valid_length(frames))

    def _fact(self, name: str) -> Any:
        return getattr(self.module, name)


def is_transformer(module: "Module") -> bool:
    """Whether a network sees no more at a time than it was trained on."""
    return type(module).__name__ == "HTDemucs"


def separated(
    network: Network, sound: Sound, *, start: int, overlap: float, stems: Sequence[int]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Stems of a sound, block after block: segments laid over each other with triangular weights.

    Parameters
    ----------
    network : Network
    sound : Sound
    start : int
        Where the first segment begins, <= 0.
    overlap : float
        Of neighbouring segments, in [0, 1).
    stems : sequence of int
        Which of the network's.

    Yields
    ------
    first : int
        A frame; the first of the first block is 0.
    block : float32 array [stems, channels, frames]

    References
    ----------
    Défossez, Usunier, Bottou, Bach: Music source separation in the waveform domain. 2019.
    """
    segment = network.segment_frames
    hop = max(1, int((1 - overlap) * segment))
    segments = (
        network.separate(sound, first, min(first + segment, sound.frames), stems)
        for first in range(start, sound.frames, hop)
    )
    first = start
    for block in overlap_add(segments, taper=triangle(segment), hop=hop):
        early = max(0, -first)
        if early < block.shape[-1]:
            yield first + early, block[..., early:]
        first += block.shape[-1]


def triangle(frames: int) -> NDArray[np.float32]:
    """Weights of a segment's frames: 1 in the middle, falling to either end."""
    up = np.arange(1, frames // 2 + 1, dtype=np.float32)
    down = np.arange(frames - frames // 2, 0, -1, dtype=np.float32)
    weights = np.concatenate([up, down])
    return np.asarray(weights / weights.max(), np.float32)


class Sums:
    """Stems that are added up on disk.

    Use it as a context manager; its file is removed afterwards.

    Parameters
    ----------
    path : Path
        The file to make.
    stems, channels : int
    """

    def __init__(self, path: Path, *, stems: int, channels: int) -> None:
        self._path = path
        self._shape = (stems, channels)
        self._file = open(path, "w+b")  # noqa: SIM115  # closed by leaving the block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink()

    def add(self, first: int, block: NDArray[np.float32]) -> None:
        """Add a block [stems, channels, frames] that begins at a frame."""
        rows = self.read(first, first + block.shape[-1]) + block
        self._file.seek(self._place(first))
        self._file.write(np.moveaxis(rows, -1, 0).tobytes())

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """The sums [stems, channels, stop - start]; zeros where nothing was added."""
        self._file.seek(self._place(start))
        found = np.frombuffer(self._file.read(self._place(stop - start)), np.float32)
        rows = np.zeros((stop - start, *self._shape), np.float32)
        rows.reshape(-1)[: len(found)] = found
        return np.moveaxis(rows, 0, -1)

    def _place(self, frames: int) -> int:
        return 4 * frames * self._shape[0] * self._shape[1]


@contextmanager
def torch_settings(*, threads: int) -> Iterator[None]:
    """Have torch compute with so many threads within the block, and with its faster attention.

    What torch calls the fast path of attention is slower: it keeps whole matrices of weights where flash
    attention does without.
    """
    import torch

    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch_threads(threads):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
