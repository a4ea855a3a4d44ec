"""A track of a MIDI file as notes and the controllers around them, whoever wrote it.

Conventions
-----------
Ticks are absolute. Bends are in semitones, by the range in force when they were sent. A note that begins
again before it ended is ended there; one that never ends does so with its track.
"""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .documents import Json
from .mpe import BEND_RANGE, BEND_SEMITONES, BEND_STEPS, MPE_ZONE

PLAIN_BEND_SEMITONES = 2
LOWER_MASTER, UPPER_MASTER = 0, 15

Floats = NDArray[np.float64]


@dataclass
class Events:
    """Values that were sent, each holding until the next; of several at one tick the last."""

    ticks: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def put(self, tick: int, value: float) -> None:
        """One more, not before the last."""
        if self.ticks and self.ticks[-1] == tick:
            self.values[-1] = value
        else:
            self.ticks.append(tick)
            self.values.append(value)

    def from_tick(self, tick: int) -> int:
        """Index of the first that is at `tick` or later."""
        return bisect_left(self.ticks, tick)

    def at(self, tick: int) -> float:
        """The value that holds; 0 before the first."""
        index = bisect_right(self.ticks, tick)
        return self.values[index - 1] if index else 0.0

    def during(self, press: "Press") -> tuple[Floats, Floats]:
        """Ticks and values [events] while a note lasts, the first one when it begins."""
        first, stop = bisect_right(self.ticks, press.on), self.from_tick(press.off)
        ticks = [press.on, *self.ticks[first:stop]]
        values = [self.at(press.on), *self.values[first:stop]]
        return np.array(ticks, np.float64), np.array(values, np.float64)


@dataclass
class Press:
    """A key from its note-on to its note-off; `said` is the last text before it."""

    channel: int
    key: int
    velocity: int
    on: int
    off: int
    said: Json


@dataclass
class Channel:
    """What a channel was told, in order."""

    bend_semitones: float = PLAIN_BEND_SEMITONES
    program: int | None = None
    bends: Events = field(default_factory=Events)
    pressures: Events = field(default_factory=Events)
    controls: dict[int, Events] = field(default_factory=lambda: defaultdict(Events))
    parameter: tuple[int, int] | None = None


@dataclass
class Track:
    """One track, read.

    Parameters
    ----------
    name : str
        Of the player, or of the track.
    document, stream : mapping or None
        What a file of ours says in text.
    presses : list of Press
        In the order of their note-ons.
    channels : mapping of int to Channel
        By number, from 0.
    master : mapping of int to int
        The master channel of each member of an MPE zone.
    end : int
        Of the track, in ticks.
    """

    name: str = ""
    document: Json | None = None
    stream: Json | None = None
    presses: list[Press] = field(default_factory=list)
    channels: dict[int, Channel] = field(default_factory=lambda: defaultdict(Channel))
    master: dict[int, int] = field(default_factory=dict)
    end: int = 0
    said: Json = field(default_factory=dict)

    def control(self, tick: int, channel: int, number: int, value: int) -> None:
        """A controller, or a part of a registered parameter."""
        state = self.channels[channel]
        state.controls[number].put(tick, value)
        msb, lsb = state.parameter or (127, 127)
        if number in (98, 99):
            state.parameter = None
        elif number == 101:
            state.parameter = value, lsb
        elif number == 100:
            state.parameter = msb, value
        elif number == 6 and state.parameter == BEND_RANGE:
            self._bend_over(value, channel)
        elif number == 38 and state.parameter == BEND_RANGE:
            self._bend_over(int(state.bend_semitones) + value / 100, channel)
        elif number == 6 and state.parameter == MPE_ZONE and channel in (LOWER_MASTER, UPPER_MASTER):
            self._open_zone(channel, value)

    def _bend_over(self, semitones: float, channel: int) -> None:
        """Members of a zone have one range, whichever of them is told."""
        zone = self.master.get(channel)
        members = [member for member, master in self.master.items() if master == zone]
        for member in members if zone is not None else [channel]:
            self.channels[member].bend_semitones = semitones

    def _open_zone(self, master: int, members: int) -> None:
        step = 1 if master == LOWER_MASTER else -1
        self.master = {member: zone for member, zone in self.master.items() if zone != master}
        for member in range(master + step, master + step * (min(members, 15) + 1), step):
            self.master[member] = master
            self.channels[member].bend_semitones = BEND_SEMITONES

    def text(self, text: str) -> None:
        """A text event, which may be one of ours."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if "ripieno_cont" in said:
            self.document = said
        elif "ripieno_stream" in said:
            self.stream = said
        elif "articulation" in said:
            self.said = said


def read_track(messages: Iterable[Any]) -> Track:
    """A track of mido's messages."""
    track = Track()
    sounding: dict[tuple[int, int], Press] = {}
    now = 0

    def release(key: tuple[int, int]) -> None:
        if press := sounding.pop(key, None):
            press.off = now

    for message in messages:
        now += message.time
        kind = message.type
        if kind == "note_on" and message.velocity > 0:
            release((message.channel, message.note))
            press = Press(message.channel, message.note, message.velocity, now, now, track.said)
            sounding[message.channel, message.note] = press
            track.presses.append(press)
        elif kind in ("note_on", "note_off"):
            release((message.channel, message.note))
        elif kind == "pitchwheel":
            state = track.channels[message.channel]
            state.bends.put(now, message.pitch / BEND_STEPS * state.bend_semitones)
        elif kind == "aftertouch":
            track.channels[message.channel].pressures.put(now, message.value)
        elif kind == "control_change":
            track.control(now, message.channel, message.control, message.value)
        elif kind == "program_change" and track.channels[message.channel].program is None:
            track.channels[message.channel].program = message.program
        elif kind == "text":
            track.text(_unicode(message.text))
        elif kind == "instrument_name" or (kind == "track_name" and not track.name):
            track.name = _unicode(message.name).strip()
    for key in tuple(sounding):
        release(key)
    track.end = now
    return track


def _unicode(text: str) -> str:
    """Text that was read as Latin-1, which cannot fail, as UTF-8 if it is that."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
