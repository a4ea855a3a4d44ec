"""Pieces to sound by ``fluidsynth``, as a process that plays several one after the other.

Conventions
-----------
Rendered in stereo at `RATE_HZ`, above the rate of most clips: fluidsynth transposes without a low-pass, and what
folds above its half rate is then taken off by resampling. Each piece has a slot, of its lead and clip and a gap in
which all channels are reset. What is played before a piece may be heard in it, as the last of a room, but nothing
that comes after it: a batch begins with every shorter one.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Binary, MissingError, StepError

from .arrangement import DRUM_CHANNEL, Arrangement, Player
from .processes import run

if TYPE_CHECKING:
    from mido import Message

FLUIDSYNTH = Binary(
    "fluidsynth", cure="apt install fluidsynth fluid-soundfont-gm, or brew install fluid-synth"
)
SOUNDFONT = "FluidR3_GM.sf2"
SOUNDFONT_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts")
RATE_HZ = 32000
GAIN = 0.35
GAP_S = 1.5
START_S = 60.0
SLOWEST = 4.0
"""Seconds that a second of sound may take."""
_TICKS_PER_S = 2000
_BYTES_PER_FRAME = 8


def find_soundfont(given: Path | None) -> Path:
    """The sound font to play.

    Raises
    ------
    MissingError
        If it is not there.
    """
    if given is not None:
        if given.is_file():
            return given
        raise MissingError(f"soundfont: there is no {given}. Give the path of an .sf2 file of General MIDI")
    for folder in SOUNDFONT_FOLDERS:
        path = Path(folder) / SOUNDFONT
        if path.is_file():
            return path
    places = ", ".join(SOUNDFONT_FOLDERS)
    raise MissingError(
        f"no {SOUNDFONT} in {places}. Run: apt install fluid-soundfont-gm, or give soundfont: PATH of an .sf2 file"
    )


def render(
    pieces: Sequence[Arrangement], *, clip_s: float, soundfont: Path, scratch: Path
) -> Iterator[NDArray[np.float32]]:
    """What each piece sounds like from the end of its lead on.

    Returns
    -------
    iterator of ndarray [2, frames]
        At `RATE_HZ`, `clip_s` long; silent for a piece without players.

    Raises
    ------
    MissingError
        If there is no fluidsynth.
    StepError
        If it fails, takes too long, or writes too little or too much.
    """
    frames = round(clip_s * RATE_HZ)
    if not any(piece.players for piece in pieces):
        for _ in pieces:
            yield np.zeros((2, frames), np.float32)
        return
    program = FLUIDSYNTH.require()
    midi, wav = scratch / "pieces.mid", scratch / "pieces.wav"
    slots = _slots(pieces, clip_s)
    _write_midi(midi, pieces, slots)
    options = [
        "-n",
        "-i",
        "-q",
        "-T",
        "wav",
        "-O",
        "float",
        "-r",
        str(RATE_HZ),
        "-g",
        str(GAIN),
        "-F",
        str(wav),
    ]
    options += [
        "-o",
        "synth.dynamic-sample-loading=0",
        "-o",
        "synth.cpu-cores=1",
        "-o",
        "synth.polyphony=192",
    ]
    run(
        [str(program), *options, str(soundfont), str(midi)],
        writes=wav,
        limit_s=START_S + SLOWEST * slots[-1],
        most_bytes=int((slots[-1] + 60) * RATE_HZ * _BYTES_PER_FRAME),
    )
    try:
        yield from _cut(wav, pieces, slots, frames=frames)
    finally:
        midi.unlink(missing_ok=True)
        wav.unlink(missing_ok=True)


def _slots(pieces: Sequence[Arrangement], clip_s: float) -> list[float]:
    """Where each piece begins, and where the last has ended, in seconds."""
    slots = [GAP_S]
    for piece in pieces:
        slots.append(slots[-1] + piece.lead_s + clip_s + GAP_S)
    return slots


def _write_midi(path: Path, pieces: Sequence[Arrangement], slots: Sequence[float]) -> None:
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    events: list[tuple[int, Message]] = []
    for piece, start_s, end_s in zip(pieces, slots, slots[1:], strict=False):
        rng = np.random.default_rng(piece.seed + 1)
        for player in piece.players:
            events += _events(piece, player, rng, start_s=start_s, end_s=end_s - GAP_S)
    events.append((round(slots[-1] * _TICKS_PER_S), Message("note_off", note=0, velocity=0)))
    track = MidiTrack([MetaMessage("set_tempo", tempo=500_000, time=0)])
    last = 0
    for at, message in sorted(events, key=lambda event: event[0]):
        message.time = at - last
        track.append(message)
        last = at
    MidiFile(type=0, ticks_per_beat=_TICKS_PER_S // 2, tracks=[track]).save(path)


def _events(
    piece: Arrangement, player: Player, rng: np.random.Generator, *, start_s: float, end_s: float
) -> "Iterator[tuple[int, Message]]":
    from mido import Message

    channel, before = player.channel, round((start_s - 0.2) * _TICKS_PER_S)
    yield before, Message("control_change", channel=channel, control=121, value=0)
    yield before, Message("program_change", channel=channel, program=player.program)
    for control, value in ((7, player.volume), (10, player.pan), (91, player.reverb), (93, player.chorus)):
        yield before, Message("control_change", channel=channel, control=control, value=value)
    if channel != DRUM_CHANNEL:
        bend = round(piece.tuning_cents / 200 * 8192)
        yield before, Message("pitchwheel", channel=channel, pitch=max(-8192, min(8191, bend)))
    for note in player.notes:
        at_s = start_s + max(0.0, piece.form.seconds(note.start) + rng.normal(0, player.loose_ms / 1000))
        until_s = start_s + piece.form.seconds(note.start + note.beats)
        if at_s >= end_s:
            continue
        on, off = round(at_s * _TICKS_PER_S), round(min(end_s, until_s) * _TICKS_PER_S)
        velocity = max(1, min(127, note.velocity + round(rng.normal(0, 4))))
        pitch = max(0, min(127, note.pitch))
        yield on, Message("note_on", channel=channel, note=pitch, velocity=velocity)
        yield max(on + 20, off), Message("note_off", channel=channel, note=pitch, velocity=0)
    yield round(end_s * _TICKS_PER_S) + 20, Message("control_change", channel=channel, control=120, value=0)


def _cut(
    wav: Path, pieces: Sequence[Arrangement], slots: Sequence[float], *, frames: int
) -> Iterator[NDArray[np.float32]]:
    import soundfile

    try:
        with soundfile.SoundFile(wav) as file:
            for piece, start_s in zip(pieces, slots, strict=False):
                file.seek(round((start_s + piece.lead_s) * RATE_HZ))
                sound = file.read(frames, dtype="float32", always_2d=True).T
                if sound.shape != (2, frames):
                    raise StepError(
                        f"fluidsynth wrote less than was asked for. Is the disk full? {wav.parent}"
                    )
                yield sound
    except soundfile.LibsndfileError as error:
        raise StepError(f"fluidsynth wrote no sound that can be read: {error}") from error
