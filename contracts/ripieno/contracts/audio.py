"""Sound, in memory or on disk, and named sounds of one length.

Conventions
-----------
Samples are float32 with full scale at 1.0, shown as [channels, frames]; a time is seconds from the
first sample. Long audio is read with `Audio.blocks` and written with `AudioWriter`, so that an hour
of stereo needs a few megabytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require, settle
from .formats import AudioFormat
from .provenance import Provenance
from .rows import MOST_CHANNELS, MemoryRows, RowsWriter, StoredRows, to_float32


@dataclass(frozen=True)
class AudioSpec:
    """What a port accepts; the planner puts a resampler or a downmix before it where it is fixed.

    Parameters
    ----------
    rate_hz : int or None
        Samples a second; None accepts any.
    channels : int or None
        Number of channels; None accepts any.
    """

    rate_hz: int | None = None
    channels: int | None = None

    def fits(self, format: AudioFormat) -> bool:
        """Whether audio of this format may enter as it is."""
        return self.rate_hz in (None, format.rate_hz) and self.channels in (None, format.channels)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Audio(Artifact):
    """Sound.

    Parameters
    ----------
    samples : ndarray [channels, frames] or [frames]
        Floating point, finite, full scale 1.0; one dimension is mono. Empty audio is legal. (Or rows of
        samples: what the store and `AudioWriter` keep on disk.)
    rate_hz : int
        Samples a second, > 0.

    Raises
    ------
    InputError
        If the samples are integers, not finite, not of that shape or of more than 64 channels, or the rate is
        not a positive integer.
    """

    kind = "audio"
    rows: MemoryRows | StoredRows
    rate_hz: int
    provenance: Provenance = field(default=Provenance(), kw_only=True)

    def __init__(
        self,
        samples: NDArray[np.floating[Any]] | MemoryRows | StoredRows,
        rate_hz: int,
        *,
        provenance: Provenance = Provenance(),
    ) -> None:
        require(
            isinstance(rate_hz, (int, np.integer)) and rate_hz > 0,
            f"rate_hz is {rate_hz!r}: a sample rate is a positive whole number of samples a second",
        )
        rows = samples if isinstance(samples, (MemoryRows, StoredRows)) else _rows(samples)
        settle(self, rows=rows, rate_hz=int(rate_hz), provenance=provenance)

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> Self:
        return cls(parts["rows"], parts["rate_hz"])

    def with_provenance(self, provenance: Provenance) -> Self:
        return type(self)(self.rows, self.rate_hz, provenance=provenance)

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return self.rows.shape[0]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.rows.shape[1]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz

    @property
    def format(self) -> AudioFormat:
        """Rate and channels."""
        return AudioFormat(self.rate_hz, self.channels)

    @property
    def samples(self) -> NDArray[np.float32]:
        """All samples, float32 [channels, frames], read-only; on disk they are mapped."""
        return self.rows.whole().T

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples [channels, stop - start] of frames [start, stop), clipped to the audio."""
        return self.rows.read(start, stop).T

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """All samples in blocks [channels, frames], the last one shorter."""
        for start in range(0, self.frames, frames):
            yield self.read(start, start + frames)

    def header(self) -> dict[str, Any]:
        """Kind, rate_hz, channels and frames."""
        facts = {"rate_hz": self.rate_hz, "channels": self.channels, "frames": self.frames}
        return {"kind": self.kind, **facts}

    def __repr__(self) -> str:
        return f"Audio({self.rate_hz} Hz, {self.channels} channels, {self.duration_s:.3f} s)"


def _rows(samples: NDArray[np.floating[Any]]) -> MemoryRows:
    samples = np.asarray(samples)
    require(
        np.issubdtype(samples.dtype, np.floating),
        f"samples are {samples.dtype}: audio is floating point with full scale 1.0. "
        "Divide integers by their full scale, e.g. int16 by 32768",
    )
    rows = samples[:, None] if samples.ndim == 1 else samples.T
    is_sound = rows.ndim == 2 and rows.shape[1] >= 1
    require(is_sound, f"samples have shape {samples.shape}, expected [channels, frames] or [frames]")
    require(
        rows.shape[1] <= MOST_CHANNELS,
        f"samples have shape {samples.shape}: {rows.shape[1]} channels are more than the {MOST_CHANNELS} that "
        "audio may have. It is [channels, frames]; if yours is [frames, channels], give samples.T",
    )
    # A view, not the caller's array: what it does to its own array later is its own affair.
    return MemoryRows(read_only(to_float32(rows)))


class AudioWriter:
    """Writes audio block by block; the result is an `Audio` that is read from disk.

    Use it as a context manager: an exception removes what was written.

    Parameters
    ----------
    path : Path
        The file to make.
    format : AudioFormat
        Rate and channels of what is written.
    """

    def __init__(self, path: Path, format: AudioFormat) -> None:
        self.format = format
        self._writer = RowsWriter(path, channels=format.channels)

    def write(self, samples: NDArray[np.floating[Any]]) -> None:
        """Append samples [channels, frames].

        Raises
        ------
        InputError
            If the shape does not fit or a sample is NaN or infinite.
        """
        self._writer.write(samples.T)

    def close(self) -> Audio:
        """Finish, and give what was written."""
        return Audio(self._writer.close(), self.format.rate_hz)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: object, *rest: object) -> None:
        self._writer.__exit__(error_type, *rest)


@dataclass(frozen=True, eq=False)
class Stems(Artifact):
    """Named parts of one recording; it is iterated by name, ``stems["vocals"]`` is one of them.

    Parameters
    ----------
    items : mapping of str to Audio
        All of one rate and length.

    Raises
    ------
    InputError
        If rates or lengths differ, or a name has a slash, a dot or what else a file name cannot have.
    """

    kind = "stems"
    items: Mapping[str, Audio]

    def __post_init__(self) -> None:
        shapes = {name: (audio.rate_hz, audio.frames) for name, audio in self.items.items()}
        require(len(set(shapes.values())) <= 1, f"stems differ in rate or length: {shapes}")
        for name in self.items:
            is_name = name and name.isprintable() and not set(name) & set('/\\.:*?"<>|')
            require(
                is_name, f"{name!r} is no name of a stem: it becomes a file name, and step.name in a pipeline"
            )
        settle(self, items=dict(self.items))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stems, in order."""
        return tuple(self.items)

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, name: str) -> Audio:
        return self.items[name]

    def header(self) -> dict[str, Any]:
        """Kind, and the header of every stem."""
        return {"kind": self.kind, "items": {name: audio.header() for name, audio in self.items.items()}}
