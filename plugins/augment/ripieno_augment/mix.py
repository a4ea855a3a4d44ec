"""Another player beside the one there is."""

from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, ConfigError, Example, InputError, Performance, PluginConfig
from ripieno.contracts.files import MANIFEST
from ripieno.contracts.performance import FIELD_SOURCES

from .draws import Range, between
from .dynamics import with_gain
from .labels import credited, retimed
from .levels import power
from .pairs import Pair, pairs_in_folder

CERTAINTY = ("predicted", "analysis", "annotated", "synthetic")
"""Sources of a field, the least certain first."""
assert sorted(CERTAINTY) == sorted(FIELD_SOURCES)


@runtime_checkable
class MixesOthers(Protocol):
    """An augmenter that takes sounds from other examples."""

    def among(self, others: tuple[Pair, ...]) -> Augmenter[Any]:
        """The same augmenter, with these to take from."""
        ...


class MixStemsConfig(PluginConfig):
    """Settings of `MixStems`."""

    bank: Path | None = Field(
        None,
        description="Folder of a data set of pairs to take from; a joiner gives its own clips where none is named.",
    )
    split: str = Field(
        "train", description="Split of the bank to take from, so that nothing leaks out of the others."
    )
    level_db: Range = Field(
        (-12.0, 0.0),
        description="Mean power of what is added, beside the sound's own.",
        json_schema_extra={"unit": "dB"},
    )
    labels: Literal["joined", "accompaniment"] = Field(
        "joined", description="Whether the other's streams join the labels, or it only accompanies."
    )


@dataclass(frozen=True)
class MixDraw:
    """What was drawn for one use of `MixStems`.

    Parameters
    ----------
    other : str
        Name of the example that is added; empty where there is none to add.
    level_db : float
    """

    other: str
    level_db: float


class MixStems(Augmenter[MixStemsConfig]):
    """The sound of another example added, from its beginning, at a level beside the sound's own.

    With ``labels: joined`` its players join the document: of what differs in provenance the less certain
    source holds, and a channel stays masked where no note has it. With ``labels: accompaniment`` the labels
    stay those of the first. The other is resampled, its channels are mixed, its end is cut where the sound
    ends. Beside silence it keeps the level it has.

    In ``joiner/augmented`` the others are the clips of the same split, never the clip itself.
    """

    _others: tuple[Pair, ...] | None = None

    @classmethod
    def assets(cls, config: MixStemsConfig) -> tuple[Path, ...]:
        if config.bank is None:
            return ()
        pairs = _bank(config.bank, config.split)
        return (config.bank / MANIFEST, *(Path(file) for pair in pairs for file in (pair.audio, pair.cont)))

    def among(self, others: tuple[Pair, ...]) -> Self:
        """The same, taking from `others` where no bank is named."""
        if self.config.bank is not None:
            return self
        bound = copy(self)
        bound._others = others
        return bound

    def draw(self, rng: np.random.Generator) -> MixDraw:
        others, level_db = self._pairs(), between(rng, self.config.level_db)
        return MixDraw(others[rng.integers(len(others))].name if others else "", level_db)

    def apply(self, example: Example, draw: MixDraw) -> Example:
        if not draw.other or not example.audio.frames:
            return example
        pair = next((pair for pair in self._pairs() if pair.name == draw.other), None)
        if pair is None:
            raise InputError(f"augmenter/mix: there is no example {draw.other!r} to add")
        other = fitted(pair.read(), like=example.audio)
        own, added = power(example.audio.samples), power(other.audio.samples)
        if own and added:
            other = with_gain(other, draw.level_db + 10 * np.log10(own / added))
        audio = Audio(example.audio.samples + other.audio.samples, example.audio.rate_hz)
        if self.config.labels == "accompaniment":
            return Example(audio, credited(example.performance, other.performance.licences))
        return Example(audio, together(example.performance, other.performance))

    def _pairs(self) -> tuple[Pair, ...]:
        if self.config.bank is not None:
            return _bank(self.config.bank, self.config.split)
        if self._others is None:
            raise ConfigError(
                "bank: augmenter/mix takes from other examples. Set bank to a data set of pairs"
            )
        return self._others


@lru_cache(maxsize=8)
def _bank(folder: Path, split: str) -> tuple[Pair, ...]:
    pairs = tuple(pair for pair in pairs_in_folder(folder) if pair.split == split)
    if not pairs:
        raise ConfigError(f"bank: {folder} has no clips in split {split!r}")
    return pairs


def fitted(example: Example, *, like: Audio) -> Example:
    """An example at the rate, channels and length of other audio."""
    from ripieno.toolkit.mixing import mix, mix_gains
    from ripieno.toolkit.resampling import resample

    samples, rate_hz = example.audio.samples, example.audio.rate_hz
    if rate_hz != like.rate_hz:
        samples = resample(samples, from_hz=rate_hz, to_hz=like.rate_hz)
    if len(samples) != like.channels:
        samples = mix(samples, gains=mix_gains(len(samples), like.channels))
    samples = np.pad(samples[:, : like.frames], ((0, 0), (0, max(0, like.frames - samples.shape[1]))))
    played = retimed(example.performance, lambda times_s: times_s, duration_s=like.duration_s)
    return Example(Audio(samples, like.rate_hz), replace(played, rate_hz=like.rate_hz))


def together(first: Performance, second: Performance) -> Performance:
    """Both performances as one of the length and rate of the first."""
    streams = (*first.streams, *second.streams)
    said = {name for stream in streams for note in stream.notes for name in note.envelopes}
    sources = dict(first.field_provenance)
    for name, source in second.field_provenance.items():
        sources[name] = min(source, sources.get(name, source), key=CERTAINTY.index)
    joined = replace(
        first,
        streams=streams,
        field_provenance=sources,
        masked_outputs=tuple({*first.masked_outputs, *second.masked_outputs} - said),
    )
    return credited(joined, second.licences)
