"""``controller/latent``: music steers the codes of a generator of pictures."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ripieno.contracts import (
    Asset,
    Beats,
    Controller,
    Features,
    Model,
    PluginConfig,
    PluginRef,
    Preset,
    Sections,
    Trajectory,
)
from ripieno.contracts.context import derive_seed
from ripieno.toolkit.latents import GeneratorCard, anchors_of, columns

from .choosing import choose, traits_of
from .generator import Generator, load
from .steering.course import Course, Heard, timbre_names
from .steering.looping import close_loop
from .steering.moods import moods_at
from .steering.pulses import pulse_frames
from .steering.settings import Anchors, Look, Mood, Motion, Scene, check_part, scene_of
from .steering.sound import Sound

CHUNK_FRAMES = 1024
UNNAMED_ANCHORS = 12
_ONE_MOOD = {"all": Mood()}


class LatentConfig(PluginConfig):
    """Settings of `LatentController`."""

    preset: PluginRef[Preset] = Field(
        PluginRef("preset/default"), description="How the film looks and moves."
    )
    fps: float = Field(
        30.0, ge=24, le=120, description="Of the film.", json_schema_extra={"unit": "frames/s"}
    )
    weights: PluginRef[Asset] = Field(
        PluginRef("asset/gan"), description="The generator; the port `model` takes one of your own."
    )
    anchors: Anchors | None = Field(
        None, description="Codes in the generator's bank, instead of those of the preset."
    )
    motion: dict[str, Any] = Field({}, description="Settings of motion, over those of the preset.")
    look: dict[str, Any] = Field(
        {}, description="palette, paint and effects, over those of the preset; a palette as a whole."
    )

    @field_validator("motion")
    @classmethod
    def _of_motion(cls, given: dict[str, Any]) -> Mapping[str, Any]:
        return check_part(Motion, given)

    @field_validator("look")
    @classmethod
    def _of_look(cls, given: dict[str, Any]) -> Mapping[str, Any]:
        return check_part(Look, given)


class LatentController(Controller[LatentConfig]):
    """Anchors of a generator blended by what the music is like, in time with its beats.

    Standardised features choose between the anchors of a preset; slow noise, moods of sections and markers
    of the track list have their say, and all of it follows faster where the music is loud. Motion goes in
    steps with the beats. Of the item's facts it takes `markers`, `bpm` where there are no beats, `seed`,
    `loop` and the beginning of `trim`.
    """

    random = True

    def control(
        self,
        features: Features,
        *,
        beats: Beats | None = None,
        sections: Sections | None = None,
        drums: Features | None = None,
        vocals: Features | None = None,
        model: Model | None = None,
    ) -> Trajectory:
        """The course of a film.

        Parameters
        ----------
        features : Features
            Of the music: rms, centroid_hz, flatness, onset_strength, mfcc_1 and so on. The film lasts as
            long as they do.
        beats : Beats, optional
            Without them `bpm` of the facts, or else onsets, make the pulse.
        sections : Sections, optional
            Each label has a mood.
        drums, vocals : Features, optional
            Of stems: drums make pulses and flashes, the voice turns the colour.
        model : Model, optional
            A generator instead of the one in the settings.

        Returns
        -------
        Trajectory
            ceil(duration * fps) rows of the columns that `ripieno.toolkit.latents.columns` names. Its look
            has preset, anchors, bank, palette, paint, effects and latent.

        Raises
        ------
        ConfigError
            If the preset is none of films, or says what it may not.
        InputError
            If features are lacking, a marker names no mood of the preset, or the generator has not what
            the preset wants of it.
        """
        scene, fps = self._scene(), self.config.fps
        path = model.path if model else self.config.weights.plugin.path
        generator = load(str(path), gpu=False)
        card = generator.card
        look = self._look(scene, card, self._anchors(scene, generator, own=model is not None))
        anchors = anchors_of(card, look)
        axes = min(scene.motion.axes, len(card.axes))
        frames = film_frames(features, fps=fps)
        names = columns(anchors=len(anchors), axes=axes)
        rows = np.empty((frames, len(names)), np.float32)
        if not frames:
            return Trajectory(rows, fps, names, look)
        wanted = (*card.features, "centroid_hz", *timbre_names(scene.motion, axes))
        course = Course(
            Heard(
                sound=Sound.of(features, wanted, fps=fps),
                drums=_stem(drums, fps=fps, port="drums"),
                vocals=_stem(vocals, fps=fps, port="vocals"),
                pulses=self._pulses(scene, beats, frames),
                moods=self._moods(scene, sections, frames),
            ),
            projection=card.projection[list(anchors)],
            features=card.features,
            motion=scene.motion,
            moods=list((scene.moods or _ONE_MOOD).values()),
            axes=axes,
            rng=self._rng(),
        )
        for first in range(0, frames, CHUNK_FRAMES):
            last = min(first + CHUNK_FRAMES, frames)
            rows[first:last] = course.rows(first, last)
            self.context.progress(last, frames, unit="frames")
        self._close(rows, names)
        return Trajectory(rows, fps, names, look)

    @property
    def _preset_name(self) -> str:
        return self.config.preset.uses.partition("/")[2]

    def _scene(self) -> Scene:
        over = {name: part for name in ("motion", "look") if (part := getattr(self.config, name))}
        return scene_of(self.config.preset.plugin, name=self.config.preset.uses, over=over)

    def _anchors(self, scene: Scene, generator: Generator, *, own: bool) -> tuple[int, ...]:
        """Those of the step, else those that the preset has of this generator, else those that suit it."""
        named = () if own else scene.anchors.get(self.config.weights.uses, ())
        if chosen := self.config.anchors or named:
            return chosen
        count = max(map(len, scene.anchors.values()), default=UNNAMED_ANCHORS)
        return choose(generator.card, traits_of(generator), scene.character, count=count)

    def _look(self, scene: Scene, card: GeneratorCard, anchors: tuple[int, ...]) -> dict[str, Any]:
        return {
            "preset": self._preset_name,
            "anchors": anchors,
            "bank": card.bank,
            **scene.look.model_dump(mode="json"),
            "latent": {"tilt": scene.motion.tilt, "wander": scene.motion.wander},
        }

    def _pulses(self, scene: Scene, beats: Beats | None, frames: int) -> NDArray[np.int64]:
        bpm = self.context.facts.get("bpm")
        return pulse_frames(
            beats,
            subdivision_beats=scene.motion.subdivision_beats,
            bpm=None if bpm is None else float(bpm),
            fps=self.config.fps,
            frames=frames,
        )

    def _moods(self, scene: Scene, sections: Sections | None, frames: int) -> NDArray[np.int64]:
        facts = self.context.facts
        return moods_at(
            np.arange(frames) / self.config.fps,
            names=list(scene.moods or _ONE_MOOD),
            sections=sections,
            markers=facts.get("markers") or (),
            start_s=self._start_s,
        )

    @property
    def _start_s(self) -> float:
        """Of what is heard, in the track's file: times of the facts are those of the file."""
        trim = self.context.facts.get("trim")
        return float(trim[0]) if trim else 0.0

    def _rng(self) -> np.random.Generator:
        seed = self.context.facts.get("seed")
        return self.context.rng if seed is None else np.random.default_rng(derive_seed(int(seed), "latent"))

    def _close(self, rows: NDArray[np.float32], names: tuple[str, ...]) -> None:
        """Close the loop that the facts ask for, ``true`` or ``[start_s, end_s]``."""
        loop, fps = self.context.facts.get("loop"), self.config.fps
        if not loop:
            return
        begin_s, end_s = (self._start_s, None) if loop is True else loop
        start = max(0, round((float(begin_s) - self._start_s) * fps))
        stop = len(rows) if end_s is None else min(len(rows), round((float(end_s) - self._start_s) * fps))
        if start < stop:
            close_loop(rows, names, start=start, stop=stop, fps=fps)


def film_frames(features: Features, *, fps: float) -> int:
    """Frames of a film for features: a row lasts until the next one."""
    rows = len(features.values)
    duration_s = features.start_s + rows / features.rate_hz if rows else 0.0
    return max(0, ceil(duration_s * fps - 1e-6))


def _stem(features: Features | None, *, fps: float, port: str) -> Sound | None:
    if features is None or not len(features.values):
        return None
    return Sound.of(features, (), fps=fps, port=port)
