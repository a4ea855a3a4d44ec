"""Sound files read block by block.

Conventions
-----------
What a file holds decides how it is read, not its name: WAV, AIFF and FLAC by libsndfile in this process, all
else by FFmpeg. Rate and channels stay as they are; integers are divided by their full scale.
Sound that is damaged or shorter than its header says is an error, never silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import AudioFormat, InputError
from ripieno.toolkit.ffmpeg import Pipe, file_url, probe

from .riff import missing_bytes

BLOCK_FRAMES = 1 << 16
_BY_LIBSNDFILE = (b"RIFF", b"RF64", b"FORM", b"fLaC")
# FFmpeg guesses the length of other files from their bit rate: that is no promise.
_STATE_LENGTH = (b"ftyp", b"\x1aE\xdf\xa3", b"OggS", b"0&\xb2u", b"Xing", b"Info", b"VBRI")
_HEAD_BYTES = _OGG_PAGE_BYTES = 1 << 16
_OGG_LAST_PAGE = 4
# Containers state a length to 10 ms, and some count what an encoder adds at both ends.
_SLACK_S = 0.25


@dataclass(frozen=True)
class SoundHeader:
    """What a sound file says of itself.

    Parameters
    ----------
    format : AudioFormat
        Rate and channels.
    frames : int or None
        Length; to 10 ms where FFmpeg reads the file, None where the file does not state it.
    in_process : bool
        Whether libsndfile reads it.
    """

    format: AudioFormat
    frames: int | None
    in_process: bool


def read_header(path: Path) -> SoundHeader:
    """The header of a sound file.

    Raises
    ------
    InputError
        If it is empty, cut off, has no sound, or is no media file; the message names it.
    MissingError
        If it takes FFmpeg to read it, and there is none.
    """
    head = _head(path)
    if head.startswith(_BY_LIBSNDFILE) and (header := _libsndfile_header(path)):
        _refuse_cut_off(path)
        return header
    if head.startswith(b"OggS"):
        _refuse_cut_off_ogg(path)
    return _ffmpeg_header(path, states_length=any(mark in head for mark in _STATE_LENGTH))


def decode(path: Path, header: SoundHeader) -> Iterator[NDArray[np.float32]]:
    """Blocks [channels, frames] of a sound file.

    Raises
    ------
    InputError
        If it is damaged or ends too early; the message says after how much.
    """
    blocks = _libsndfile_blocks(path) if header.in_process else _ffmpeg_blocks(path, header.format)
    rate_hz, frames = header.format.rate_hz, 0
    of = "" if header.frames is None else f" of {header.frames / rate_hz:.3f} s"
    try:
        for block in blocks:
            frames += block.shape[1]
            yield block
    except InputError as cause:
        raise InputError(f"{path}: damaged or cut off after {frames / rate_hz:.3f} s{of}: {cause}") from cause
    slack = 0 if header.in_process else round(_SLACK_S * rate_hz)
    if header.frames is not None and frames + slack < header.frames:
        missing_s = (header.frames - frames) / rate_hz
        raise InputError(f"{path}: damaged or cut off: {missing_s:.3f} s{of} are missing")


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not head:
        raise InputError(f"{path}: is empty (0 bytes)")
    return head


def _refuse_cut_off(path: Path) -> None:
    missing, promised = missing_bytes(path)
    if missing:
        raise InputError(f"{path}: cut off: {missing} of its {promised} bytes of sound are missing")


def _refuse_cut_off_ogg(path: Path) -> None:
    # Ogg states no length but marks its last page.
    with open(path, "rb") as file:
        file.seek(-min(path.stat().st_size, _OGG_PAGE_BYTES), 2)
        tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & _OGG_LAST_PAGE:
        raise InputError(f"{path}: cut off: its last Ogg page is missing")


def _libsndfile_header(path: Path) -> SoundHeader | None:
    import soundfile

    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return None
    return SoundHeader(AudioFormat(info.samplerate, info.channels), info.frames, in_process=True)


def _libsndfile_blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            while len(rows := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
                yield rows.T
    except soundfile.LibsndfileError as error:
        raise InputError(error.error_string) from error


def _ffmpeg_header(path: Path, *, states_length: bool) -> SoundHeader:
    found = probe(path)
    if found.rate_hz is None or found.channels is None:
        holds = f": it holds pictures ({found.video_codec})" if found.has_video else ""
        raise InputError(f"{path}: has no sound{holds}")
    # The sound of a film may be shorter than the film.
    stated = states_length and found.duration_s is not None and not found.has_video
    frames = round((found.duration_s or 0) * found.rate_hz) if stated else None
    return SoundHeader(AudioFormat(found.rate_hz, found.channels), frames, in_process=False)


def _ffmpeg_blocks(path: Path, format: AudioFormat) -> Iterator[NDArray[np.float32]]:
    import ffmpeg

    # Not with ac: a number of channels is a layout to FFmpeg, and it would mix those of another layout.
    raw = ffmpeg.input(file_url(path))["a:0"].output("pipe:", format="f32le", ar=format.rate_hz)
    sound = raw.global_args("-xerror")
    with Pipe(ffmpeg.compile(sound), mode="read") as pipe:
        for data in pipe.blocks(BLOCK_FRAMES * format.channels * 4):
            yield np.frombuffer(data, "<f4").reshape(-1, format.channels).T
