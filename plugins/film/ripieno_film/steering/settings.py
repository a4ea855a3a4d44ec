"""What a preset of films may say, and what a step may change of it.

Conventions
-----------
A preset's `settings` are those of `Scene`. A step's own ``motion`` and ``look`` go over them, key by key.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator

from ripieno.contracts import ConfigError, PluginConfig, Preset

from ..faults import problem_in
from ..painting import Paint

CONTROLLER = "controller/latent"
EFFECT = "frame_effect/"
Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
Anchors = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2, max_length=64)]


class Motion(PluginConfig):
    """How the picture moves with the music."""

    temperature: float = Field(
        0.6, ge=0.05, le=5, description="How evenly anchors share the picture: low, one alone; high, all."
    )
    features: float = Field(1.0, ge=0, le=5, description="How strongly the sound chooses the anchors.")
    lead: float = Field(1.6, ge=0, le=10, description="How strongly a mood favours its own anchors.")
    roam: float = Field(0.8, ge=0, le=5, description="How strongly slow noise chooses the anchors.")
    wander: float = Field(
        0.6,
        ge=0,
        le=3,
        description="How far pictures leave the anchors.",
        json_schema_extra={"unit": "standard deviations"},
    )
    axes: int = Field(
        4, ge=0, le=16, description="Along how many of the generator's axes.", json_schema_extra={"unit": ""}
    )
    timbre: float = Field(
        0.35, ge=0, le=1, description="Share of the MFCC in that; the rest is slow noise. 0 needs no MFCC."
    )
    wander_s: float = Field(
        11.0, gt=0.1, le=600, description="Of one wave of slow noise.", json_schema_extra={"unit": "s"}
    )
    smoothing_s: float = Field(
        1.4,
        gt=0.01,
        le=60,
        description="In which the picture follows the sound where that is calm.",
        json_schema_extra={"unit": "s"},
    )
    ease: float = Field(
        0.7, ge=0, le=0.98, description="How much shorter that time is where it is loud, and at onsets."
    )
    speed: float = Field(1.0, ge=0, le=20, description="Of all motion.")
    liveliness: float = Field(0.6, ge=0, le=1, description="How much loudness quickens motion.")
    subdivision_beats: float = Field(
        1.0, gt=0.05, le=32, description="From pulse to pulse.", json_schema_extra={"unit": "beats"}
    )
    sync: float = Field(0.5, ge=0, le=1, description="Share of the motion that goes in steps with the pulse.")
    decay: float = Field(2.5, gt=0.1, le=20, description="How steeply a pulse falls until the next one.")
    flash: float = Field(0.4, ge=0, le=1, description="How much light an onset gives.")
    flash_s: float = Field(
        0.15,
        gt=0.01,
        le=5,
        description="In which the light of an onset fades.",
        json_schema_extra={"unit": "s"},
    )
    drift: float = Field(
        0.03,
        ge=0,
        le=2,
        description="Of the mask by which anchors lead in different places.",
        json_schema_extra={"unit": "pictures/s"},
    )
    tilt: float = Field(2.0, ge=0, le=10, description="How much an anchor leads in its place.")
    hue_drift: float = Field(
        0.0,
        ge=-60,
        le=60,
        description="Of the palette.",
        json_schema_extra={"unit": "turns/min"},
    )
    colour: float = Field(
        0.06,
        ge=-1,
        le=1,
        description="How far bright sound, or the voice where it is given alone, turns the palette.",
        json_schema_extra={"unit": "turns"},
    )
    zoom: float = Field(0.08, ge=0, le=1, description="How much nearer the picture is where it is loud.")
    zoom_kick: float = Field(0.012, ge=0, le=0.5, description="How much nearer it is on a pulse.")


_Wanted = Annotated[float, Field(ge=-1, le=1)]


class Character(PluginConfig):
    """Which pictures of an unknown generator suit; -1 the least, 1 the most of what it draws, 0 either."""

    light: _Wanted = Field(0.0, description="How light they are.")
    contrast: _Wanted = Field(0.0, description="How much their shade varies.")
    fineness: _Wanted = Field(0.0, description="How fine their forms are.")
    variety: _Wanted = Field(0.5, description="How many colours each has.")


class Mood(PluginConfig):
    """What a part of a piece has of its own."""

    lead: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), description="Places in the list of anchors of those that it favours."
    )
    hue: float = Field(
        0.0, ge=-2, le=2, description="Added to the palette.", json_schema_extra={"unit": "turns"}
    )
    speed: float = Field(1.0, ge=0, le=10, description="Factor on that of the motion.")


class Look(PluginConfig):
    """What does not move."""

    palette: Annotated[tuple[Colour, ...], Field(max_length=16)] = Field(
        (), description="Colours as #rrggbb, in the order in which they blend, round."
    )
    paint: Paint = Field(Paint(), description="How fields become colour.")
    effects: dict[str, dict[str, Any]] = Field(
        {}, description="Settings of frame effects by frame_effect/NAME."
    )

    @field_validator("effects")
    @classmethod
    def _of_effects(cls, effects: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name in effects:
            if not name.startswith(EFFECT):
                raise ValueError(f"{name} is no frame effect. Write {EFFECT}{name.rpartition('/')[2]}")
        return effects


class Scene(PluginConfig):
    """All that a preset says."""

    anchors: dict[str, Anchors] = Field(
        {}, description="Codes in a generator's bank, by the generator's name, asset/gan."
    )
    character: Character = Field(
        Character(), description="Of the codes that are chosen in the bank of any other generator."
    )
    moods: dict[str, Mood] = Field({}, description="In the order in which parts of a piece get them.")
    motion: Motion = Field(Motion(), description="How the picture moves.")
    look: Look = Field(Look(), description="What does not move.")

    @field_validator("anchors")
    @classmethod
    def _alike(cls, anchors: dict[str, Anchors]) -> dict[str, Anchors]:
        counts = {name: len(codes) for name, codes in anchors.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{count} for {name}" for name, count in counts.items())
            raise ValueError(f"{said}: moods name places in these lists, so all are of one length")
        return anchors


def check_part(part: type[PluginConfig], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings that go over those of a preset, if each of them may be said.

    Raises
    ------
    ValueError
        Naming the first that may not.
    """
    try:
        part.model_validate(dict(given))
    except ValidationError as error:
        raise ValueError(problem_in(part, error)) from error
    return given


def scene_of(preset: Preset, *, name: str, over: Mapping[str, Any]) -> Scene:
    """A preset with the settings of a step over it.

    Parameters
    ----------
    preset : Preset
        Of this controller.
    name : str
        Its own, for messages.
    over : mapping
        Of the form of `Scene`, any part of it.

    Raises
    ------
    ConfigError
        If the preset is for something else, or says what it may not.
    """
    if preset.uses != CONTROLLER:
        raise ConfigError(f"{name} is a preset of {preset.uses}, expected one of {CONTROLLER}")
    try:
        # The preset alone first, so that a fault in it is not taken for one of the step.
        scene = Scene.model_validate(preset.settings)
        scene = Scene.model_validate(merged(preset.settings, over)) if over else scene
    except ValidationError as error:
        raise ConfigError(f"{name}: {problem_in(Scene, error)}") from error
    places = min((len(codes) for codes in scene.anchors.values()), default=0)
    for mood, settings in scene.moods.items():
        beyond = [place for place in settings.lead if scene.anchors and place >= places]
        if beyond:
            raise ConfigError(
                f"{name}: moods.{mood}.lead: no anchor {beyond[0]}: it has {places}, 0 to {places - 1}"
            )
    return scene


def merged(under: Any, over: Any) -> Any:
    """`over` where it says something, `under` elsewhere; mappings key by key."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        return over
    both = {key: merged(under[key], over[key]) for key in over if key in under}
    return {**under, **over, **both}
