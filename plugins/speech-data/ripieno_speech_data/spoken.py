"""`data_source/spoken`: clips of synthetic speech, of many voices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from ripieno.contracts import Context, Dataset, DataSource, InputError, PluginConfig

from .clips import TRAIN, VALIDATION, Clip, collect, keep
from .voices import all_voices, matching, programs_of

BATCH = 16
LONGEST_LINE = 1000
"""Characters that are spoken in one go: more than a minute of speech."""


class SpokenConfig(PluginConfig):
    """Settings of `Spoken`."""

    count: int = Field(12, ge=1, description="How many clips.", json_schema_extra={"unit": "clips"})
    clip_s: float = Field(
        10.0, ge=1, le=120, description="Length of a clip.", json_schema_extra={"unit": "s"}
    )
    rate_hz: int = Field(
        16000,
        ge=8000,
        le=48000,
        description="Sample rate; voices reach 8 kHz at best.",
        json_schema_extra={"unit": "Hz"},
    )
    voices: tuple[str, ...] = Field(
        ("*",), min_length=1, description="Names or patterns: flite/slt, festival/*, espeak-ng/en-*+f?."
    )
    validation_speakers: tuple[str, ...] = Field(
        ("awb", "f4", "m7", "Annie", "pedro", "Michael", "steph"),
        description="Whose clips are of the validation split: awb, ked, kal, rms, slt or a variant of espeak-ng.",
    )
    warp: tuple[float, float] = Field(
        (0.85, 1.2),
        description="Least and greatest factor on formants and pitch, by resampling; [1, 1] for none.",
    )
    text: Path | None = Field(
        None, description="A file whose lines are spoken; invented sentences where not given."
    )

    @field_validator("voices")
    @classmethod
    def _are_known(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if not matching((pattern,)):
                raise ValueError(
                    f'no voice matches "{pattern}". Say e.g. flite/slt, festival/* or espeak-ng/en-us+*'
                )
        return patterns

    @field_validator("validation_speakers")
    @classmethod
    def _are_somebody(cls, speakers: tuple[str, ...]) -> tuple[str, ...]:
        known = {voice.speaker for voice in all_voices()}
        for speaker in speakers:
            if speaker not in known:
                raise ValueError(
                    f'no speaker "{speaker}". Say e.g. awb, slt or a variant of espeak-ng such as f4'
                )
        return speakers

    @field_validator("warp")
    @classmethod
    def _is_a_range(cls, warp: tuple[float, float]) -> tuple[float, float]:
        if not 0.5 <= warp[0] <= warp[1] <= 2:
            raise ValueError("expected two factors, the lesser first, from 0.5 to 2")
        return warp


class Spoken(DataSource[SpokenConfig]):
    """Speech of flite, festival and espeak-ng: voice, speed, pitch, formants, words and pauses are drawn."""

    random = True
    parallel = True

    @classmethod
    def assets(cls, config: SpokenConfig) -> tuple[Path, ...]:
        # Not `binaries`, which are needed whatever is set: flite's voices do without festival.
        programs = tuple(program.require() for program in programs_of(config.voices))
        return (*programs, config.text) if config.text else programs

    def generate(self) -> Dataset:
        """`count` clips; the same for the same seed, whatever the number of workers.

        Raises
        ------
        InputError
            If the text has no lines, or one that is too long.
        MissingError, StepError
            If a synthesizer is not here, or fails.
        """
        config = self.config
        read_lines(config.text)
        return collect(
            render,
            context=self.context,
            name="speech",
            count=config.count,
            source="data_source/spoken",
            settings=config.model_dump(mode="json"),
            programs=programs_of(config.voices),
            batch=BATCH,
        )


def render(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """The clips of one job, on a worker."""
    config = SpokenConfig.model_validate(job["settings"])
    return keep(
        job, context, lambda seeds: make_clips(seeds, config, scratch=context.scratch), rate_hz=config.rate_hz
    )


def make_clips(seeds: Sequence[int], config: SpokenConfig, *, scratch: Path) -> Iterator[Clip]:
    """The clips of these seeds, in their order."""
    from .speaking import assemble, draw_plan
    from .synthesizers import Utterance, speak

    voices, lines = matching(config.voices), read_lines(config.text)
    plans = [
        draw_plan(seed, voices=voices, clip_s=config.clip_s, warp=config.warp, lines=lines) for seed in seeds
    ]
    utterances = [
        Utterance(plan.voice, sentence.text, stretch=sentence.stretch, pitch=sentence.pitch)
        for plan in plans
        for sentence in plan.sentences
    ]
    sounds = iter(speak(utterances, scratch=scratch))
    frames = round(config.clip_s * config.rate_hz)
    for plan in plans:
        spoken = [next(sounds) for _ in plan.sentences]
        facts = {
            "voice": plan.voice.name,
            "synthesizer": plan.voice.synthesizer,
            "speaker": plan.voice.speaker,
            "warp": plan.warp,
            "tilt_db": plan.tilt_db,
            "sentences": [asdict(sentence) for sentence in plan.sentences],
        }
        held_out = plan.voice.speaker in config.validation_speakers
        samples = assemble(plan, spoken, frames=frames, rate_hz=config.rate_hz)
        yield Clip(samples, VALIDATION if held_out else TRAIN, (plan.voice.licence,), facts)


def read_lines(path: Path | None) -> tuple[str, ...]:
    """Lines of a text that are not empty, control characters taken out; none without a text."""
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    lines = ("".join(mark for mark in line if mark.isprintable()).strip() for line in text.splitlines())
    kept = tuple(line for line in lines if line)
    if not kept:
        raise InputError(f"{path}: has no lines to speak")
    longest = max(kept, key=len)
    if len(longest) > LONGEST_LINE:
        raise InputError(
            f'{path}: the line "{longest[:20]}…" has {len(longest)} characters, the most is {LONGEST_LINE}. '
            "Break it into sentences"
        )
    return kept
