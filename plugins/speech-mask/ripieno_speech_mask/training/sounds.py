"""The sounds that mixtures are drawn from, kept in memory at 16 kHz as 16 bits: 2 MB a minute."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, Augmenter, Dataset, Example, Performance
from ripieno.toolkit.resampling import resample

from ..features import RATE_HZ

Clip = NDArray[np.int16]
_FULL_SCALE = 32767


class Sounds:
    """Clips of data sets and recordings, of which stretches are drawn.

    Parameters
    ----------
    clips, recordings : sequence of int16 array [frames]
        Each is drawn with a chance that goes with its length.
    recorded : float
        Share of stretches that come from recordings, however few those are; all or none where the clips or
        the recordings are missing.
    """

    def __init__(
        self, clips: Sequence[Clip], recordings: Sequence[Clip] = (), *, recorded: float = 0.0
    ) -> None:
        self._clips, self._recordings = _with_chances(clips), _with_chances(recordings)
        self._recorded = recorded if clips and recordings else float(bool(recordings))

    @property
    def duration_s(self) -> float:
        """Of all."""
        return sum(len(clip) for clip in (*self._clips[0], *self._recordings[0])) / RATE_HZ

    def stretch(self, rng: np.random.Generator, frames: int, *, speed: float) -> NDArray[np.float32]:
        """A stretch [frames] of a drawn clip, played at `speed`; a clip that is shorter comes again."""
        clips, chances = self._recordings if rng.random() < self._recorded else self._clips
        clip = clips[rng.choice(len(clips), p=chances)]
        needed = int(frames * speed) + 2
        start = rng.integers(len(clip))
        played = np.take(clip, np.arange(start, start + needed), mode="wrap")
        samples = np.asarray(played / np.float32(_FULL_SCALE), np.float32)
        if speed == 1:
            return samples[:frames]
        stretched = np.interp(np.arange(frames) * speed, np.arange(needed), samples)
        return np.asarray(stretched, np.float32)


def _with_chances(clips: Sequence[Clip]) -> tuple[Sequence[Clip], NDArray[np.float64]]:
    lengths = np.array([len(clip) for clip in clips], float)
    return clips, lengths / lengths.sum() if clips else lengths


def clips_of(
    data: Dataset, *, split: str, augmenter: Augmenter[Any] | None, share: float, rng: np.random.Generator
) -> list[Clip]:
    """The sounds of a data set's split, a share of them changed by the augmenter."""
    clips = []
    for path in _paths(data, split):
        audio = _read(path)
        chosen = rng.random() < share
        clips.append(_clip(_changed(audio, augmenter, rng) if augmenter and chosen else audio))
    return clips


def clips_of_recordings(recordings: Iterable[Audio]) -> list[Clip]:
    """Recordings, mixed down to one channel."""
    return [_clip(audio) for audio in recordings if audio.frames]


def _paths(data: Dataset, split: str) -> Iterator[Path]:
    for clip in data.manifest.get("clips", ()):
        if clip.get("split") == split:
            yield data.files[clip.get("audio") or f"{clip['name']}.flac"]


def _read(path: Path) -> Audio:
    import soundfile

    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return Audio(samples.T, rate_hz)


def _changed(audio: Audio, augmenter: Augmenter[Any], rng: np.random.Generator) -> Audio:
    example = Example(audio, Performance((), audio.rate_hz, audio.duration_s))
    changed: Example = augmenter.apply(example, augmenter.draw(rng))
    return changed.audio


def _clip(audio: Audio) -> Clip:
    mono = audio.read(0, audio.frames).mean(axis=0, keepdims=True)
    samples = resample(mono, from_hz=audio.rate_hz, to_hz=RATE_HZ)[0]
    peak = np.abs(samples).max(initial=1e-9)
    clip: Clip = np.rint(samples * (_FULL_SCALE / max(1, peak))).astype(np.int16)
    return clip
