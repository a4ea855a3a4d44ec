"""MIDI files as performances: those of this plugin as they were, those of others as near as MIDI says.

Conventions
-----------
Of a file by others each track, and in it each channel or MPE zone, is a player; channel 10, the drums, is
left out. Its pitch and times are annotated. Dynamics are guessed from velocity or pressure, and masked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Performance, performance_of
from ripieno.contracts.performance import DYNAMICS, PITCH

from .curves import apart
from .documents import Json, linear, without
from .midi_tracks import Events, Press, Track, read_track
from .mpe import LOUDNESS, PRESSURE, SUSTAIN_PEDAL, Control

if TYPE_CHECKING:
    from mido import MidiFile

Floats = NDArray[np.float64]
DRUMS = 9
PEDAL_DOWN = 64
DEFAULT_TEMPO_US, ONE_SECOND_US = 500_000, 1_000_000
# A gesture sends a new value at least so often; what rests longer is held and then changed.
GESTURE_S = 0.02
NEAREST_S = 1e-6
# General MIDI level 1: programs of the instruments that have profiles, and how others are played.
INSTRUMENTS = {
    **dict.fromkeys(range(4), "piano"),
    **dict.fromkeys((24, 25), "acoustic_guitar"),
    **dict.fromkeys(range(26, 31), "electric_guitar"),
    40: "violin",
}
ARTICULATIONS = {
    **dict.fromkeys(range(16), "struck"),
    **dict.fromkeys(range(24, 40), "plucked"),
    **dict.fromkeys((45, 46), "plucked"),
    28: "muted",
    31: "harmonic",
    44: "tremolo",
}
KEYBOARDS = range(8)
NO_PROGRAM = -1


def performance_of_midi(file: "MidiFile", *, rate_hz: int) -> Performance:
    """The performance in a MIDI file.

    Parameters
    ----------
    file : mido.MidiFile
    rate_hz : int
        Of the recording, where the file does not tell.

    Raises
    ------
    InputError
        If its tracks are independent (type 2), or what it says makes no performance.
    """
    if file.type == 2:
        raise InputError("type 2, independent tracks: save it as type 1")
    clock = Clock.of(file)
    tracks = [read_track(messages) for messages in file.tracks]
    head = next((track.document for track in tracks if track.document is not None), None)
    if head is not None:
        return performance_of({**head, "streams": _own_streams(tracks, clock)})
    streams = [stream for track in tracks for stream in _streams(track, clock)]
    ends = [track.end for track in tracks]
    offsets_s = [note["offset_s"] for stream in streams for note in stream["notes"]]
    return performance_of(
        {
            "ripieno_cont": 1,
            "rate_hz": rate_hz,
            "duration_s": max(clock.at(ends).max(initial=0), *offsets_s, 0.0),
            "provenance": dict.fromkeys((PITCH, "onset_s", "offset_s"), "annotated"),
            "streams": streams,
        }
    )


@dataclass(frozen=True)
class Clock:
    """Seconds of ticks: a line from each change of tempo to the next.

    Parameters
    ----------
    ticks, times_s : ndarray [changes]
    tick_s : ndarray [changes]
        Length of a tick from then on.
    """

    ticks: Floats
    times_s: Floats
    tick_s: Floats

    @classmethod
    def of(cls, file: "MidiFile") -> "Clock":
        """The clock of a file.

        Raises
        ------
        InputError
            If it says no length of a tick.
        """
        is_film = file.ticks_per_beat < 0
        changes = {0: ONE_SECOND_US} if is_film else _tempi(file)
        ticks_per_beat = _film_ticks(file.ticks_per_beat) if is_film else file.ticks_per_beat
        if not (ticks_per_beat and all(changes.values())):
            raise InputError("a tick lasts no time")
        at = np.array(sorted(changes), np.float64)
        tick_s = np.array([changes[tick] for tick in sorted(changes)]) / ONE_SECOND_US / ticks_per_beat
        times_s = np.concatenate([[0], np.cumsum(np.diff(at) * tick_s[:-1])])
        return cls(at, times_s, tick_s)

    def at(self, ticks: Sequence[float] | Floats) -> Floats:
        """Seconds of ticks."""
        asked = np.asarray(ticks, np.float64)
        last = np.searchsorted(self.ticks, asked, side="right") - 1
        times_s: Floats = self.times_s[last] + (asked - self.ticks[last]) * self.tick_s[last]
        return times_s


def _tempi(file: "MidiFile") -> dict[int, int]:
    """Microseconds of a beat from each tick at which they change."""
    changes = {0: DEFAULT_TEMPO_US}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "set_tempo":
                changes[now] = message.tempo
    return changes


def _film_ticks(division: int) -> float:
    """Ticks a second where time is SMPTE's: negative frames a second in the upper byte, ticks a frame in the lower."""
    frames, ticks = -(division >> 8), division & 0xFF
    return (30 / 1.001 if frames == 29 else frames) * ticks


def _own_streams(tracks: Iterable[Track], clock: Clock) -> list[Json]:
    """Players as they were written, each in as many tracks as its notes needed."""
    streams: dict[int, Json] = {}
    for track in tracks:
        if track.stream is None:
            continue
        head = without(track.stream, "ripieno_stream", "controls")
        stream = streams.setdefault(int(track.stream["ripieno_stream"]), {**head, "notes": []})
        controls = {name: Control(**said) for name, said in track.stream["controls"].items()}
        stream["notes"] += [_own_note(press, track, controls, clock) for press in _lasting(track.presses)]
    for stream in streams.values():
        stream["notes"].sort(key=lambda note: note["onset_s"])
    return [streams[index] for index in sorted(streams)]


def _own_note(press: Press, track: Track, controls: dict[str, Control], clock: Clock) -> Json:
    channel = track.channels[press.channel]
    envelopes = {PITCH: _pitch(press, track, clock)}
    for name, control in controls.items():
        is_pressure = control.control == PRESSURE
        events = channel.pressures if is_pressure else channel.controls[int(control.control)]
        # Each note is told anew all that it has.
        if press.on in events.ticks[events.from_tick(press.on) :][:1]:
            ticks, steps = events.during(press)
            envelopes[name] = _gesture(clock.at(ticks), control.values(steps))
    return {**press.said, **_times(press, clock), "envelopes": envelopes}


def _streams(track: Track, clock: Clock) -> list[Json]:
    """The players of a track that others wrote."""
    players: dict[int, list[Press]] = {}
    for press in _lasting(track.presses):
        player = track.master.get(press.channel, press.channel)
        if press.channel != DRUMS or press.channel in track.master:
            players.setdefault(player, []).append(press)
    return [_stream(track, player, players[player], clock) for player in sorted(players)]


def _stream(track: Track, player: int, presses: list[Press], clock: Clock) -> Json:
    used = (player, *sorted({press.channel for press in presses}))
    programs = (track.channels[channel].program for channel in used if channel in track.channels)
    program = next((program for program in programs if program is not None), NO_PROGRAM)
    is_keyboard = program in KEYBOARDS
    pedal_of_all = track.channels[player].controls[SUSTAIN_PEDAL]
    pedals = {channel: track.channels[channel].controls[SUSTAIN_PEDAL] for channel in used}
    pedals = {channel: pedal if pedal.ticks else pedal_of_all for channel, pedal in pedals.items()}
    if not is_keyboard:
        _hold(presses, pedals)
    notes = []
    for press in presses:
        envelopes = {PITCH: _pitch(press, track, clock), DYNAMICS: _loudness(press, track, clock)}
        if is_keyboard and pedals[press.channel].ticks:
            envelopes["sustain_pedal"] = _switch(pedals[press.channel], press, clock)
        notes.append(
            {
                **_times(press, clock),
                "articulation": ARTICULATIONS.get(program, "sustained"),
                "masked": [DYNAMICS],
                "envelopes": envelopes,
            }
        )
    instrument = INSTRUMENTS.get(program) or _identifier(track.name) or "unknown"
    return {"instrument": instrument, "notes": notes}


def _hold(presses: list[Press], pedals: dict[int, Events]) -> None:
    """Let notes last while the pedal is down, until it is up or their key is pressed again."""
    following: dict[tuple[int, int], int] = {}
    for press in reversed(presses):
        again = following.get((press.channel, press.key), inf)
        following[press.channel, press.key] = press.on
        pedal = pedals[press.channel]
        if pedal.at(press.off) >= PEDAL_DOWN:
            first = pedal.from_tick(press.off)
            later = zip(pedal.ticks[first:], pedal.values[first:], strict=True)
            up = next((tick for tick, value in later if value < PEDAL_DOWN), press.off)
            press.off = int(max(press.off, min(up, again)))


def _pitch(press: Press, track: Track, clock: Clock) -> Json:
    """Key and bend, and in an MPE zone the bend of all."""
    ticks, bends = track.channels[press.channel].bends.during(press)
    own = _gesture_points(clock.at(ticks), bends)
    master = track.master.get(press.channel)
    zone = Events() if master is None else track.channels[master].bends
    if not zone.ticks:
        return linear(own[0], press.key + own[1])
    ticks, bends = zone.during(press)
    all_ = _gesture_points(clock.at(ticks), bends)
    times_s = apart(np.concatenate([own[0], all_[0]]), NEAREST_S)
    return linear(times_s, press.key + np.interp(times_s, *own) + np.interp(times_s, *all_))


def _loudness(press: Press, track: Track, clock: Clock) -> Json:
    """A guess: pressure where a member of a zone has it, else velocity."""
    pressures = track.channels[press.channel].pressures
    if not (pressures.ticks and press.channel in track.master):
        pressures = Events([press.on], [press.velocity])
    ticks, steps = pressures.during(press)
    return _gesture(clock.at(ticks), LOUDNESS.values(steps))


def _switch(events: Events, press: Press, clock: Clock) -> Json:
    """A pedal, 0 to 1, which holds each value until the next."""
    ticks, values = events.during(press)
    return {**linear(clock.at(ticks), values / 127), "interpolation": "step"}


def _gesture(times_s: Floats, values: Floats) -> Json:
    return linear(*_gesture_points(times_s, values))


def _gesture_points(times_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Lines from value to value; a value that rests longer than a gesture is held until shortly before the next."""
    rests = (np.diff(times_s) > GESTURE_S + NEAREST_S) & (np.diff(values) != 0)
    at = rests.nonzero()[0] + 1
    return np.insert(times_s, at, times_s[at] - GESTURE_S), np.insert(values, at, values[at - 1])


def _lasting(presses: Iterable[Press]) -> list[Press]:
    """Without those that end as they begin: such a note cannot be heard."""
    return [press for press in presses if press.off > press.on]


def _times(press: Press, clock: Clock) -> dict[str, Any]:
    onset_s, offset_s = clock.at([press.on, press.off]).tolist()
    return {"onset_s": onset_s, "offset_s": offset_s}


def _identifier(name: str) -> str:
    """A name as profiles have it: lower case, words joined."""
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())
