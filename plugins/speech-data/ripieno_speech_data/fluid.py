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

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Binary, InputError, MissingError, StepError

from .arrangement import Arrangement
from .midi import slots, write_midi
from .processes import run

FLUIDSYNTH = Binary(
    "fluidsynth", cure="apt install fluidsynth fluid-soundfont-gm, or brew install fluid-synth"
)
SOUNDFONT = "FluidR3_GM.sf2"
SOUNDFONT_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts")
RATE_HZ = 32000
GAIN = 0.35
START_S = 60.0
SLOWEST = 4.0
"""Seconds that a second of sound may take."""
_BYTES_PER_FRAME = 8
_SETTINGS = ("synth.dynamic-sample-loading=0", "synth.cpu-cores=1", "synth.polyphony=192")


def find_soundfont(given: Path | None) -> Path:
    """The sound font to play.

    Raises
    ------
    MissingError
        If it is not there.
    InputError
        If it is no sound font, or only the beginning of one.
    """
    if given is not None:
        if given.is_file():
            return _checked(given)
        raise MissingError(f"soundfont: there is no {given}. Give the path of an .sf2 file of General MIDI")
    for folder in SOUNDFONT_FOLDERS:
        path = Path(folder) / SOUNDFONT
        if path.is_file():
            return _checked(path)
    places = ", ".join(SOUNDFONT_FOLDERS)
    raise MissingError(
        f"no {SOUNDFONT} in {places}. Run: apt install fluid-soundfont-gm, or give soundfont: PATH of an .sf2 file"
    )


def _checked(soundfont: Path) -> Path:
    """Its first bytes say what it is and how long; fluidsynth would go on without it."""
    with open(soundfont, "rb") as file:
        head = file.read(12)
    whole = 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"sfbk" or soundfont.stat().st_size < whole:
        raise InputError(
            f"soundfont: {soundfont} is no whole .sf2 file. Give the path of one of General MIDI"
        )
    return soundfont


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
    starts = slots(pieces, clip_s=clip_s)
    write_midi(midi, pieces, clip_s=clip_s)
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
    for setting in _SETTINGS:
        options += ["-o", setting]
    # It would play the system's font where it cannot load this one.
    options += ["-o", f"synth.default-soundfont={soundfont}"]
    run(
        [str(program), *options, str(soundfont), str(midi)],
        writes=wav,
        limit_s=START_S + SLOWEST * starts[-1],
        most_bytes=int((starts[-1] + 60) * RATE_HZ * _BYTES_PER_FRAME),
    )
    try:
        yield from _cut(wav, pieces, starts, frames=frames)
    finally:
        midi.unlink(missing_ok=True)
        wav.unlink(missing_ok=True)


def _cut(
    wav: Path, pieces: Sequence[Arrangement], starts: Sequence[float], *, frames: int
) -> Iterator[NDArray[np.float32]]:
    import soundfile

    try:
        with soundfile.SoundFile(wav) as file:
            if file.samplerate != RATE_HZ or file.frames < starts[-1] * RATE_HZ:
                raise StepError(f"fluidsynth wrote less than was asked for. Is the disk full? {wav.parent}")
            for piece, start_s in zip(pieces, starts[:-1], strict=True):
                file.seek(round((start_s + piece.lead_s) * RATE_HZ))
                yield file.read(frames, dtype="float32", always_2d=True).T
    except soundfile.LibsndfileError as error:
        raise StepError(f"fluidsynth wrote no sound that can be read: {error}") from error
