"""``sfizz_render`` as a process: keys that are pressed, and what is then heard, each stroke by itself.

Conventions
-----------
Times are samples at `RATE_HZ`. A stroke has a slot of its own in one long render, and slots begin on the
blocks in which sfizz works: a stroke sounds the same whatever is rendered before it, to the last bit.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Binary, StepError

if TYPE_CHECKING:
    from mido import Message

RATE_HZ = 48000
BLOCK = 480
QUALITY = 3
"""sfizz's own number: a windowed sinc of 8 points; higher ones cost more and change less than 16 bits show."""
SFIZZ = Binary("sfizz_render", cure="pip install pysfizz", wheel_glob="bin/sfizz_render*")

START_S = 30.0
"""What a render may take to start and load its samples, beside the time of the sound itself."""
SLOWEST = 1.0
"""Seconds that a second of sound may take."""
LONGEST_S = 900.0
"""Sound of one render: 170 MB of file; longer lists of strokes are several renders."""

_ALL_SOUND_OFF = 120
_FADE = 480
_LEAD = 2 * BLOCK
_POLL_S = 0.02
_BYTES_PER_FRAME = 4
_MESSAGE = 300


@dataclass(frozen=True)
class Press:
    """A key held down.

    Parameters
    ----------
    key, velocity : int
        MIDI numbers; velocity >= 1.
    hold : int
        Samples for which it is down, >= 1.
    ring : int
        Samples for which it is heard after that.
    key_switch : int, optional
        Pressed before.
    turn : int
        Which of a round robin, 0 to 127.
    bend : tuple of (int, float), optional
        Samples after the press, increasing, and the bend that the wheel then has, -1 to 1.
    """

    key: int
    velocity: int
    hold: int
    ring: int
    key_switch: int | None = None
    turn: int = 0
    bend: tuple[tuple[int, float], ...] = ()

    @property
    def frames(self) -> int:
        """How long it is heard."""
        return self.hold + self.ring


class Engine:
    """Plays a staged library.

    Parameters
    ----------
    sfz : Path
        The copy of `staging.stage`.
    turn_controllers : tuple of int
        As staged.
    scratch : Path
        For the files of a render, which are gone afterwards.
    """

    def __init__(self, sfz: Path, *, turn_controllers: tuple[int, ...], scratch: Path) -> None:
        self._sfz, self._turn_controllers, self._scratch = sfz, turn_controllers, scratch

    def render(self, presses: Sequence[Press]) -> Iterator[NDArray[np.float32]]:
        """What each press sounds like by itself.

        Returns
        -------
        iterator of ndarray [frames]
            Mono, the mean of left and right; `Press.frames` long, its end faded. To be used up before the
            next render.

        Raises
        ------
        MissingError
            If there is no sfizz_render.
        StepError
            If it fails, takes too long, or writes too little or too much.
        """
        for group in _groups(presses):
            yield from self._render(group)

    def _render(self, presses: Sequence[Press]) -> Iterator[NDArray[np.float32]]:
        program = SFIZZ.require()
        starts, frames = _slots(presses)
        midi, wav = self._scratch / "strokes.mid", self._scratch / "strokes.wav"
        try:
            _write_midi(midi, presses, starts, frames=frames, turn_controllers=self._turn_controllers)
            command = [str(program), "--sfz", str(self._sfz), "--midi", str(midi), "--wav", str(wav)]
            options = ["-s", str(RATE_HZ), "-b", str(BLOCK), "-q", str(QUALITY), "-p", "64", "--use-eot"]
            _run([*command, *options], wav, frames=frames)
            yield from _cut(wav, presses, starts, frames=frames)
        finally:
            midi.unlink(missing_ok=True)
            wav.unlink(missing_ok=True)


def _groups(presses: Sequence[Press]) -> Iterator[Sequence[Press]]:
    """The presses in their order, so many at once as one render may hold."""
    group: list[Press] = []
    frames = 0
    for press in presses:
        if group and frames + press.frames > LONGEST_S * RATE_HZ:
            yield group
            group, frames = [], 0
        group.append(press)
        frames += press.frames
    if group:
        yield group


def _slots(presses: Sequence[Press]) -> tuple[list[int], int]:
    """Where each press begins, and how long the whole is."""
    starts, at = [], _LEAD
    for press in presses:
        starts.append(at)
        # One block in which the last voice ends, one for what is set before the key is pressed.
        at += (ceil(press.frames / BLOCK) + 2) * BLOCK
    return starts, at + _LEAD


def _write_midi(
    path: Path,
    presses: Sequence[Press],
    starts: Sequence[int],
    *,
    frames: int,
    turn_controllers: tuple[int, ...],
) -> None:
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    # Two ticks a sample, and events on the odd ones: sfizz rounds times down, and is then never one early.
    ticks_per_beat, tempo_us = RATE_HZ // 2, 250_000
    events: list[tuple[int, Message]] = []
    for press, start in zip(presses, starts, strict=True):
        events += [(start + at, message) for at, message in _events(press, turn_controllers)]
    # The render ends with the last event that plays, not with the end of the track.
    events.append((frames, Message("note_off", note=0, velocity=0)))
    track = MidiTrack([MetaMessage("set_tempo", tempo=tempo_us, time=0)])
    last = 0
    for at, message in sorted(events, key=lambda event: event[0]):
        message.time = 2 * at + 1 - last
        track.append(message)
        last = 2 * at + 1
    MidiFile(type=0, ticks_per_beat=ticks_per_beat, tracks=[track]).save(path)


def _events(press: Press, turn_controllers: tuple[int, ...]) -> "Iterator[tuple[int, Message]]":
    from mido import Message

    if press.key_switch is not None:
        yield -BLOCK, Message("note_on", note=press.key_switch, velocity=64)
        yield -BLOCK // 2, Message("note_off", note=press.key_switch, velocity=0)
    for controller in turn_controllers:
        yield -BLOCK // 2, Message("control_change", control=controller, value=press.turn)
    rest = press.bend[0][1] if press.bend else 0.0
    yield -BLOCK // 2, _wheel(rest)
    yield 0, Message("note_on", note=press.key, velocity=press.velocity)
    yield from ((at, _wheel(value)) for at, value in press.bend if 0 < at < press.frames)
    yield press.hold, Message("note_off", note=press.key, velocity=0)
    yield press.frames, Message("control_change", control=_ALL_SOUND_OFF, value=0)


def _wheel(bend: float) -> "Message":
    from mido import Message

    return Message("pitchwheel", pitch=max(-8192, min(8191, round(bend * 8192))))


def _run(command: Sequence[str], wav: Path, *, frames: int) -> None:
    """Run the program; end it where it takes longer or writes more than the sound asked for can need."""
    most_bytes = 2 * frames * _BYTES_PER_FRAME + 65536
    limit_s = START_S + SLOWEST * frames / RATE_HZ
    log = wav.with_suffix(".log")
    # Its words go to a file: a pipe that nobody reads while waiting could fill and stop it.
    with log.open("wb") as words:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise StepError(f"{command[0]}: cannot be started: {error.strerror}") from error
        try:
            fault = _watch(process, wav, limit_s=limit_s, most_bytes=most_bytes)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    said = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-_MESSAGE:]
    log.unlink(missing_ok=True)
    fault = fault or _ended(process.returncode)
    if fault:
        raise StepError(f"{command[0]} {fault}{': ' if said else ''}{said}")


def _watch(process: "subprocess.Popen[bytes]", wav: Path, *, limit_s: float, most_bytes: int) -> str:
    """What is wrong with a running process that is to be ended; empty for one that has ended."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            process.wait(timeout=_POLL_S)
            return ""
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > deadline:
            return f"was ended after {limit_s:.0f} s: it should have taken a few"
        if wav.exists() and wav.stat().st_size > most_bytes:
            return f"was ended at {most_bytes} bytes: it should have written half of that"


def _ended(code: int) -> str:
    if code == 0:
        return ""
    return f"crashed (signal {-code})" if code < 0 else f"failed (exit status {code})"


def _cut(
    wav: Path, presses: Sequence[Press], starts: Sequence[int], *, frames: int
) -> Iterator[NDArray[np.float32]]:
    import soundfile

    try:
        with soundfile.SoundFile(wav) as file:
            if file.samplerate != RATE_HZ or file.frames < frames - _LEAD:
                got = f"{file.frames} frames at {file.samplerate} Hz"
                asked = f"{frames} at {RATE_HZ}"
                raise StepError(
                    f"sfizz_render wrote {got}, asked for {asked}. Is the disk full? {wav.parent}"
                )
            # sfizz_render rounds silence to -1: what stands before the first key is taken off everywhere.
            rest = np.float32(np.median(file.read(BLOCK, dtype="float32")))
            for press, start in zip(presses, starts, strict=True):
                file.seek(start)
                sound = file.read(press.frames, dtype="float32", always_2d=True).mean(axis=1) - rest
                if not np.isfinite(sound).all():
                    raise StepError(
                        f"sfizz_render wrote NaN or infinite samples where key {press.key} is played"
                    )
                fade = min(_FADE, press.frames)
                sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
                yield sound
    except soundfile.LibsndfileError as error:
        raise StepError(f"sfizz_render wrote no sound that can be read: {error}") from error
