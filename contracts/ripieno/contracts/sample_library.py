"""Sample libraries: what an SFZ instrument plays, how its keys switch, how far off its samples are tuned."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .data import DataPlugin
from .instrument import Articulation
from .provenance import Licence

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class SampledTechnique(BaseModel):
    """One way in which a library is played."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    articulation: Articulation = Field(description="What is heard, one of the eight.")
    mode: str = Field(description="How it is excited, in the words of the instrument's profile.")
    key_switch: int | None = Field(
        None, description="Key that selects it; none where all keys play it.", ge=0, le=127
    )
    lowest_key: int = Field(description="Lowest key that sounds, MIDI number.", ge=0, le=127)
    highest_key: int = Field(description="Highest key that sounds, MIDI number.", ge=0, le=127)
    release_s: float = Field(description="How long a note rings after its key is let go.", gt=0, le=60)
    share: float = Field(1.0, description="How often it is played, against the others.", gt=0)

    @model_validator(mode="after")
    def _has_a_range(self) -> "SampledTechnique":
        if self.lowest_key > self.highest_key:
            raise ValueError(f"lowest_key {self.lowest_key} is above highest_key {self.highest_key}")
        return self


class SampledPlayer(BaseModel):
    """How a person plays the instrument, as far as its samples follow."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    excitation: Literal["bowed", "plucked", "struck"] = Field(description="How strings are made to sound.")
    voices: int = Field(1, description="Notes at once.", ge=1)
    strings: tuple[float, ...] = Field((), description="Open strings, low to high, MIDI numbers.")
    fretted: bool = Field(
        False, description="Whether keys are exact semitones, and no note is off by a few cents."
    )
    slurs: dict[str, Share] = Field(
        default_factory=dict,
        description="By mode, the share of notes that are slurred: by the bend wheel, or held into the next if struck.",
    )
    slur_semitones: float = Field(
        4.0, description="Farthest that a slur bends a sample; farther it sounds of tape.", gt=0, le=24
    )
    portamento: bool = Field(False, description="Whether slurs may glide.")
    vibrato: bool = Field(False, description="Whether long notes have vibrato, by the bend wheel.")
    vibrato_depth_cents: tuple[float, float] = Field((8.0, 40.0), description="Least and greatest amplitude.")
    bends: bool = Field(False, description="Whether strings are bent.")
    pedal: bool = Field(False, description="Whether there is a sustain pedal.")


class SampleLibrary(DataPlugin):
    """The map of a sample library: a data plugin, one YAML file and one entry-point line.

    It describes the files, wherever they lie; it does not carry them.
    """

    group, prefix = "ripieno.sample_libraries", "sample_library"

    description: str = Field(description="One line for lists.")
    instrument: str = Field(description="Profile of the instrument: violin.")
    file: str = Field(description="The SFZ file, relative to the folder of the library.")
    techniques: tuple[SampledTechnique, ...] = Field(
        description="Ways in which it is played; of one articulation the first is taken.", min_length=1
    )
    player: SampledPlayer = Field(description="How it is played.")
    pitch_bend_cents: float = Field(
        0.0, description="How far a note may be bent; the copy that is played is set to it.", ge=0, le=4800
    )
    gain_db: float = Field(
        0.0, description="Added where it is played, so that 16 bits are used and none clips.", ge=-60, le=60
    )
    velocity_db: dict[int, float] = Field(
        default_factory=dict, description="Level of a note by velocity against velocity 127, measured, dB."
    )
    tuning_cents: dict[str, float] = Field(
        default_factory=dict,
        description="How far a sample sounds above the key that plays it, measured, by its file.",
    )
    masked_outputs: tuple[str, ...] = Field(
        (), description="Channels of the profile that the sound does not tell."
    )
    licence: str = Field(description="SPDX identifier where there is one.")
    credit: str = Field("", description="Whom to name.")
    commercial: bool = Field(description="Whether commercial use is allowed.")
    source: str = Field(description="Where the library comes from.")
    sha256: dict[str, Sha256] = Field(
        default_factory=dict, description="Of the files it was measured on, by their names in the folder."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> "SampleLibrary":
        for velocity in self.velocity_db:
            if not 1 <= velocity <= 127:
                raise ValueError(f"velocity_db: {velocity} is no velocity: 1 to 127")
        ways = [(one.articulation, one.mode) for one in self.techniques]
        twice = next((way for index, way in enumerate(ways) if way in ways[:index]), None)
        if twice:
            raise ValueError(f"techniques: {' '.join(twice)} stands there twice")
        return self

    @property
    def terms(self) -> Licence:
        """What its sounds may be used for, and whom to name."""
        return Licence(self.licence, self.credit, self.commercial, self.source)

    @property
    def lowest_key(self) -> int:
        """Of all techniques."""
        return min(technique.lowest_key for technique in self.techniques)

    @property
    def highest_key(self) -> int:
        """Of all techniques."""
        return max(technique.highest_key for technique in self.techniques)
