"""What a live run shows where it was started: JSON, lines, or one line that moves."""

from collections.abc import Iterable, Sequence
from typing import Any, Self, TextIO

from ripieno.contracts.errors import InputError

from .messages import End, Heard, Message, Start, State, dumps

CONFIDENCE_CELLS = 10
REFRESHES_HZ = 20


class JsonLines:
    """One message a line.

    Parameters
    ----------
    out : text file
        Flushed after every take.
    states : bool
        Whether states are written too: there are 47 a second.
    """

    def __init__(self, out: TextIO, *, states: bool) -> None:
        self.out = out
        self.states = states

    def take(self, messages: Sequence[Message]) -> None:
        """Write them."""
        said = (message for message in messages if self.states or not isinstance(message, State))
        _write(self.out, map(dumps, said))


class Lines:
    """A line for each thing that a step says, predictions left out."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def take(self, messages: Sequence[Message]) -> None:
        """Write what is worth a line."""
        _write(self.out, filter(None, map(line_of, messages)))


class StatusLine:
    """One line that moves, on a terminal: time, tempo, the beats of the bar, confidence.

    Parameters
    ----------
    out : text file
        The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=out)
        self._live = Live(console=self._console, refresh_per_second=REFRESHES_HZ, transient=True)
        self._time_s = 0.0
        self._beat: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def take(self, messages: Sequence[Message]) -> None:
        """Move on to the latest of them."""
        for message in messages:
            match message:
                case Start() | End():
                    self._console.print(line_of(message), markup=False, highlight=False)
                case Heard(_, event) if event.what == "beat":
                    self._time_s, self._beat = event.time_s, dict(event.value)
                case State():
                    self._time_s = message.state.beat.t_s
        self._live.update(self._line())

    def _line(self) -> Any:
        from rich.text import Text

        beat = self._beat
        line = Text(f"{self._time_s:9.1f} s  ")
        if beat.get("tempo_bpm"):
            line.append(f"{beat['tempo_bpm']:5.1f} BPM  ", style="bold")
        line.append(bar_dots(beat.get("position") or 0, beat.get("beats_per_bar") or 0))
        if beat.get("confidence") is not None:
            filled = round(beat["confidence"] * CONFIDENCE_CELLS)
            line.append(f"  {'━' * filled}", style="green").append("━" * (CONFIDENCE_CELLS - filled), "dim")
        return line


def _write(out: TextIO, lines: Iterable[str]) -> None:
    try:
        for line in lines:
            print(line, file=out)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"standard output cannot be written: {error.strerror}") from error


def line_of(message: Message) -> str:
    """A message for people; empty where it is not worth a line."""
    match message:
        case Start():
            return _opening(message)
        case End():
            return f"{message.time_s:9.3f} s  end"
        case Heard(_, event) if event.what == "beat":
            return f"{event.time_s:9.3f} s  {_beat(event.value)}"
        case Heard(step, event) if event.time_s <= event.known_s:
            facts = "".join(f"  {name} {value}" for name, value in event.value.items())
            return f"{event.time_s:9.3f} s  {step}: {event.what}{facts}"
    return ""  # a prediction, a state; an error is told by how the command ends


def bar_dots(position: int, beats_per_bar: int) -> str:
    """The bar so far: ``● ● ○ ○`` on the second beat of four; nothing where positions are unknown."""
    return " ".join("●" if beat < position else "○" for beat in range(max(beats_per_bar, position)))


def _opening(start: Start) -> str:
    """What hears what, how late, what is left out and what is not written."""
    channels = {1: "mono", 2: "stereo"}.get(start.channels, f"{start.channels} channels")
    late = ", ".join(f"{step} ({1000 * start.latency_s[step]:.0f} ms)" for step in start.steps)
    lines = [f"{start.source} ({start.rate_hz} Hz, {channels}) → {late}"]
    lines += [f"left out: {step}: {why}" for step, why in start.left_out.items()]
    if start.unwritten:
        lines.append(f"not written live, only by core run: {', '.join(start.unwritten)}")
    return "\n".join(lines)


def _beat(value: Any) -> str:
    """What a beat says of itself, as far as its step tells."""
    said = ["beat"]
    if value.get("position"):
        said[0] += f" {value['position']}"
        said[0] += f" of {value['beats_per_bar']}" if value.get("beats_per_bar") else ""
    if value.get("tempo_bpm"):
        said.append(f"{value['tempo_bpm']:5.1f} BPM")
    if value.get("confidence") is not None:
        said.append(f"confidence {value['confidence']:.2f}")
    return "  ".join(said)
