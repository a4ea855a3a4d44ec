"""Films one after the other as one, with a chapter for each."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FFMPEG, InputError, Joiner, PluginConfig, Video
from ripieno.toolkit.ffmpeg import Pipe, Probe, file_url, probe

from .encoding import DEFAULT_SOUND, SOUND, check_encoders
from .muxing import SoundFormat, padded, write_film, write_list
from .streams import read_tags

_BLOCK_FRAMES = 1 << 16
_RATE_HZ = 48_000
_CHAPTER_TICKS = 1000
SUFFIXES = (".mp4", ".webm")


class ConcatConfig(PluginConfig):
    """Settings of `Concat`."""

    title: str = Field("", description="Of the whole; where empty, the album that all films name.")
    artist: str = Field("", description="Of the whole; where empty, the artist that all films name.")
    chapters: bool = Field(
        True, description="Whether each film is a chapter, named by the title in its file."
    )


class Concat(Joiner[ConcatConfig]):
    """Films in a row: the picture is copied, the sound is encoded once more, without gaps.

    An encoded sound begins with samples that no one hears, so copies of it cannot stand one after the other
    without a gap; and where the films drift apart by a fraction of a frame each, the sound keeps its place
    under its own film. Films that could not be made are left out.
    """

    binaries = (FFMPEG,)
    partial = True

    @classmethod
    def written_as(cls, config: ConcatConfig) -> tuple[str, ...]:
        return ("videos",)

    def join(self, videos: list[Video]) -> Video:
        """One film of all, in their order.

        Parameters
        ----------
        videos : list of Video
            MP4 or WebM, of one size, frame rate and codec, as `renderer/latent_film` makes them from one setting.

        Raises
        ------
        InputError
            If there are none, or the pictures differ in kind.
        """
        if not videos:
            raise InputError("no films to put together: wire one or more into videos")
        check_alike(videos)
        suffix = videos[0].path.suffix.lower()
        codec = DEFAULT_SOUND[suffix]
        check_encoders(SOUND[codec][0])
        lengths = [Fraction(video.duration_s).limit_denominator(1_000_000) for video in videos]
        film = self.context.new_file(suffix)
        self._write(videos, lengths, film, codec=codec)
        first = videos[0]
        return Video(
            film, width=first.width, height=first.height, fps=first.fps, duration_s=float(sum(lengths))
        )

    def _write(self, videos: Sequence[Video], lengths: Sequence[Fraction], film: Path, *, codec: str) -> None:
        import ffmpeg

        listed = write_list(
            [video.path for video in videos], self.context.new_file(".txt"), durations=lengths
        )
        picture = ffmpeg.input(file_url(listed), format="concat", safe=0)["v:0"]
        named = self.context.new_file(".txt")
        said = [read_tags(video.path) for video in videos]
        titles = [tags.get("title") for tags in said] if self.config.chapters else []
        named.write_text(_chapters(titles, lengths), encoding="utf-8")
        tags = {
            "title": self.config.title or _common(said, "album"),
            "artist": self.config.artist or _common(said, "artist"),
        }
        write_film(
            picture,
            self._sound(videos, lengths),
            film,
            format=SoundFormat(_RATE_HZ, 2, codec),
            options={"c:v": "copy"},
            tags={tag: value for tag, value in tags.items() if value},
            chapters=named,
        )

    def _sound(self, videos: Sequence[Video], lengths: Sequence[Fraction]) -> Iterator[NDArray[np.float32]]:
        """The films' sound, each exactly as long as its picture is shown."""
        end, written = Fraction(0), 0
        for place, (video, length) in enumerate(zip(videos, lengths, strict=True)):
            end += length
            frames = round(end * _RATE_HZ) - written
            written += frames
            yield from padded(_decoded(video.path), channels=2, frames=frames)
            self.context.progress(place + 1, len(videos), unit="films")


def check_alike(videos: Sequence[Video]) -> None:
    """Refuse films whose pictures cannot stand in one stream.

    Raises
    ------
    InputError
        Naming what differs.
    """
    found = [(video, probe(video.path)) for video in videos]
    first, facts = found[0]
    suffix = first.path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{first.path.name}: films are put together as {' or '.join(SUFFIXES)}")
    for number, (video, other) in enumerate(found[1:], 2):
        differing = [
            f"{what} {theirs} after {ours}"
            for what, ours, theirs in (
                ("kind", suffix, video.path.suffix.lower()),
                ("codec", facts.video_codec, other.video_codec),
                ("size", _size(facts), _size(other)),
                ("frame rate", round(first.fps, 3), round(video.fps, 3)),
            )
            if ours != theirs
        ]
        if differing:
            raise InputError(
                f"film {number} has {', '.join(differing)}: only like pictures are copied into one film. "
                "Give all films the same size, fps and codec"
            )


def _size(facts: Probe) -> str:
    return f"{facts.width}x{facts.height}"


def _decoded(path: Path) -> Iterator[NDArray[np.float32]]:
    if probe(path).codec is None:
        return
    heard = ["-map", "0:a:0", "-ac", "2", "-ar", str(_RATE_HZ), "-f", "f32le", "pipe:"]
    with Pipe(["ffmpeg", "-i", file_url(path), *heard], mode="read") as pipe:
        for block in pipe.blocks(_BLOCK_FRAMES * 8):
            yield np.frombuffer(block, "<f4").reshape(-1, 2).T


def _common(said: Sequence[Mapping[str, str]], tag: str) -> str:
    """What all films say under a tag; nothing where they differ."""
    values = {tags.get(tag, "") for tags in said}
    return values.pop() if len(values) == 1 else ""


def _chapters(titles: Sequence[str | None], lengths: Sequence[Fraction]) -> str:
    """FFmpeg's own text of chapters."""
    lines, start = [";FFMETADATA1"], Fraction(0)
    for number, (title, length) in enumerate(zip(titles, lengths, strict=False), 1):
        end = start + length
        lines += ["[CHAPTER]", f"TIMEBASE=1/{_CHAPTER_TICKS}"]
        lines += [f"START={round(start * _CHAPTER_TICKS)}", f"END={round(end * _CHAPTER_TICKS)}"]
        lines.append(f"title={_escaped(title or f'Track {number}')}")
        start = end
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)
