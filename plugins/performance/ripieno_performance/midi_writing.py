"""A performance as MPE MIDI: each sounding note on a channel of its own.

Conventions
-----------
Track 0 holds the tempo; each further one is a player, or the next 15 notes of one that sounds more at once.
What MIDI cannot say stands in text events as JSON: the document's own fields, each player's instrument and
controllers, and before a note whatever is new of its articulation, mode and the like.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ripieno.contracts import Envelope, InputError, Note, Performance, Stream
from ripieno.contracts.performance import DYNAMICS, PITCH

from .curves import sample_times, turning
from .documents import Json, document_of, without
from .mpe import (
    BEND_RANGE,
    BEND_SEMITONES,
    BEND_STEPS,
    LOUDNESS,
    MEMBERS,
    MPE_ZONE,
    PRESSURE,
    TEMPO_US,
    TICKS_PER_BEAT,
    TICKS_PER_S,
    Control,
    controls_of,
)

if TYPE_CHECKING:
    from mido import MidiFile

PROGRAMS = {"piano": 0, "acoustic_guitar": 24, "electric_guitar": 27, "violin": 40}
PLAIN_VELOCITY, RELEASE_VELOCITY = 96, 64
META = ("set_tempo", "midi_port", "track_name", "instrument_name", "text")
HIGHEST_PORT = 127
# A third of what rounding to steps of the bend brings, in semitones.
BEND_TOLERANCE = 0.001


def midi_of(performance: Performance) -> "MidiFile":
    """The MIDI file of a performance.

    Raises
    ------
    InputError
        If a note has no pitch, or one that leaves 48 semitones around its middle.
    """
    from mido import MidiFile

    document = document_of(performance)
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    end = max(_tick(performance.duration_s), *(_ticks(note)[1] for note in performance.notes), 0)
    conductor = _Track()
    conductor.put("set_tempo", tempo=TEMPO_US)
    conductor.say(without(document, "streams"))
    file.tracks.append(conductor.finished(end))
    for index, (stream, said) in enumerate(zip(performance.streams, document["streams"], strict=True)):
        try:
            tracks = _tracks_of(stream, said, index)
        except InputError as error:
            raise InputError(f"streams[{index}].{error}") from error
        for track in tracks:
            track.put("midi_port", port=min(len(file.tracks) - 1, HIGHEST_PORT))
            file.tracks.append(track.finished(end))
    return file


@dataclass
class _Track:
    """Events that are put in order when the track is finished."""

    events: list[tuple[int, bool, str, dict[str, Any]]] = field(default_factory=list)
    said: str = ""

    def put(self, kind: str, *, tick: int = 0, **fields: Any) -> None:
        # What ends a note comes before all that begins another at that tick.
        self.events.append((tick, kind != "note_off", kind, fields))

    def say(self, fields: Json, *, tick: int = 0) -> None:
        """Fields as JSON in a text event; nothing where they were said last."""
        text = json.dumps(fields)
        if text != self.said:
            self.put("text", tick=tick, text=text)
        self.said = text

    def parameter(self, number: tuple[int, int], *, channel: int, value: int) -> None:
        """A registered parameter."""
        for control, byte in zip((101, 100, 6, 38, 101, 100), (*number, value, 0, 127, 127), strict=True):
            self.put("control_change", channel=channel, control=control, value=byte)

    def finished(self, end: int) -> Any:
        from mido import Message, MetaMessage, MidiTrack

        track, now = MidiTrack(), 0
        for tick, _, kind, fields in sorted(self.events, key=lambda event: event[:2]):
            if kind in META:
                track.append(MetaMessage(kind, time=tick - now, **fields))
            else:
                track.append(Message(kind, skip_checks=True, time=tick - now, **fields))
            now = tick
        track.append(MetaMessage("end_of_track", time=end - now))
        return track


def _tracks_of(stream: Stream, said: Json, index: int) -> list[_Track]:
    controls = controls_of(note.envelopes for note in stream.notes)
    known = {name: control.to_json() for name, control in controls.items()}
    head = {"ripieno_stream": index, **without(said, "notes"), "controls": known}
    voices = list(_voices(stream))
    tracks = [_zone(stream.instrument, head) for _ in range(max(voices, default=0) // MEMBERS + 1)]
    for place, (note, voice) in enumerate(zip(stream.notes, voices, strict=True)):
        track, channel = tracks[voice // MEMBERS], voice % MEMBERS + 1
        words = without(said["notes"][place], "onset_s", "offset_s", "envelopes")
        try:
            _put_note(track, note, channel=channel, controls=controls, words=words)
        except InputError as error:
            raise InputError(f"notes[{place}]: {error}") from error
    return tracks


def _voices(stream: Stream) -> Iterator[int]:
    """For each note a voice that no other note sounds on, if it can be the one that has rested longest.

    A synthesiser lets notes ring on after their end; a bend for the next note must not bend them.
    """
    ends = [0] * MEMBERS
    for note in stream.notes:
        onset, offset = _ticks(note)
        voice = min(range(len(ends)), key=ends.__getitem__)
        if ends[voice] > onset:
            voice = len(ends)
            ends.append(0)
        ends[voice] = offset
        yield voice


def _zone(instrument: str, head: Json) -> _Track:
    """A track that has named its player and opened an MPE zone."""
    track = _Track()
    printable = instrument.encode("utf-8", "replace").decode()
    track.put("track_name", name=printable)
    track.put("instrument_name", name=printable)
    track.say(head)
    track.parameter(MPE_ZONE, channel=0, value=MEMBERS)
    for channel in range(1, MEMBERS + 1):
        track.parameter(BEND_RANGE, channel=channel, value=BEND_SEMITONES)
    if instrument in PROGRAMS:
        for channel in range(MEMBERS + 1):
            track.put("program_change", channel=channel, program=PROGRAMS[instrument])
    return track


def _put_note(track: _Track, note: Note, *, channel: int, controls: dict[str, Control], words: Json) -> None:
    if PITCH not in note.envelopes:
        raise InputError(f"has no {PITCH}: MIDI has no notes without pitch")
    onset, offset = _ticks(note)
    track.say(words, tick=onset)
    ticks, pitch_midi = _sampled(note.envelopes[PITCH], onset, offset, tolerance=BEND_TOLERANCE)
    key = int(np.clip(np.rint(np.median(pitch_midi)), 0, 127))
    bends = np.rint((pitch_midi - key) / BEND_SEMITONES * BEND_STEPS)
    bends = np.where(bends == BEND_STEPS, BEND_STEPS - 1, bends).astype(int)
    if abs(bends).max() > BEND_STEPS:
        farthest = pitch_midi[abs(bends).argmax()]
        raise InputError(
            f"pitch goes from {key} to {farthest:g}: MIDI bends {BEND_SEMITONES} semitones at most"
        )
    needed = turning(bends)
    for tick, bend in zip(ticks[needed].tolist(), bends[needed].tolist(), strict=True):
        track.put("pitchwheel", tick=tick, channel=channel, pitch=bend)
    for name, control in controls.items():
        if name in note.envelopes:
            _put_control(track, note.envelopes[name], control, channel=channel, onset=onset, offset=offset)
    track.put("note_on", tick=onset, channel=channel, note=key, velocity=_velocity(note))
    track.put("note_off", tick=offset, channel=channel, note=key, velocity=RELEASE_VELOCITY)


def _put_control(
    track: _Track, envelope: Envelope, control: Control, *, channel: int, onset: int, offset: int
) -> None:
    half_a_step = (control.maximum - control.minimum) / 254
    ticks, values = _sampled(envelope, onset, offset, tolerance=half_a_step)
    steps = control.steps(values)
    needed = turning(steps)
    for tick, step in zip(ticks[needed].tolist(), steps[needed].tolist(), strict=True):
        if control.control == PRESSURE:
            track.put("aftertouch", tick=tick, channel=channel, value=step)
        else:
            track.put("control_change", tick=tick, channel=channel, control=control.control, value=step)


def _velocity(note: Note) -> int:
    """The loudest moment on the scale of pressure."""
    if DYNAMICS not in note.envelopes:
        return PLAIN_VELOCITY
    return max(1, int(LOUDNESS.steps(note.envelopes[DYNAMICS].values).max()))


def _sampled(envelope: Envelope, onset: int, offset: int, *, tolerance: float) -> tuple[Any, Any]:
    """Ticks from `onset` to the last one before `offset`, and values there."""
    start_s, end_s = onset / TICKS_PER_S, (offset - 1) / TICKS_PER_S
    tick_s = 1 / TICKS_PER_S
    times_s = sample_times(envelope, start_s=start_s, end_s=end_s, tick_s=tick_s, tolerance=tolerance)
    ticks = np.unique(np.rint(times_s * TICKS_PER_S).astype(np.int64))
    return ticks, envelope.at(ticks / TICKS_PER_S)


def _ticks(note: Note) -> tuple[int, int]:
    onset = _tick(note.onset_s)
    return onset, max(_tick(note.offset_s), onset + 1)


def _tick(time_s: float) -> int:
    return round(time_s * TICKS_PER_S)
