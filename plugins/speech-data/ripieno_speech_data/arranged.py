"""`data_source/arranged`: clips of music, arranged from a seed in many styles."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ripieno.contracts import Context, Dataset, DataSource, Licence, PluginConfig, derive_seed

from .arrangement import Arrangement, arrange
from .clips import TRAIN, VALIDATION, Clip, collect, keep
from .fluid import FLUIDSYNTH, find_soundfont
from .styles import STYLES

BATCH = 8
FLUID_R3 = Licence(
    "MIT", credit="Fluid (R3) SoundFont by Frank Wen", source="https://packages.debian.org/fluid-soundfont-gm"
)
COMPOSED = Licence("CC0-1.0", source="data_source/arranged of ripieno-speech-data")


class ArrangedConfig(PluginConfig):
    """Settings of `Arranged`."""

    count: int = Field(12, ge=1, description="How many clips.", json_schema_extra={"unit": "clips"})
    clip_s: float = Field(
        12.0, ge=1, le=120, description="Length of a clip.", json_schema_extra={"unit": "s"}
    )
    rate_hz: int = Field(
        16000, ge=8000, le=32000, description="Sample rate.", json_schema_extra={"unit": "Hz"}
    )
    styles: tuple[str, ...] = Field(
        (), description="Kinds of music that are drawn from; all where none is given."
    )
    soundfont: Path | None = Field(
        None, description="Sound font of General MIDI; FluidR3_GM of the system where not given."
    )
    soundfont_licence: str = Field(
        "", description="Terms of a sound font that is given, for the manifest: an SPDX identifier."
    )
    soundfont_commercial: bool = Field(True, description="Whether they allow commercial use of its sound.")
    validation_share: float = Field(0.1, ge=0, le=1, description="Of the clips, drawn from each one's seed.")

    @field_validator("styles")
    @classmethod
    def _are_known(cls, styles: tuple[str, ...]) -> tuple[str, ...]:
        for name in styles:
            if name not in STYLES:
                close = get_close_matches(name, STYLES, n=1)
                meant = f' Did you mean "{close[0]}"?' if close else f" There are {', '.join(STYLES)}"
                raise ValueError(f'no style "{name}".{meant}')
        return styles


class Arranged(DataSource[ArrangedConfig]):
    """Music as it lies under voices: composed from a seed, played by fluidsynth and by formula."""

    random = True
    parallel = True
    binaries = (FLUIDSYNTH,)

    @classmethod
    def assets(cls, config: ArrangedConfig) -> tuple[Path, ...]:
        return (find_soundfont(config.soundfont),)

    @classmethod
    def terms(cls, config: ArrangedConfig) -> tuple[Licence, ...]:
        return (COMPOSED, _of_soundfont(config))

    def generate(self) -> Dataset:
        """`count` clips; the same for the same seed, whatever the number of workers.

        Raises
        ------
        InputError
            If the sound font is none.
        MissingError, StepError
            If fluidsynth or the sound font is not here, or it fails.
        """
        config = self.config
        find_soundfont(config.soundfont)
        return collect(
            render,
            context=self.context,
            name="music",
            count=config.count,
            source="data_source/arranged",
            settings=config.model_dump(mode="json"),
            programs=(FLUIDSYNTH,),
            batch=BATCH,
        )


def render(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """The clips of one job, on a worker."""
    config = ArrangedConfig.model_validate(job["settings"])
    return keep(
        job, context, lambda seeds: make_clips(seeds, config, scratch=context.scratch), rate_hz=config.rate_hz
    )


def make_clips(seeds: Sequence[int], config: ArrangedConfig, *, scratch: Path) -> Iterator[Clip]:
    """The clips of these seeds, in their order."""
    from .finish import finished
    from .fluid import render as play

    styles = config.styles or tuple(STYLES)
    pieces = [arrange(seed, clip_s=config.clip_s, styles=styles) for seed in seeds]
    soundfont = find_soundfont(config.soundfont)
    sounds = play(pieces, clip_s=config.clip_s, soundfont=soundfont, scratch=scratch)
    for piece, sound in zip(pieces, sounds, strict=True):
        yield _clip(piece, finished(piece, sound, rate_hz=config.rate_hz), config)


def _clip(piece: Arrangement, samples: NDArray[np.float32], config: ArrangedConfig) -> Clip:
    drawn = derive_seed(piece.seed, "split") % 1_000_000 / 1_000_000
    split = VALIDATION if drawn < config.validation_share else TRAIN
    facts = {
        "style": piece.style,
        "tempo_bpm": piece.form.tempo_bpm,
        "beats_per_bar": piece.form.beats_per_bar,
        "mode": piece.form.mode,
        "players": [
            {"role": player.name, "program": player.program, "channel": player.channel}
            for player in piece.players
        ],
        "electronic": [name for name, _ in piece.electronic],
    }
    return Clip(samples, split, _licences(piece, config), facts)


def _licences(piece: Arrangement, config: ArrangedConfig) -> tuple[Licence, ...]:
    return (COMPOSED, _of_soundfont(config)) if piece.players else (COMPOSED,)


def _of_soundfont(config: ArrangedConfig) -> Licence:
    if config.soundfont is None:
        return FLUID_R3
    name, commercial = config.soundfont_licence or "not stated", config.soundfont_commercial
    return Licence(name, source=config.soundfont.name, commercial=commercial)
