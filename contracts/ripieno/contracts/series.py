"""Values at a steady frame rate.

Conventions
-----------
The first axis is time. Frame i belongs to second ``start_s + i / rate_hz`` of the audio (the centre of
its window, where it has one). Values are float32 and finite.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require, settle

if TYPE_CHECKING:
    from .events import Beats


def _series(values: Any, name: str, *, axes: int) -> NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    shape = array.shape
    require(array.ndim == axes, f"{name} has shape {shape}, expected {axes} axes, the first of them frames")
    require(np.isfinite(array).all(), f"{name} holds NaN or infinite values")
    return read_only(array)


def _rate(value: Any, name: str = "rate_hz") -> float:
    is_rate = isinstance(value, Real) and 0 < float(value) < np.inf
    require(is_rate, f"{name} is {value}: frames a second must be positive")
    return float(value)


def _start(value: Any) -> float:
    require(isinstance(value, Real) and np.isfinite(float(value)), f"start_s is {value!r}: it is seconds")
    return float(value)


def _names(given: Iterable[str], dimensions: int) -> tuple[str, ...]:
    names = tuple(map(str, given))
    require(len(names) == dimensions, f"{len(names)} names for {dimensions} dimensions")
    return names


@dataclass(frozen=True, eq=False)
class Features(Artifact):
    """Named values per frame.

    Parameters
    ----------
    values : ndarray [frames, dims]
        Float32, finite.
    names : tuple of str
        One a dimension.
    rate_hz : float
        Frames a second, > 0.
    start_s : float
        Time of frame 0.
    """

    kind = "features"
    values: NDArray[np.float32]
    names: tuple[str, ...]
    rate_hz: float
    start_s: float = 0.0

    def __post_init__(self) -> None:
        values = _series(self.values, "values", axes=2)
        names = _names(self.names, values.shape[1])
        settle(self, values=values, names=names, rate_hz=_rate(self.rate_hz), start_s=_start(self.start_s))

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each frame."""
        return self.start_s + np.arange(len(self.values)) / self.rate_hz

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """The series [frames] of that name.

        Raises
        ------
        InputError
            If there is none.
        """
        require(name in self.names, f"no feature {name!r}: there are {', '.join(self.names)}")
        return self.values[:, self.names.index(name)]

    def header(self) -> dict[str, Any]:
        """Kind, names, rate_hz and frames."""
        facts = {"names": list(self.names), "rate_hz": self.rate_hz, "frames": len(self.values)}
        return {"kind": self.kind, **facts}


@dataclass(frozen=True, eq=False)
class Activations(Artifact):
    """What a network says per frame, by named head.

    Parameters
    ----------
    heads : mapping of str to ndarray [frames, …]
        Float32, finite, all with the same number of frames.
    rate_hz : float
        Frames a second, > 0.
    start_s : float
        Time of frame 0.
    """

    kind = "activations"
    heads: Mapping[str, NDArray[np.float32]]
    rate_hz: float
    start_s: float = 0.0

    def __post_init__(self) -> None:
        heads = {
            name: _series(values, f"head {name}", axes=max(1, np.ndim(values)))
            for name, values in self.heads.items()
        }
        settle(self, heads=heads, rate_hz=_rate(self.rate_hz), start_s=_start(self.start_s))
        lengths = {name: len(values) for name, values in heads.items()}
        require(len(set(lengths.values())) <= 1, f"heads differ in frames: {lengths}")

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.heads[name]


@dataclass(frozen=True, eq=False)
class BeatClock(Artifact):
    """Tempo, phase and metre, hop by hop.

    Parameters
    ----------
    spb_s : ndarray [frames]
        Seconds per beat, > 0.
    phase : ndarray [frames]
        Place in the beat, 0 on it, in [0, 1).
    next_beat_s : ndarray [frames]
        Time of the next beat as it is expected in that frame, float64.
    metre_probabilities : ndarray [frames, metres]
        Of each of `metres`; rows sum to 1. No columns where metre is unknown.
    metres : tuple of int
        Beats a bar.
    rate_hz : float
        Frames a second, > 0.
    start_s : float
        Time of frame 0.
    """

    kind = "beat_clock"
    spb_s: NDArray[np.float32]
    phase: NDArray[np.float32]
    next_beat_s: NDArray[np.float64]
    metre_probabilities: NDArray[np.float32]
    metres: tuple[int, ...]
    rate_hz: float
    start_s: float = 0.0

    def __post_init__(self) -> None:
        settle(
            self,
            spb_s=_series(self.spb_s, "spb_s", axes=1),
            phase=_series(self.phase, "phase", axes=1),
            next_beat_s=read_only(np.asarray(self.next_beat_s, np.float64)),
            metre_probabilities=_series(self.metre_probabilities, "metre_probabilities", axes=2),
            metres=tuple(map(int, self.metres)),
            rate_hz=_rate(self.rate_hz),
            start_s=_start(self.start_s),
        )
        frames, rows = len(self.spb_s), self.metre_probabilities
        require(
            self.phase.shape == self.next_beat_s.shape == (frames,)
            and rows.shape == (frames, len(self.metres)),
            "the series of a beat clock differ in frames",
        )
        require((self.spb_s > 0).all(), "spb_s must be positive: it is seconds per beat")
        require(((self.phase >= 0) & (self.phase < 1)).all(), "phase must lie in [0, 1)")
        require(np.isfinite(self.next_beat_s).all(), "next_beat_s holds NaN or infinite times")
        sums = rows.sum(1) if self.metres else np.ones(frames)
        require(
            (rows >= 0).all() and np.allclose(sums, 1, atol=1e-3), "rows of metre_probabilities must sum to 1"
        )

    @property
    def tempo_bpm(self) -> NDArray[np.float32]:
        """Beats a minute, per frame."""
        return np.float32(60) / self.spb_s

    @classmethod
    def from_beats(cls, beats: "Beats", *, rate_hz: float, duration_s: float) -> "BeatClock":
        """The clock that known beats give: phase rises linearly from beat to beat.

        Before the first and after the last beat the nearest interval goes on; with fewer than two
        beats a beat is taken to last half a second (120 BPM).

        Parameters
        ----------
        beats : Beats
            In order.
        rate_hz : float
            Frames a second of the clock.
        duration_s : float
            Length of the audio; the clock has ceil(duration_s * rate_hz) frames.
        """
        times_s = np.arange(int(np.ceil(duration_s * rate_hz - 1e-9))) / rate_hz
        known_s = beats.times_s if len(beats.times_s) else np.zeros(1)
        if len(known_s) < 2:
            known_s = known_s[0] + np.array([0.0, 0.5])
        index = np.clip(np.searchsorted(known_s, times_s, side="right") - 1, 0, len(known_s) - 2)
        spb_s = np.diff(known_s)[index]
        beat = (times_s - known_s[index]) / spb_s
        phase = np.clip((beat % 1.0).astype(np.float32), 0, np.nextafter(np.float32(1), np.float32(0)))
        return cls(
            spb_s=spb_s.astype(np.float32),
            phase=phase,
            next_beat_s=known_s[index] + (np.floor(beat) + 1) * spb_s,
            metre_probabilities=np.zeros((len(times_s), 0), np.float32),
            metres=(),
            rate_hz=rate_hz,
        )


@dataclass(frozen=True, eq=False)
class Trajectory(Artifact):
    """Coefficients per frame of a film; what they blend is expanded where they are decoded.

    Parameters
    ----------
    coefficients : ndarray [frames, dims]
        Float32, finite.
    fps : float
        Frames a second, > 0.
    names : tuple of str
        One a dimension, or none.
    """

    kind = "trajectory"
    coefficients: NDArray[np.float32]
    fps: float
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        coefficients = _series(self.coefficients, "coefficients", axes=2)
        names = _names(self.names, coefficients.shape[1]) if len(self.names) else ()
        settle(self, coefficients=coefficients, names=names, fps=_rate(self.fps, "fps"))
