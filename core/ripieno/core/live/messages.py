"""What a live run says, as plain objects and as JSON.

Conventions
-----------
Times are seconds of the stream, rounded to a microsecond in JSON. A message is one JSON object, its kind
under ``event``; whatever a step's session calls an event is one too (``beat``, ``next_beat``, …).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias

from ripieno.contracts.slow_state import CONTRACT, SlowState
from ripieno.contracts.streaming import Event


@dataclass(frozen=True)
class Start:
    """A stream begins.

    Parameters
    ----------
    pipeline : str
        Its name.
    source : str
        ``file``, ``stdin``, ``mic`` or ``ws``; several with a plus between them.
    rate_hz, channels : int
        Of the first source.
    steps : tuple of str
        What is at work.
    left_out : mapping of str to str
        Steps that are not, and why.
    latency_s : mapping of str to float
        By step: the longest time from a sample to what it decides.
    feature_names : tuple of str
        One a feature of a state; empty where states have none.
    unwritten : tuple of str
        Files of the pipeline's outputs, which a run writes and a stream does not.
    """

    pipeline: str
    source: str
    rate_hz: int
    channels: int
    steps: tuple[str, ...]
    left_out: Mapping[str, str]
    latency_s: Mapping[str, float]
    feature_names: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """With the contract that states keep."""
        return _json({"event": "start", "contract": CONTRACT, **asdict(self)})


@dataclass(frozen=True)
class Heard:
    """An event of a step's session."""

    step: str
    event: Event

    def to_json(self) -> dict[str, Any]:
        """What happened, when, when that was known, and what is known of it."""
        event = self.event
        times = {"time_s": event.time_s, "known_s": event.known_s}
        return _json({"event": event.what, "step": self.step, **times, **event.value})


@dataclass(frozen=True)
class State:
    """The slow clock of a step, with what it is made from.

    Parameters
    ----------
    step : str
        That gives the beat clock.
    state : SlowState
        As the contract has it.
    metre : mapping of int to float
        Probability by beats a bar; empty where the step does not tell.
    beat_activation, downbeat_activation : float
        What was heard in the latest frame alone, in [0, 1].
    """

    step: str
    state: SlowState
    metre: Mapping[int, float]
    beat_activation: float
    downbeat_activation: float

    def to_json(self) -> dict[str, Any]:
        """The contract's fields, and beside them metre and activations."""
        activations = {
            "beat_activation": self.beat_activation,
            "downbeat_activation": self.downbeat_activation,
        }
        metre = {str(beats): probability for beats, probability in self.metre.items()}
        return _json(
            {"event": "state", "step": self.step, **self.state.to_json(), "metre": metre, **activations}
        )


@dataclass(frozen=True)
class Error:
    """The stream cannot go on; the end follows."""

    message: str

    def to_json(self) -> dict[str, Any]:
        """One line."""
        return {"event": "error", "message": self.message}


@dataclass(frozen=True)
class End:
    """The stream is over.

    Parameters
    ----------
    time_s : float
        How long it was.
    elapsed_s : float
        How long that took, by the monotonic clock.
    """

    time_s: float
    elapsed_s: float

    def to_json(self) -> dict[str, Any]:
        """Both times."""
        return _json({"event": "end", **asdict(self)})


Message: TypeAlias = Start | Heard | State | Error | End


class Listener(Protocol):
    """Who is told what happens; `take` is called from the loop's thread and must not wait long."""

    def take(self, messages: Sequence[Message]) -> None:
        """What was said since the last time, in order; never empty."""
        ...


def _json(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in message.items()}


def _rounded(value: Any) -> Any:
    """A JSON value with every number to six places: microseconds, millionths."""
    match value:
        case float():
            return round(value, 6)
        case Mapping():
            return _json(value)
        case list() | tuple():
            return [_rounded(item) for item in value]
    return value


def dumps(message: Message) -> str:
    """A message as one line of JSON."""
    return json.dumps(message.to_json(), ensure_ascii=False, allow_nan=False)
