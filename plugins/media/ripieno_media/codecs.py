"""Files of sound, film and picture."""

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ripieno.contracts import FFMPEG, Audio, Codec, Image, InputError, NoConfig, Stems, Video
from ripieno.toolkit.ffmpeg import file_url, probe, run

from .decoding import decode, read_header
from .encoding import REPRODUCIBLE, encode


class AudioFile(Codec[NoConfig]):
    """Sound of any format that libsndfile or FFmpeg reads, at its own rate, with its own channels.

    Written are .wav (32-bit float), .flac and .aiff (24 bit), .mp3, .m4a, .ogg and .opus. WAV, AIFF and
    FLAC take no FFmpeg.
    """

    kind = Audio
    suffixes = (
        *(".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac", ".aiff", ".aif", ".aifc", ".au", ".caf"),
        *(".w64", ".wma", ".wv", ".ape", ".tta", ".ac3", ".mp2", ".m4b", ".mka", ".oga"),
        *(".webm", ".mkv", ".mp4", ".mov", ".m4v", ".avi"),
    )

    def read(self, path: Path) -> Audio:
        header = read_header(path)
        with self.context.audio_writer(header.format) as writer:
            for block in decode(path, header):
                _write_named(writer, block, path)
            return writer.close()

    def write(self, artifact: Audio, path: Path) -> None:
        clipped = encode(artifact, path)
        if clipped:
            self.context.logger.warning("%s: %d samples beyond full scale were clipped", path, clipped)

    def header(self, path: Path) -> Mapping[str, Any]:
        header = read_header(path)
        known = {"kind": "audio", "rate_hz": header.format.rate_hz, "channels": header.format.channels}
        return known if header.frames is None else {**known, "frames": header.frames}


class StemsFolder(Codec[NoConfig]):
    """Stems as a folder of ``NAME.wav``, 32-bit float; read in the order of their names."""

    kind, suffixes = Stems, ("",)

    def read(self, path: Path) -> Stems:
        files = sorted(file for file in path.glob("*") if file.suffix.lower() == ".wav")
        if not files:
            raise InputError(f"{path}: not a folder with stems, NAME.wav each")
        return Stems({file.stem: AudioFile().read(file) for file in files})

    def write(self, artifact: Stems, path: Path) -> None:
        path.mkdir()
        for name, audio in artifact.items.items():
            AudioFile().write(audio, path / f"{name}.wav")


class VideoFile(Codec[NoConfig]):
    """Films; a film goes into another container without being encoded again."""

    kind, suffixes = Video, (".mp4", ".webm", ".mkv", ".mov")
    binaries = (FFMPEG,)

    def read(self, path: Path) -> Video:
        _refuse_absent(path)
        found = probe(path)
        if not (found.width and found.height and found.fps):
            raise InputError(
                f"{path}: has no film" + (f", only sound ({found.codec})" if found.codec else "")
            )
        if found.duration_s is None:
            raise InputError(f"{path}: does not say how long it is: it was not written to its end")
        return Video(path, found.width, found.height, found.fps, found.duration_s)

    def write(self, artifact: Video, path: Path) -> None:
        if artifact.path.suffix.lower() == path.suffix.lower():
            shutil.copyfile(artifact.path, path)
            return
        import ffmpeg

        # Title and chapters are the film's own; the track that an MP4 keeps their names in is of no other container.
        options = {**REPRODUCIBLE, "map": 0, "map_metadata": 0, "dn": None}
        remuxed = ffmpeg.input(file_url(artifact.path)).output(file_url(path), codec="copy", **options)
        try:
            run(ffmpeg.compile(remuxed, overwrite_output=True))
        except InputError as cause:
            raise InputError(f"{path}: cannot hold what is in {artifact.path.name}: {cause}") from cause

    def header(self, path: Path) -> Mapping[str, Any]:
        return self.read(path).header()


class ImageFile(Codec[NoConfig]):
    """Pictures, copied as they are."""

    kind, suffixes = Image, (".png", ".jpg", ".jpeg")

    def read(self, path: Path) -> Image:
        _refuse_absent(path)
        data = path.read_bytes()
        size = _png_size(data) or _jpeg_size(data)
        if size is None:
            raise InputError(f"{path}: not a whole PNG or JPEG picture")
        return Image(path, *size)

    def write(self, artifact: Image, path: Path) -> None:
        if _family(artifact.path) != _family(path):
            raise InputError(f"{path}: the picture is a {artifact.path.suffix} file: give it that suffix")
        shutil.copyfile(artifact.path, path)


def _write_named(writer: Any, block: Any, path: Path) -> None:
    try:
        writer.write(block)
    except InputError as cause:
        raise InputError(f"{path}: {cause}") from cause


def _refuse_absent(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes)")


def _family(path: Path) -> str:
    return path.suffix.lower().replace(".jpeg", ".jpg")


def _png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or b"IEND" not in data[-16:]:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Size in the start-of-frame segment (ITU-T T.81, annex B)."""
    if not data.startswith(b"\xff\xd8") or b"\xff\xd9" not in data[-64:]:
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + size
    return None
