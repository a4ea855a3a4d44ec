"""The renderer: a song's picture and its sound as an MP4."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FFMPEG, Audio, Beats, PluginConfig, Renderer, Resources, Sections, Video
from ripieno.toolkit.mixing import mix, mix_gains

from .marks import Marks
from .picture import Picture

_Pixels = Annotated[int, Field(ge=16, le=8192)]
_THREADS = 2
_BLOCK_FRAMES = 1 << 18
_AAC_RATES_HZ = (44100, 48000)
_BT709 = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "range": "tv"}


class SpectrumConfig(PluginConfig):
    """How the film looks."""

    size: tuple[_Pixels, _Pixels] = Field(
        (1280, 720),
        description="Width and height; an odd one is drawn one pixel larger.",
        json_schema_extra={"unit": "pixels"},
    )
    fps: float = Field(30.0, gt=0, le=240, description="Frames per second.", json_schema_extra={"unit": "Hz"})
    title: str = Field("", description="Written above the score; where empty, the title in the item's facts.")
    quality: int = Field(
        20, ge=0, le=51, description="Constant rate factor of x264; lower is better and larger."
    )


class SpectrumFilm(Renderer[SpectrumConfig]):
    """Draws music as a scrolling score: constant-Q spectrum, wave, beats and sections.

    Notes lie ahead of the playhead in blue and turn to gold as they are played; beats light up in the frame
    that holds them. Memory grows by about 20 kB per second of music.
    """

    binaries = (FFMPEG,)
    resources = Resources(cpu=_THREADS)

    def render(self, audio: Audio, *, beats: Beats | None = None, sections: Sections | None = None) -> Video:
        """Render a film of `audio`.

        Parameters
        ----------
        audio : Audio
            Any rate and length; more than two channels are heard in stereo (ITU-R BS.775). Empty audio gives one frame.
        beats : Beats, optional
            Marked, counted in the header, and lit up as they pass.
        sections : Sections, optional
            Named bands whose colours tint the wave.

        Returns
        -------
        Video
            H.264 (BT.709) and AAC; ceil(duration * fps) frames, and silence after the sound to their end.
        """
        width, height = (pixels + pixels % 2 for pixels in self.config.size)
        picture = Picture(
            lambda start, stop: audio.read(start, stop).mean(axis=0),
            frames=audio.frames,
            rate_hz=audio.rate_hz,
            marks=_marks(beats, sections),
            title=self.config.title or str(self.context.facts.get("title", "")),
            size=(width, height),
            fps=self.config.fps,
        )
        frames = max(1, picture.frames)
        duration_s = frames / self.config.fps
        sound = self.context.new_file(".f32")
        _write_sound(audio, sound, frames=round(duration_s * audio.rate_hz))
        film = self.context.new_file(".mp4")
        self._encode(picture, frames, command=self._command(film, sound, audio, (width, height)))
        sound.unlink()
        return Video(film, width=width, height=height, fps=self.config.fps, duration_s=duration_s)

    def _encode(self, picture: Picture, frames: int, *, command: list[str]) -> None:
        from ripieno.toolkit.ffmpeg import Pipe

        with Pipe(command, mode="write") as encoder:
            for index in range(frames):
                encoder.write(picture.frame(index))
                self.context.progress(index + 1, frames, unit="frames")

    def _command(self, film: Path, sound: Path, audio: Audio, size: tuple[int, int]) -> list[str]:
        import ffmpeg

        from ripieno.toolkit.ffmpeg import file_url

        picture = ffmpeg.input(
            "pipe:", format="rawvideo", pix_fmt="rgb24", s="{}x{}".format(*size), framerate=self.config.fps
        )
        heard = ffmpeg.input(file_url(sound), format="f32le", ar=audio.rate_hz, ac=_heard(audio))
        command: list[str] = ffmpeg.output(
            picture.video.filter("scale", out_color_matrix="bt709", out_range="tv").filter(
                "setparams", **_BT709
            ),
            heard.audio,
            file_url(film),
            vcodec="libx264",
            preset="veryfast",
            crf=self.config.quality,
            pix_fmt="yuv420p",
            # x264's bytes depend on the number of its threads.
            threads=_THREADS,
            acodec="aac",
            audio_bitrate="192k",
            ar=audio.rate_hz if audio.rate_hz in _AAC_RATES_HZ else max(_AAC_RATES_HZ),
            movflags="+faststart",
        ).compile()
        return command


def _marks(beats: Beats | None, sections: Sections | None) -> Marks:
    spans = zip(sections.start_s, sections.end_s, sections.labels, strict=True) if sections else ()
    if beats is None:
        return Marks(sections=tuple(spans))
    return Marks(beats.times_s, beats.positions, tuple(spans))


def _write_sound(audio: Audio, path: Path, *, frames: int) -> None:
    """Write the samples as FFmpeg's f32le, in stereo if more, with silence after them up to `frames`."""
    gains = mix_gains(audio.channels, _heard(audio))
    with path.open("wb") as file:
        for block in audio.blocks(_BLOCK_FRAMES):
            file.write(_interleaved(mix(block, gains=gains)))
        file.write(_interleaved(np.zeros((len(gains), max(0, frames - audio.frames)), np.float32)))


def _heard(audio: Audio) -> int:
    return min(audio.channels, 2)


def _interleaved(samples: NDArray[np.float32]) -> bytes:
    return samples.T.astype("<f4").tobytes()
