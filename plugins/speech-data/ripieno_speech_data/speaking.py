"""A clip of speech: drawn whole from a seed, spoken sentence by sentence, and put together.

What is drawn is voice, words, speed, pitch, pauses, the factor of resampling that moves formants and pitch
together, a slope of the spectrum as of a near or a far microphone, and the level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .colour import levelled, rms, tilted
from .synthesizers import Sound
from .text import sentences
from .voices import Voice

SHARES: Mapping[str, float] = {"flite": 0.4, "festival": 0.25, "espeak-ng": 0.35}
"""How often each synthesizer speaks, of those that have a voice among the ones asked for."""
WORDS_PER_S = 3.6
"""More than voices say on the average, so that a clip is filled."""
LEVEL_DBFS = (-32.0, -20.0)
PAUSE_S = 0.35
"""Mean of the pauses between sentences."""
QUIET = 0.003
"""Of the peak: what is below it before and after a sentence is no part of it."""
TILT_DB = 1.5
"""Standard deviation of the slope, per octave."""
FADE_S = 0.01


@dataclass(frozen=True)
class Sentence:
    """What is said after a pause, and how.

    Parameters
    ----------
    text : str
    pause_s : float
        Before it.
    stretch, pitch : float
        As of an `Utterance`.
    gain_db : float
        Against the other sentences.
    """

    text: str
    pause_s: float
    stretch: float
    pitch: float
    gain_db: float


@dataclass(frozen=True)
class Plan:
    """How a clip is spoken, before it sounds."""

    voice: Voice
    sentences: tuple[Sentence, ...]
    warp: float
    tilt_db: float
    level_dbfs: float


def draw_plan(
    seed: int,
    *,
    voices: Sequence[Voice],
    clip_s: float,
    warp: tuple[float, float],
    lines: Sequence[str] = (),
) -> Plan:
    """How the clip of a seed is spoken.

    Parameters
    ----------
    seed : int
        All is drawn from it.
    voices : sequence of Voice
        One of them speaks.
    clip_s : float
        What there should be words for.
    warp : tuple of float
        Least and greatest.
    lines : sequence of str
        What is said; sentences are invented where there are none.
    """
    rng = np.random.default_rng(seed)
    voice = _draw_voice(voices, rng)
    factor = float(np.exp(rng.uniform(*np.log(warp))))
    stretch, pitch = float(rng.uniform(0.8, 1.3)), float(np.exp2(rng.uniform(-0.3, 0.3)))
    words = int(clip_s * WORDS_PER_S * factor / stretch) + 1
    said = tuple(
        Sentence(
            text=text,
            pause_s=float(rng.exponential(PAUSE_S)),
            stretch=stretch * float(rng.uniform(0.93, 1.07)),
            pitch=pitch * float(rng.uniform(0.95, 1.05)),
            gain_db=float(rng.normal(0, 1.5)),
        )
        for text in sentences(rng, words=words, lines=lines)
    )
    tilt_db, level_dbfs = float(rng.normal(0, TILT_DB)), float(rng.uniform(*LEVEL_DBFS))
    return Plan(voice, said, warp=factor, tilt_db=tilt_db, level_dbfs=level_dbfs)


def assemble(plan: Plan, sounds: Sequence[Sound], *, frames: int, rate_hz: int) -> NDArray[np.float32]:
    """Utterances one after the other with pauses, warped, cut or filled to `frames`, at the level drawn.

    The level is that of the parts above a hundredth of the peak.
    """
    import soxr

    parts: list[NDArray[np.float32]] = []
    for (samples, from_hz), sentence in zip(sounds, plan.sentences, strict=True):
        # Read faster, a voice's formants and pitch rise together.
        said = _trimmed(samples)
        warped = soxr.resample(said, from_hz * plan.warp, rate_hz) if said.size else said
        pause = np.zeros(round(sentence.pause_s * rate_hz), np.float32)
        parts += [pause, warped * np.float32(10 ** (sentence.gain_db / 20))]
    whole = np.concatenate(parts)[:frames]
    clip = np.zeros(frames)
    clip[: whole.size] = tilted(whole, tilt_db=plan.tilt_db, rate_hz=rate_hz)
    fade = min(frames, round(FADE_S * rate_hz))
    clip[-fade:] *= np.linspace(1, 0, fade)
    loud = clip[np.abs(clip) > 0.01 * np.abs(clip).max(initial=0)]
    # What is silent stays so, and is dropped.
    return levelled(clip, from_rms=max(rms(loud), 1e-4), to_dbfs=plan.level_dbfs)


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence that synthesizers put before and after."""
    sounding = np.flatnonzero(np.abs(samples) > QUIET * np.abs(samples).max(initial=0))
    return samples[sounding[0] : sounding[-1] + 1] if sounding.size else samples[:0]


def _draw_voice(voices: Sequence[Voice], rng: np.random.Generator) -> Voice:
    """A synthesizer by its share, then one of its voices by theirs."""
    names = [name for name in SHARES if any(voice.synthesizer == name for voice in voices)]
    name = names[_weighted(rng, [SHARES[name] for name in names])]
    of_it = [voice for voice in voices if voice.synthesizer == name]
    return of_it[_weighted(rng, [voice.share for voice in of_it])]


def _weighted(rng: np.random.Generator, shares: Sequence[float]) -> int:
    weights = np.array(shares)
    return int(rng.choice(len(weights), p=weights / weights.sum()))
