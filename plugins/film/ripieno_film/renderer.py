"""The renderer: a trajectory and its music as a film."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from ripieno.contracts import FFMPEG, Audio, Model, Renderer, Trajectory, Video
from ripieno.toolkit.covers import check_cover
from ripieno.toolkit.latents import expand

from .chain import chosen_effects, left_out
from .config import LatentFilmConfig
from .encoding import CODECS, DEFAULT_SOUND, SOUND, check_encoders
from .excerpt import excerpt
from .generator import load
from .muxing import SoundFormat, mux, padded
from .painting import Painter
from .reel import Reel, check_fit, exact_rate, frame_count, pictures_between_fields, save_rows
from .segments import render_segments
from .sound import at_loudness

TAGS = ("title", "artist", "album")


class LatentFilm(Renderer[LatentFilmConfig]):
    """Dreams a film: a generator draws two fields, they are painted, effects finish them, FFmpeg encodes.

    It is made in segments of fixed length, on as many workers as the run has. A run that was killed goes on
    after its last finished segment, and gives the same film as one that was not. Memory does not grow with
    the music.
    """

    binaries = (FFMPEG,)
    parallel = True

    @classmethod
    def written_as(cls, config: LatentFilmConfig) -> tuple[str, ...]:
        return config.suffixes

    def render(self, trajectory: Trajectory, audio: Audio, *, model: Model | None = None) -> Video:
        """Render the film of a piece.

        Parameters
        ----------
        trajectory : Trajectory
            As `controller/latent` gives it; `look` and the names of columns are read. As long as the sound, give
            or take a second; its last row holds to the end.
        audio : Audio
            What is heard; any rate and length, more than two channels in stereo. What is shorter than a frame gives
            one.
        model : Model, optional
            A generator of one's own; the one of the settings where not given.

        Returns
        -------
        Video
            ceil(duration * fps) frames, of which the last ends with the sound; BT.709, tagged.

        Raises
        ------
        InputError
            If trajectory and sound are not of one piece, the generator is none, the item's cover is no picture, or
            the disk is full.
        ConfigError
            If the look or a setting cannot be used.
        MissingError
            If FFmpeg or the encoder is missing.
        """
        config = self.config
        suffix = CODECS[config.codec].suffix
        sound_codec = config.audio_codec or DEFAULT_SOUND[suffix]
        check_encoders(CODECS[config.codec].encoder, SOUND[sound_codec][0])
        if art := self.context.facts.get("art"):
            # Whoever shows the cover comes after the film, or in the middle of it.
            check_cover(Path(art))
        if config.part_s is not None:
            # Before the cut, since a part may fit where the whole does not.
            check_fit(trajectory, duration_s=audio.duration_s)
            write = self.context.audio_writer
            trajectory, audio = excerpt(trajectory, audio, part_s=config.part_s, writer=write)
        reel = reel_of(
            config,
            trajectory,
            audio,
            generator=config.weights.plugin.path if model is None else model.path,
            folder=self.context.checkpoint,
        )
        if missing := left_out(config.effects, trajectory.look):
            self.context.logger.warning("the look sets %s, not among the effects", ", ".join(missing))
        segments = render_segments(
            reel,
            self.context,
            encoding={"codec": config.codec, "crf": config.crf, "threads": config.encoder_threads},
            keep_frames=config.keep_frames,
        )
        film = self.context.new_file(suffix)
        sound = at_loudness(audio, config.loudness_lufs)
        duration = max(Fraction(audio.frames, audio.rate_hz), 1 / reel.fps)
        mux(
            segments,
            padded(sound.blocks(), channels=sound.channels, frames=round(duration * audio.rate_hz)),
            film,
            format=SoundFormat(audio.rate_hz, sound.channels, sound_codec),
            rate=reel.rate,
            frames=reel.frames,
            duration=duration,
            tags=self._tags(),
            scratch=self.context.scratch,
        )
        width, height = reel.size
        return Video(film, width=width, height=height, fps=float(reel.fps), duration_s=float(duration))

    def _tags(self) -> dict[str, str]:
        facts = self.context.facts
        return {tag: str(facts[tag]) for tag in TAGS if facts.get(tag)}


def reel_of(
    config: LatentFilmConfig, trajectory: Trajectory, audio: Audio, *, generator: Path, folder: Path
) -> Reel:
    """What is to be drawn; the trajectory's rows are written into a folder.

    Raises
    ------
    InputError
        If trajectory and sound are not of one piece, or the generator is none.
    ConfigError
        If the look or a setting cannot be used.
    """
    check_fit(trajectory, duration_s=audio.duration_s)
    rate = exact_rate(config.fps or trajectory.fps)
    fps = rate[0] / rate[1]
    width, height = (pixels + pixels % 2 for pixels in config.size)
    rows = folder / "rows.npy"
    save_rows(trajectory, rows)
    reel = Reel(
        rows=str(rows),
        names=trajectory.names,
        row_rate=trajectory.fps,
        look=trajectory.look,
        frames=frame_count(audio.frames, audio.rate_hz, rate=rate),
        rate=rate,
        size=(width, height),
        generator=str(generator),
        gpu=config.gpu,
        effects=chosen_effects(config.effects, trajectory.look, fps=fps, duration_s=audio.duration_s),
        supersample=config.supersample,
        field_every=pictures_between_fields(fps=fps * config.supersample, fields_fps=config.fields_fps),
        segment_frames=max(1, round(config.segment_s * fps)),
    )
    _check(reel)
    return reel


def _check(reel: Reel) -> None:
    """Find out before the first segment what would fail in it: generator, anchors, palette."""
    generator = load(reel.generator, gpu=reel.gpu)
    expand(generator.card, reel.rows_at(np.zeros(1, np.int64)), names=reel.names, look=reel.look)
    Painter(reel.look, size=(16, 16))
