"""Sounds brought to one rate, cut together, and the scores that come of comparing them.

Conventions
-----------
Sounds that are compared start at the same instant and are equally long; a sample of difference at the lower
rate is what resampling can add, and is cut off. What cannot be measured, as of silence, is not there among
the values, and the text that says what was compared with what says why.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, InputError, Scores
from ripieno.toolkit.channels import at_rate
from ripieno.toolkit.mixing import mix, mix_gains
from ripieno.toolkit.resampling import resampled_frames

BLOCK_FRAMES = 1 << 16
# Squares of less are no float32, in which PESQ computes.
_FAINTEST = 1e-15

Samples = NDArray[np.float32]


def check_lengths(**sounds: Audio) -> None:
    """Refuse sounds that do not last equally long.

    Raises
    ------
    InputError
        Naming the two that differ most, and their lengths.
    """
    shortest, *_, longest = sorted(sounds.items(), key=lambda item: item[1].duration_s)
    slack_s = 1.001 / min(audio.rate_hz for audio in sounds.values())
    if longest[1].duration_s - shortest[1].duration_s > slack_s:
        raise InputError(
            f"{longest[0]} lasts {longest[1].duration_s:.4f} s and {shortest[0]} {shortest[1].duration_s:.4f} s: "
            "only sounds of one length can be compared. Cut both from the same instant on"
        )


def common_channels(**sounds: Audio) -> int:
    """Channels of the sounds; a mono one stands for each channel of the others.

    Raises
    ------
    InputError
        If two that are not mono differ.
    """
    counts = {name: audio.channels for name, audio in sounds.items()}
    if len(set(counts.values()) - {1}) > 1:
        said = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise InputError(f"channels differ: {said}. Bring them to one number by effect/downmix")
    return max(counts.values())


def blocks_together(
    sounds: Sequence[Audio], *, rate_hz: int, channels: int, frames: int = BLOCK_FRAMES
) -> Iterator[tuple[Samples, ...]]:
    """The same stretch of each sound [channels, frames] at one rate, one after the other, to the shortest's end.

    Parameters
    ----------
    sounds : sequence of Audio
        Mono is copied to all channels, and mono is the mean of all channels.
    rate_hz, channels : int
        What all are brought to.
    frames : int
        In a block, > 0; the last is shorter.
    """
    length = _common_frames(sounds, rate_hz)
    streams = [_cut(_converted(audio, rate_hz, channels, length), frames) for audio in sounds]
    yield from zip(*streams, strict=True)


def parts_together(
    sounds: Sequence[Audio], *, rate_hz: int, longest_s: float
) -> Iterator[tuple[Samples, ...]]:
    """The sounds in mono at one rate, in as few equal parts [frames] as last no longer than `longest_s`."""
    length = _common_frames(sounds, rate_hz)
    parts = math.ceil(length / (longest_s * rate_hz))
    frames = -(-length // max(1, parts))
    for blocks in blocks_together(sounds, rate_hz=rate_hz, channels=1, frames=max(1, frames)):
        yield tuple(block[0] for block in blocks)


def scored(values: Mapping[str, float], *, against: str, otherwise: str) -> Scores:
    """The values that are numbers; for the others it is said that `otherwise` is why they are missing."""
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    missing = ", ".join(name for name in values if name not in finite)
    return Scores(finite, f"{against}; no {missing}: {otherwise}" if missing else against)


def mean(values: Iterable[float]) -> float:
    """Of all; nan of none."""
    listed = list(values)
    return float(np.mean(listed)) if listed else math.nan


def told(audio: Audio) -> str:
    """Length, rate and channels, for people."""
    channels = f"{audio.channels} channel{'s' if audio.channels > 1 else ''}"
    return f"{audio.duration_s:.2f} s at {audio.rate_hz} Hz, {channels}"


def is_silent(samples: Samples) -> bool:
    """Whether all samples are one value, or 300 dB below full scale; so are none."""
    return samples.size == 0 or bool(np.ptp(samples) < _FAINTEST)


def _common_frames(sounds: Sequence[Audio], rate_hz: int) -> int:
    return min(resampled_frames(audio.frames, from_hz=audio.rate_hz, to_hz=rate_hz) for audio in sounds)


def _converted(audio: Audio, rate_hz: int, channels: int, frames: int) -> Iterator[Samples]:
    gains = mix_gains(audio.channels, channels)
    mixed = audio.channels != channels
    blocks = (mix(block, gains=gains) if mixed else block for block in audio.blocks(BLOCK_FRAMES))
    return at_rate(blocks, from_hz=audio.rate_hz, to_hz=rate_hz, frames=frames)


def _cut(blocks: Iterable[Samples], frames: int) -> Iterator[Samples]:
    """The same samples in blocks of `frames`, the last one shorter."""
    held: list[Samples] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += block.shape[1]
        if count < frames:
            continue
        joined = np.concatenate(held, axis=1)
        whole = count - count % frames
        yield from (joined[:, start : start + frames] for start in range(0, whole, frames))
        held, count = [joined[:, whole:].copy()], count - whole
    if count:
        yield np.concatenate(held, axis=1)
