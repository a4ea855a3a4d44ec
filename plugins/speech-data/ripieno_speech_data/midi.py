"""Pieces as a MIDI file: what each player of an `Arrangement` does, with its small liberties.

Conventions
-----------
A tick is half a millisecond. Each piece has a slot, and in the gap before it its channels are reset.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .arrangement import DRUM_CHANNEL, Arrangement, Player

if TYPE_CHECKING:
    from mido import Message

    Events = Iterator[tuple[int, Message]]

GAP_S = 1.5
_TICKS_PER_S = 2000
_MODULATION, _VOLUME, _PAN, _EXPRESSION, _PEDAL, _REVERB, _CHORUS = 1, 7, 10, 11, 64, 91, 93
_ALL_SOUND_OFF, _RESET = 120, 121
_SCOOP_S = 0.08
_SEMITONE = 4096
_SHORTEST = 20


def slots(pieces: Sequence[Arrangement], *, clip_s: float) -> list[float]:
    """Where each piece begins, and where the last has ended, in seconds."""
    starts = [GAP_S]
    for piece in pieces:
        starts.append(starts[-1] + piece.lead_s + clip_s + GAP_S)
    return starts


def write_midi(path: Path, pieces: Sequence[Arrangement], *, clip_s: float) -> None:
    """Write the pieces one after the other, in their slots."""
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    starts = slots(pieces, clip_s=clip_s)
    events: list[tuple[int, Message]] = []
    for piece, start_s, next_s in zip(pieces, starts[:-1], starts[1:], strict=True):
        rng = np.random.default_rng(piece.seed + 1)
        for player in piece.players:
            events += _reset(piece, player, at=_tick(start_s - 0.2))
            events += _played(piece, player, rng, start_s=start_s, end_s=next_s - GAP_S)
    # The render ends with the last event.
    events.append((_tick(starts[-1]), Message("note_off", note=0, velocity=0)))
    track = MidiTrack([MetaMessage("set_tempo", tempo=500_000, time=0)])
    last = 0
    for at, message in sorted(events, key=lambda event: event[0]):
        message.time = at - last
        track.append(message)
        last = at
    MidiFile(type=0, ticks_per_beat=_TICKS_PER_S // 2, tracks=[track]).save(path)


def _tick(seconds: float) -> int:
    return round(seconds * _TICKS_PER_S)


def _reset(piece: Arrangement, player: Player, *, at: int) -> "Events":
    from mido import Message

    channel = player.channel
    yield at, _control(channel, _RESET, 0)
    yield at, Message("program_change", channel=channel, program=player.program)
    settings = (
        (_VOLUME, player.volume),
        (_PAN, player.pan),
        (_REVERB, player.reverb),
        (_CHORUS, player.chorus),
        (_MODULATION, player.vibrato),
    )
    for control, value in settings:
        yield at, _control(channel, control, value)
    yield at, _wheel(channel, _tuning(piece, player))


def _played(
    piece: Arrangement, player: Player, rng: np.random.Generator, *, start_s: float, end_s: float
) -> "Events":
    from mido import Message

    channel = player.channel
    for note in player.notes:
        at_s = start_s + max(0.0, piece.form.seconds(note.start) + rng.normal(0, player.loose_ms / 1000))
        velocity = max(1, min(127, note.velocity + round(rng.normal(0, 4))))
        if at_s >= end_s:
            continue
        on = _tick(at_s)
        off = _tick(min(end_s, start_s + piece.form.seconds(note.start + note.beats)))
        pitch = max(0, min(127, note.pitch))
        yield on, Message("note_on", channel=channel, note=pitch, velocity=velocity)
        yield max(on + _SHORTEST, off), Message("note_off", channel=channel, note=pitch, velocity=0)
        if player.scoop and rng.random() < 0.4:
            yield from _scooped(channel, on, depth=player.scoop, rest=_tuning(piece, player))
    for beat, value in player.expression:
        at_s = start_s + piece.form.seconds(beat)
        if at_s < end_s:
            yield _tick(at_s), _control(channel, _EXPRESSION, value)
    if player.pedal:
        yield from _pedalled(piece, channel, start_s=start_s, end_s=end_s)
    yield _tick(end_s) + _SHORTEST, _control(channel, _ALL_SOUND_OFF, 0)


def _scooped(channel: int, on: int, *, depth: int, rest: int) -> "Events":
    """The wheel from below (or above) up to the note."""
    steps = 6
    for step in range(steps + 1):
        at = on + round(_SCOOP_S * _TICKS_PER_S * step / steps)
        yield at, _wheel(channel, rest - round(depth * (1 - step / steps)))


def _pedalled(piece: Arrangement, channel: int, *, start_s: float, end_s: float) -> "Events":
    """The pedal down with each chord, and up just before the next."""
    for chord in piece.form.chords:
        down_s = start_s + piece.form.seconds(chord.start) + 0.05
        up_s = start_s + piece.form.seconds(chord.start + chord.beats)
        if down_s < min(up_s, end_s):
            yield _tick(down_s), _control(channel, _PEDAL, 127)
            yield _tick(min(up_s, end_s)), _control(channel, _PEDAL, 0)


def _tuning(piece: Arrangement, player: Player) -> int:
    return 0 if player.channel == DRUM_CHANNEL else round(piece.tuning_cents / 100 * _SEMITONE)


def _control(channel: int, control: int, value: int) -> "Message":
    from mido import Message

    return Message("control_change", channel=channel, control=control, value=value)


def _wheel(channel: int, bend: int) -> "Message":
    from mido import Message

    return Message("pitchwheel", channel=channel, pitch=max(-8192, min(8191, bend)))
