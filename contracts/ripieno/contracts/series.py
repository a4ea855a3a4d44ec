"""Values at a steady frame rate.

Conventions
-----------
The first axis is time. Frame i belongs to second ``start_s + i / rate_hz`` of the audio (the centre of
its window, where it has one). Values are float32 and finite. Every series is also rows [frames, columns]
of a `SeriesFormat`: that is how it streams.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .artifact import Artifact, read_only, require, settle
from .formats import SeriesFormat

if TYPE_CHECKING:
    from .events import Beats

PROBABILITIES = (
    "confidence",
    "downbeat_probability",
    "other_probability",
    "beat_activation",
    "downbeat_activation",
)
BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))


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


def _plain(value: Any, name: str) -> Any:
    """A JSON value as it comes back from disk: lists are tuples."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        require(isfinite(value), f"{name} is {value}: JSON has no such number")
        return value
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str) or key.startswith("$")]
        require(not odd, f"{name} has the name {', '.join(map(repr, odd))}: names are text without a $ first")
        return {key: _plain(item, f"{name}.{key}") for key, item in value.items()}
    require(isinstance(value, (list, tuple)), f"{name} is a {type(value).__name__}, which is no JSON value")
    return tuple(_plain(item, f"{name}[{index}]") for index, item in enumerate(value))


class Series(Artifact):
    """What all series have."""

    @property
    def rows(self) -> NDArray[np.float32]:
        """All its values as [frames, columns]."""
        raise NotImplementedError

    @property
    def format(self) -> SeriesFormat:
        """Rate, names of the columns and start."""
        raise NotImplementedError

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        """The series of these rows [frames, columns]; the inverse of `rows` and `format`."""
        raise NotImplementedError

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Time of each frame."""
        return _times_s(len(self.rows), self.format)


def _times_s(frames: int, format: SeriesFormat) -> NDArray[np.float64]:
    return format.start_s + np.arange(frames) / format.rate_hz


@dataclass(frozen=True, eq=False)
class Features(Series):
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
    def rows(self) -> NDArray[np.float32]:
        return self.values

    @property
    def format(self) -> SeriesFormat:
        return SeriesFormat(self.rate_hz, self.names, self.start_s)

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        return cls(rows, format.names, format.rate_hz, format.start_s)

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
class Activations(Series):
    """What a network says per frame, by named head.

    As rows, a head [frames] is a column of its name, a wider one is the columns ``name.0``, ``name.1``, …

    Parameters
    ----------
    heads : mapping of str to ndarray [frames] or [frames, dims]
        Float32, finite, all with the same number of frames; a name holds no dot.
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
            name: _series(values, f"head {name}", axes=2 if np.ndim(values) == 2 else 1)
            for name, values in self.heads.items()
        }
        settle(self, heads=heads, rate_hz=_rate(self.rate_hz), start_s=_start(self.start_s))
        lengths = {name: len(values) for name, values in heads.items()}
        require(len(set(lengths.values())) <= 1, f"heads differ in frames: {lengths}")
        dotted = [name for name in heads if "." in name]
        require(not dotted, f"the name of a head holds no dot: {', '.join(dotted)}")

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """The head of that name.

        Raises
        ------
        InputError
            If there is none.
        """
        require(name in self.heads, f"no head {name!r}: there are {', '.join(self.heads)}")
        return self.heads[name]

    @property
    def rows(self) -> NDArray[np.float32]:
        columns = [head[:, None] if head.ndim == 1 else head for head in self.heads.values()]
        return np.concatenate(columns, axis=1) if columns else np.zeros((0, 0), np.float32)

    @property
    def format(self) -> SeriesFormat:
        names = [
            name if head.ndim == 1 else f"{name}.{index}"
            for name, head in self.heads.items()
            for index in range(1 if head.ndim == 1 else head.shape[1])
        ]
        return SeriesFormat(self.rate_hz, tuple(names), self.start_s)

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(format.names):
            places.setdefault(name.partition(".")[0], []).append(place)
        heads = {
            name: rows[:, columns] if f"{name}.0" in format.names else rows[:, columns[0]]
            for name, columns in places.items()
        }
        return cls(heads, format.rate_hz, format.start_s)


@dataclass(frozen=True, eq=False)
class BeatClock(Series):
    """Tempo, phase and metre, frame by frame.

    As rows, the columns are `BeatClock.columns`: the next beat stands there as the time until it.

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
    confidence : ndarray [frames], optional
        In [0, 1]; 1 where not given.
    downbeat_probability : ndarray [frames], optional
        That the beat under way began the bar, in [0, 1]; 0 where not given.
    other_spb_s : ndarray [frames], optional
        Seconds per beat in the other octave that the music could be counted in; half the tempo where not
        given.
    other_probability : ndarray [frames], optional
        How likely that one is beside the chosen one, in [0, 1]; 0 where not given.
    beat_activation, downbeat_activation : ndarray [frames], optional
        What was heard in that frame alone, in [0, 1]; 0 where not given.
    """

    kind = "beat_clock"
    spb_s: NDArray[np.float32]
    phase: NDArray[np.float32]
    next_beat_s: NDArray[np.float64]
    metre_probabilities: NDArray[np.float32]
    metres: tuple[int, ...]
    rate_hz: float
    start_s: float = 0.0
    confidence: NDArray[np.float32] = None  # type: ignore[assignment]  # filled below, never None after
    downbeat_probability: NDArray[np.float32] = None  # type: ignore[assignment]
    other_spb_s: NDArray[np.float32] = None  # type: ignore[assignment]
    other_probability: NDArray[np.float32] = None  # type: ignore[assignment]
    beat_activation: NDArray[np.float32] = None  # type: ignore[assignment]
    downbeat_activation: NDArray[np.float32] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        spb_s = _series(self.spb_s, "spb_s", axes=1)
        frames = len(spb_s)

        def filled(name: str, default: Any) -> NDArray[np.float32]:
            given = getattr(self, name)
            return _series(np.broadcast_to(default, frames) if given is None else given, name, axes=1)

        settle(
            self,
            spb_s=spb_s,
            phase=_series(self.phase, "phase", axes=1),
            next_beat_s=read_only(np.asarray(self.next_beat_s, np.float64)),
            metre_probabilities=_series(self.metre_probabilities, "metre_probabilities", axes=2),
            metres=tuple(map(int, self.metres)),
            rate_hz=_rate(self.rate_hz),
            start_s=_start(self.start_s),
            confidence=filled("confidence", 1),
            downbeat_probability=filled("downbeat_probability", 0),
            other_spb_s=filled("other_spb_s", 2 * spb_s),
            other_probability=filled("other_probability", 0),
            beat_activation=filled("beat_activation", 0),
            downbeat_activation=filled("downbeat_activation", 0),
        )
        self._check(frames)

    def _check(self, frames: int) -> None:
        rows = self.metre_probabilities
        probabilities = {name: getattr(self, name) for name in PROBABILITIES}
        series = (self.phase, self.next_beat_s, self.other_spb_s, *probabilities.values())
        require(
            all(values.shape == (frames,) for values in series) and rows.shape == (frames, len(self.metres)),
            "the series of a beat clock differ in frames",
        )
        positive = (self.spb_s > 0).all() and (self.other_spb_s > 0).all()
        require(positive, "spb_s must be positive: it is seconds per beat")
        require(((self.phase >= 0) & (self.phase < 1)).all(), "phase must lie in [0, 1)")
        require(np.isfinite(self.next_beat_s).all(), "next_beat_s holds NaN or infinite times")
        sums = rows.sum(1) if self.metres else np.ones(frames)
        require(
            (rows >= 0).all() and np.allclose(sums, 1, atol=1e-3), "rows of metre_probabilities must sum to 1"
        )
        for name, values in probabilities.items():
            require(((values >= 0) & (values <= 1)).all(), f"{name} must lie in [0, 1]")

    @property
    def tempo_bpm(self) -> NDArray[np.float32]:
        """Beats a minute, per frame."""
        return np.float32(60) / self.spb_s

    @staticmethod
    def columns(metres: Iterable[int]) -> tuple[str, ...]:
        """Names of the columns of a clock as rows, for these metres."""
        return (
            *("spb_s", "phase", "next_beat_in_s", "other_spb_s"),
            *PROBABILITIES,
            *(f"metre_{metre}" for metre in metres),
        )

    @property
    def rows(self) -> NDArray[np.float32]:
        next_beat_in_s = (self.next_beat_s - _times_s(len(self.spb_s), self.format)).astype(np.float32)
        times = (self.spb_s, self.phase, next_beat_in_s, self.other_spb_s)
        probabilities = (getattr(self, name) for name in PROBABILITIES)
        return np.column_stack([*times, *probabilities, self.metre_probabilities])

    @property
    def format(self) -> SeriesFormat:
        return SeriesFormat(self.rate_hz, self.columns(self.metres), self.start_s)

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        first_metre = len(cls.columns(()))
        spb_s, phase, next_beat_in_s, other_spb_s, *probabilities = rows[:, :first_metre].T
        return cls(
            spb_s=spb_s,
            phase=phase,
            next_beat_s=_times_s(len(rows), format) + next_beat_in_s,
            metre_probabilities=rows[:, first_metre:],
            metres=tuple(int(name.removeprefix("metre_")) for name in format.names[first_metre:]),
            rate_hz=format.rate_hz,
            start_s=format.start_s,
            other_spb_s=other_spb_s,
            **dict(zip(PROBABILITIES, probabilities, strict=True)),
        )

    @classmethod
    def from_beats(cls, beats: "Beats", *, rate_hz: float, duration_s: float) -> "BeatClock":
        """The clock that known beats give: phase rises linearly from beat to beat.

        Before the first and after the last beat the nearest interval goes on; with fewer than two
        beats a beat is taken to last half a second (120 BPM). Confidence and downbeat are those of the
        beat under way; confidence is 0 where there are no beats.

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
        phase = np.clip((beat % 1.0).astype(np.float32), 0, BELOW_ONE)
        confidence, downbeat = np.zeros((2, len(times_s)), np.float32)
        if len(beats.times_s):
            under_way = np.clip(np.searchsorted(beats.times_s, times_s, side="right") - 1, 0, None)
            confidence = beats.confidence[under_way]
            begun = (beats.positions[under_way] == 1) & (times_s >= beats.times_s[under_way])
            downbeat = begun.astype(np.float32)
        return cls(
            spb_s=spb_s.astype(np.float32),
            phase=phase,
            next_beat_s=known_s[index] + (np.floor(beat) + 1) * spb_s,
            metre_probabilities=np.zeros((len(times_s), 0), np.float32),
            metres=(),
            rate_hz=rate_hz,
            confidence=confidence,
            downbeat_probability=downbeat,
        )


@dataclass(frozen=True, eq=False)
class Trajectory(Series):
    """Coefficients per frame of a film; what they blend is expanded where they are decoded.

    As rows, it has no look: that does not change from frame to frame.

    Parameters
    ----------
    coefficients : ndarray [frames, dims]
        Float32, finite.
    fps : float
        Frames a second, > 0.
    names : tuple of str
        One a dimension, or none.
    look : mapping of str to JSON
        What stays the same over the whole film and its renderer must know: palette, settings of effects.
        Lists in it become tuples.
    """

    kind = "trajectory"
    coefficients: NDArray[np.float32]
    fps: float
    names: tuple[str, ...] = ()
    look: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        coefficients = _series(self.coefficients, "coefficients", axes=2)
        names = _names(self.names, coefficients.shape[1]) if len(self.names) else ()
        require(isinstance(self.look, Mapping), f"look is a {type(self.look).__name__}, expected a mapping")
        look = _plain(self.look, "look")
        settle(self, coefficients=coefficients, names=names, fps=_rate(self.fps, "fps"), look=look)

    @property
    def rows(self) -> NDArray[np.float32]:
        return self.coefficients

    @property
    def format(self) -> SeriesFormat:
        return SeriesFormat(self.fps, self.names)

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        return cls(rows, format.rate_hz, format.names)
