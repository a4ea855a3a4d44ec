"""Settings of the decoders that follow the bar pointer model."""

from pydantic import Field, model_validator

from ripieno.contracts import PluginConfig

LONGEST_BAR = 16
"""Beats; the cost of a frame grows with the sum of all metres."""


class BarPointerConfig(PluginConfig):
    """Settings of `BarPointerForward`."""

    min_bpm: float = Field(
        55.0, gt=0, description="Slowest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    max_bpm: float = Field(
        215.0, gt=0, description="Fastest tempo considered.", json_schema_extra={"unit": "BPM"}
    )
    expected_bpm: float = Field(
        109.0,
        gt=0,
        description="The tempo preferred where the music can be counted in more than one octave.",
        json_schema_extra={"unit": "BPM"},
    )
    tempo_spread: float = Field(
        0.7,
        gt=0,
        description="How far tempi may lie from the expected one: standard deviation of a log-normal prior.",
        json_schema_extra={"unit": "octaves"},
    )
    metres: tuple[int, ...] = Field((2, 3, 4), min_length=1, description="Beats a bar that are considered.")
    metre_weights: tuple[float, ...] = Field(
        (), description="How common each of the metres is; 4 the most common where empty."
    )
    stiffness: float = Field(
        85.0,
        gt=0,
        description="How steady the tempo is: a change costs exp(-stiffness * |ratio - 1|) a beat.",
    )
    downbeat_weight: float = Field(
        0.3, ge=0, description="How much downbeat activations count for the place in the bar."
    )
    harmony_weight: float = Field(
        0.5, ge=0, description="How much a change of harmony counts for a downbeat, where cues are given."
    )
    bass_weight: float = Field(
        0.95, ge=0, description="How much a strong bass counts for a downbeat, where cues are given."
    )

    @model_validator(mode="after")
    def _check(self) -> "BarPointerConfig":
        if self.max_bpm <= self.min_bpm:
            raise ValueError(f"max_bpm {self.max_bpm:g} must be above min_bpm {self.min_bpm:g}")
        if max(self.metres) > LONGEST_BAR:
            raise ValueError(f"metres are at most {LONGEST_BAR} beats")
        if any(metre < 1 for metre in self.metres) or len(set(self.metres)) < len(self.metres):
            raise ValueError("metres are different numbers of beats, each at least 1")
        if self.metre_weights and (
            len(self.metre_weights) != len(self.metres) or min(self.metre_weights) <= 0
        ):
            raise ValueError("metre_weights are positive, one for each of the metres")
        return self

    def weights_of(self, metres: tuple[int, ...]) -> tuple[float, ...]:
        """The weight of each of the metres, in that order."""
        given = dict(zip(self.metres, self.metre_weights or map(_commonness, self.metres), strict=True))
        return tuple(given[metre] for metre in metres)


def _commonness(metre: int) -> float:
    return {2: 0.07, 3: 0.28, 4: 0.65}.get(metre, 0.2)
