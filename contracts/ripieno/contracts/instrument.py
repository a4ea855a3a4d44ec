"""Instrument profiles: what an instrument can play, and the channels in which that is said."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .data import DataPlugin

Articulation = Literal["sustained", "legato", "staccato", "tremolo", "plucked", "struck", "muted", "harmonic"]


class Channel(BaseModel):
    """A technique that varies while a note sounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unit: str = Field(description="Of the values: cents, Hz, m/s, or ratio.")
    minimum: float = Field(description="Least value.")
    maximum: float = Field(description="Greatest value.")
    description: str = Field("", description="One line.")

    @model_validator(mode="after")
    def _has_a_range(self) -> "Channel":
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is not below maximum {self.maximum:g}")
        return self


class InstrumentProfile(DataPlugin):
    """What an instrument can play: a data plugin, one YAML file and one entry-point line."""

    group, prefix = "ripieno.instruments", "instrument"

    description: str = Field(description="One line for lists.")
    lowest_midi: float = Field(description="Lowest pitch, MIDI number.", ge=0, le=127)
    highest_midi: float = Field(description="Highest pitch, MIDI number.", ge=0, le=127)
    polyphony: int = Field(description="Notes that can sound at once.", ge=1)
    tunings: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description="Open strings by the tuning's name, low to high, MIDI numbers."
    )
    channels: dict[str, Channel] = Field(
        description="Techniques by name; pitch and dynamics are always there."
    )
    articulations: tuple[Articulation, ...] = Field(
        description="Those of the eight that it has.", min_length=1
    )
    modes: tuple[str, ...] = Field(description="Ways to excite it.", min_length=1)

    @model_validator(mode="after")
    def _has_a_range(self) -> "InstrumentProfile":
        if self.lowest_midi >= self.highest_midi:
            raise ValueError(
                f"lowest_midi {self.lowest_midi:g} is not below highest_midi {self.highest_midi:g}"
            )
        return self
