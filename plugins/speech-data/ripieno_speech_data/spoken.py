"""`data_source/spoken`: clips of synthetic speech, of many voices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ripieno.contracts import Context, Dataset, DataSource, InputError, PluginConfig

from .clips import TRAIN, VALIDATION, Clip, collect, keep
from .voices import SYNTHESIZERS, Voice, matching

if TYPE_CHECKING:
    from .synthesizers import Sound

BATCH = 16
SHARES: Mapping[str, float] = {"flite": 0.4, "festival": 0.25, "espeak-ng": 0.35}
"""How often each synthesizer speaks, of those that have a voice among the ones asked for."""
WORDS_PER_S = 3.2
"""More than any voice says, so that a clip is filled."""
LEVEL_DBFS = (-32.0, -20.0)
PEAK = 0.97
FADE_S = 0.01


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
    binaries = SYNTHESIZERS

    @classmethod
    def assets(cls, config: SpokenConfig) -> tuple[Path, ...]:
        return (config.text,) if config.text else ()

    def generate(self) -> Dataset:
        """`count` clips; the same for the same seed, whatever the number of workers.

        Raises
        ------
        InputError
            If the text has no lines.
        MissingError, StepError
            If a synthesizer is not here, or fails.
        """
        config = self.config
        used = {voice.synthesizer for voice in matching(config.voices)}
        versions = {"ripieno-speech-data": version("ripieno-speech-data")}
        for program in SYNTHESIZERS:
            if program.name in used:
                versions[program.name] = _version(program.require())
        read_lines(config.text)
        return collect(
            render,
            context=self.context,
            name="speech",
            count=config.count,
            source="data_source/spoken",
            settings=config.model_dump(mode="json"),
            versions=versions,
            batch=BATCH,
        )


def render(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """The clips of one job, on a worker."""
    config = SpokenConfig.model_validate(job["settings"])
    speaker = Speakers(config)
    return keep(
        job, context, lambda seeds: speaker.clips(seeds, scratch=context.scratch), rate_hz=config.rate_hz
    )


def read_lines(path: Path | None) -> tuple[str, ...]:
    """Lines of a text that are not empty, control characters taken out; none without a text."""
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    lines = ("".join(mark for mark in line if mark.isprintable()).strip() for line in text.splitlines())
    kept = tuple(line for line in lines if line)
    if not kept:
        raise InputError(f"{path}: has no lines to speak")
    return kept


@dataclass(frozen=True)
class Plan:
    """How a clip is spoken, before it sounds."""

    voice: Voice
    stretch: float
    pitch: float
    warp: float
    level_dbfs: float
    sentences: tuple[str, ...]
    pauses_s: tuple[float, ...]


class Speakers:
    """Draws clips and has them spoken."""

    def __init__(self, config: SpokenConfig) -> None:
        self.config, self.lines = config, read_lines(config.text)
        voices = matching(config.voices)
        self.by_synthesizer = {
            name: [voice for voice in voices if voice.synthesizer == name]
            for name in SHARES
            if any(voice.synthesizer == name for voice in voices)
        }

    def plan(self, seed: int) -> Plan:
        """How the clip of a seed is spoken."""
        from .text import sentences

        rng = np.random.default_rng(seed)
        names = list(self.by_synthesizer)
        shares = np.array([SHARES[name] for name in names])
        voices = self.by_synthesizer[names[rng.choice(len(names), p=shares / shares.sum())]]
        voice = voices[rng.integers(len(voices))]
        warp = float(np.exp(rng.uniform(*np.log(self.config.warp))))
        said = sentences(rng, words=int(self.config.clip_s * WORDS_PER_S * warp) + 1, lines=self.lines)
        return Plan(
            voice=voice,
            stretch=float(rng.uniform(0.8, 1.3)),
            pitch=float(np.exp2(rng.uniform(-0.3, 0.3))),
            warp=warp,
            level_dbfs=float(rng.uniform(*LEVEL_DBFS)),
            sentences=said,
            pauses_s=tuple(float(pause) for pause in rng.exponential(0.25, len(said))),
        )

    def clips(self, seeds: Sequence[int], *, scratch: Path) -> Iterator[Clip]:
        """The clips of these seeds, in their order."""
        from .synthesizers import Utterance, speak

        plans = [self.plan(seed) for seed in seeds]
        utterances = [
            Utterance(plan.voice, sentence, stretch=plan.stretch, pitch=plan.pitch)
            for plan in plans
            for sentence in plan.sentences
        ]
        sounds = iter(speak(utterances, scratch=scratch))
        for plan in plans:
            yield self._clip(plan, [next(sounds) for _ in plan.sentences])

    def _clip(self, plan: Plan, sounds: "Sequence[Sound]") -> Clip:
        config = self.config
        samples = assemble(plan, sounds, frames=round(config.clip_s * config.rate_hz), rate_hz=config.rate_hz)
        held_out = plan.voice.speaker in config.validation_speakers
        facts = {
            "voice": plan.voice.name,
            "synthesizer": plan.voice.synthesizer,
            "speaker": plan.voice.speaker,
            "stretch": plan.stretch,
            "pitch": plan.pitch,
            "warp": plan.warp,
            "text": " ".join(plan.sentences),
        }
        return Clip(samples, VALIDATION if held_out else TRAIN, (plan.voice.licence,), facts)


def assemble(plan: Plan, sounds: "Sequence[Sound]", *, frames: int, rate_hz: int) -> NDArray[np.float32]:
    """Utterances one after the other with pauses, warped, cut or filled to `frames`, at the level drawn.

    The level is that of the parts above a hundredth of the peak.
    """
    import soxr

    parts: list[NDArray[np.float32]] = []
    for (samples, from_hz), pause_s in zip(sounds, plan.pauses_s, strict=True):
        # Read faster, a voice's formants and pitch rise together.
        warped = soxr.resample(samples, from_hz * plan.warp, rate_hz) if samples.size else samples
        parts += [np.zeros(round(pause_s * rate_hz), np.float32), warped.astype(np.float32)]
    whole = np.concatenate(parts)[:frames]
    clip = np.zeros(frames, np.float32)
    clip[: whole.size] = whole - np.float32(whole.mean() if whole.size else 0)
    fade = min(frames, round(FADE_S * rate_hz))
    clip[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    peak = float(np.abs(clip).max())
    if peak < 1e-4:
        return clip
    loud = clip[np.abs(clip) > 0.01 * peak]
    level = float(np.sqrt(np.mean(np.square(loud, dtype=np.float64))))
    gain = min(10 ** (plan.level_dbfs / 20) / level, PEAK / peak)
    return clip * np.float32(gain)


def _version(program: Path) -> str:
    from ripieno.contracts.packing import sha256_file

    return f"sha256:{sha256_file(program)[:16]}"
