"""What is known of the music on the slow clock: the contract ``slow_state.v1``.

Conventions
-----------
Frame k belongs to second k * 1024 / 48000 of the stream (46.875 frames a second), never of the wall clock.
Labels, horizons and the JSON of a state are frozen in ``frozen/slow_state.v1.json``, which browsers read
too; another version is another file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .artifact import read_only, require, settle
from .errors import InputError
from .formats import SeriesFormat
from .series import Series

CONTRACT = "slow_state.v1"
RATE_HZ = 48000 / 1024
SECTION_LABELS = ("silence", "intro", "verse", "pre-chorus", "chorus", "bridge", "inst", "outro")
HAZARD_HORIZONS_BEATS = (1, 2, 4, 8, 16)


@lru_cache
def contract() -> Mapping[str, Any]:
    """The frozen contract itself."""
    text = files(__package__).joinpath("frozen", f"{CONTRACT}.json").read_text(encoding="utf-8")
    frozen: dict[str, Any] = json.loads(text)
    return frozen


def require_contract(name: Any) -> None:
    """Refuse what speaks another contract than this one.

    Raises
    ------
    InputError
        Naming both.
    """
    require(name == CONTRACT, f"this is {CONTRACT}; the other side speaks {name or 'no contract'}")


@dataclass(frozen=True)
class BeatClockState:
    """The beat at one moment.

    Parameters
    ----------
    t_s : float
        Time in the stream, >= 0.
    spb_s : float
        Seconds per beat, > 0.
    phase : float
        Place in the beat, 0 on it, in [0, 1).
    beat_count : int
        Beats begun since the first one; never goes back.
    confidence : float
        In [0, 1].
    downbeat_probability : float
        That the beat under way began the bar, in [0, 1].
    """

    t_s: float
    spb_s: float
    phase: float
    beat_count: int
    confidence: float
    downbeat_probability: float

    def __post_init__(self) -> None:
        require(0 <= self.t_s < np.inf, f"t_s is {self.t_s}: it is seconds of the stream")
        require(0 < self.spb_s < np.inf, f"spb_s is {self.spb_s}: it is seconds per beat")
        require(0 <= self.phase < 1, f"phase is {self.phase}: it lies in [0, 1)")
        require(self.beat_count >= 0, f"beat_count is {self.beat_count}: it counts from 0")
        _probabilities((self.confidence, self.downbeat_probability), "confidence or downbeat_probability")


@dataclass(frozen=True)
class StructureState:
    """The form at one moment.

    Parameters
    ----------
    section_probabilities : tuple of float
        Of `SECTION_LABELS`; they sum to 1.
    hazard_probabilities : tuple of float
        That a section ends within the next 1, 2, 4, 8, 16 beats; they never fall.
    macro_embedding : tuple of float, optional
        What the model that made it sees beyond the labels.
    """

    section_probabilities: tuple[float, ...]
    hazard_probabilities: tuple[float, ...]
    macro_embedding: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        sections, hazards = self.section_probabilities, self.hazard_probabilities
        counts = f"{len(sections)} sections and {len(hazards)} hazards, expected 8 and 5"
        require(len(sections) == len(SECTION_LABELS) and len(hazards) == len(HAZARD_HORIZONS_BEATS), counts)
        _probabilities((*sections, *hazards), "a section or hazard probability")
        require(abs(sum(sections) - 1) < 1e-3, f"section_probabilities sum to {sum(sections)}, not to 1")
        falls = any(later < earlier for earlier, later in pairwise(hazards))
        require(not falls, "hazard_probabilities fall: a longer horizon cannot be less likely")

    @classmethod
    def unknown(cls) -> "StructureState":
        """Nothing is known: every label is as likely as the others, and so is a boundary."""
        sections, hazards = len(SECTION_LABELS), len(HAZARD_HORIZONS_BEATS)
        return cls((1 / sections,) * sections, (0.5,) * hazards)


@dataclass(frozen=True)
class SlowState:
    """One frame of the slow clock.

    Parameters
    ----------
    beat : BeatClockState
    structure : StructureState
    features : tuple of float, optional
        One value for each of the feature names that the stream announced.
    """

    beat: BeatClockState
    structure: StructureState
    features: tuple[float, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the contract has it; what is not there is left out."""
        structure = {name: value for name, value in asdict(self.structure).items() if value is not None}
        state = {"contract": CONTRACT, "beat": asdict(self.beat), "structure": structure}
        return state if self.features is None else {**state, "features": self.features}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "SlowState":
        """The inverse of `to_json`.

        Raises
        ------
        InputError
            If it speaks another contract, or a field is missing, unknown or out of range.
        """
        require_contract(state.get("contract"))
        try:
            structure = {name: tuple(values) for name, values in state["structure"].items()}
            features = state.get("features")
            return cls(
                BeatClockState(**state["beat"]),
                StructureState(**structure),
                None if features is None else tuple(features),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"not a state of {CONTRACT}: {error}") from error


@dataclass(frozen=True, eq=False)
class SlowStates(Series):
    """States of a whole recording on the slow clock.

    Parameters
    ----------
    beat : ndarray [frames, 5]
        spb_s, phase, beat_count, confidence, downbeat_probability.
    section_probabilities : ndarray [frames, 8]
        Of `SECTION_LABELS`.
    hazard_probabilities : ndarray [frames, 5]
        For `HAZARD_HORIZONS_BEATS`.
    macro_embedding : ndarray [frames, dims], optional
        No columns where not given.
    features : ndarray [frames, dims], optional
        No columns where not given.
    feature_names : tuple of str
        One a dimension of `features`.
    """

    kind = "slow_states"
    beat: NDArray[np.float32]
    section_probabilities: NDArray[np.float32]
    hazard_probabilities: NDArray[np.float32]
    macro_embedding: NDArray[np.float32] = None  # type: ignore[assignment]  # filled below, never None after
    features: NDArray[np.float32] = None  # type: ignore[assignment]
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        frames = len(self.beat)
        settle(self, feature_names=tuple(self.feature_names))
        macro = 0 if self.macro_embedding is None else np.shape(self.macro_embedding)[-1]
        widths = (len(_BEAT), len(SECTION_LABELS), len(HAZARD_HORIZONS_BEATS), macro, len(self.feature_names))
        for name, width in zip(_PARTS, widths, strict=True):
            given = getattr(self, name)
            values = np.zeros((frames, 0), np.float32) if given is None else np.asarray(given, np.float32)
            shape = f"{name} has shape {values.shape}, expected {(frames, width)}"
            require(values.shape == (frames, width), shape)
            require(np.isfinite(values).all(), f"{name} holds NaN or infinite values")
            settle(self, **{name: read_only(values)})
        spb_s, phase, beat_count, *probabilities = self.beat.T
        require((spb_s > 0).all(), "spb_s must be positive: it is seconds per beat")
        require(((phase >= 0) & (phase < 1)).all(), "phase must lie in [0, 1)")
        require((np.diff(beat_count, prepend=0) >= 0).all(), "beat_count goes back")
        _probabilities(probabilities, "confidence or downbeat_probability")
        _probabilities(self.section_probabilities, "a section probability")
        _probabilities(self.hazard_probabilities, "a hazard probability")

    @property
    def rows(self) -> NDArray[np.float32]:
        return np.concatenate([getattr(self, name) for name in _PARTS], axis=1)

    @property
    def format(self) -> SeriesFormat:
        macro = (f"{_MACRO}{index}" for index in range(self.macro_embedding.shape[1]))
        return SeriesFormat(RATE_HZ, (*_COLUMNS, *macro, *self.feature_names))

    @classmethod
    def from_rows(cls, rows: NDArray[np.float32], format: SeriesFormat) -> Self:
        macro = sum(name.startswith(_MACRO) for name in format.names[len(_COLUMNS) :])
        edges = np.cumsum([len(_BEAT), len(SECTION_LABELS), len(HAZARD_HORIZONS_BEATS), macro])
        beat, sections, hazards, embedding, features = np.split(rows, edges, axis=1)
        return cls(beat, sections, hazards, embedding, features, format.names[len(_COLUMNS) + macro :])

    def states(self) -> Iterator[SlowState]:
        """Frame by frame, as a stream gives them."""
        parts = (getattr(self, name).astype(float).tolist() for name in _PARTS)
        for t_s, beat, sections, hazards, embedding, features in zip(
            self.times_s.tolist(), *parts, strict=True
        ):
            spb_s, phase, beat_count, *probabilities = beat
            yield SlowState(
                BeatClockState(t_s, spb_s, phase, int(beat_count), *probabilities),
                StructureState(tuple(sections), tuple(hazards), tuple(embedding) or None),
                tuple(features) if self.feature_names else None,
            )

    @classmethod
    def from_states(cls, states: Sequence[SlowState], *, feature_names: Sequence[str] = ()) -> Self:
        """The states of a stream, from its beginning; all have the same features and embedding."""
        embedding = (states[0].structure.macro_embedding or ()) if states else ()
        macro = (f"{_MACRO}{index}" for index in range(len(embedding)))
        format = SeriesFormat(RATE_HZ, (*_COLUMNS, *macro, *feature_names))
        rows = [_row(state) for state in states]
        differ = sorted({len(row) for row in rows} - {len(format.names)})
        require(not differ, f"states of {differ} values among those of {len(format.names)}")
        return cls.from_rows(np.array(rows, np.float32).reshape(len(rows), len(format.names)), format)


_BEAT = ("spb_s", "phase", "beat_count", "confidence", "downbeat_probability")
_PARTS = ("beat", "section_probabilities", "hazard_probabilities", "macro_embedding", "features")
_MACRO = "macro_embedding."
_COLUMNS = (
    *_BEAT,
    *(f"section_{label}" for label in SECTION_LABELS),
    *(f"hazard_{beats}" for beats in HAZARD_HORIZONS_BEATS),
)


def _row(state: SlowState) -> tuple[float, ...]:
    beat, structure = state.beat, state.structure
    return (
        *(getattr(beat, name) for name in _BEAT),
        *structure.section_probabilities,
        *structure.hazard_probabilities,
        *(structure.macro_embedding or ()),
        *(state.features or ()),
    )


def _probabilities(values: Any, name: str) -> None:
    given = np.asarray(values)
    require(((given >= 0) & (given <= 1)).all(), f"{name} lies outside [0, 1]")
