"""What a look may say of the painting, and what changes from frame to frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, ValidationError

from ripieno.contracts import ConfigError, PluginConfig
from ripieno.contracts.config import message_of


class Paint(PluginConfig):
    """How a generator's fields become a picture; ``look["paint"]`` of a trajectory."""

    warp: float = Field(0.4, ge=0, le=1, description="How far soft noise bends the forms; hides the grid.")
    marble: float = Field(0.3, ge=0, le=1, description="Fine veins in the colours, which flow with the warp.")
    sharpness: float = Field(0.5, ge=0, le=1, description="How crisp the edges of forms become.")
    relief: float = Field(0.5, ge=0, le=1, description="Depth of the light on slopes.")
    gloss: float = Field(0.3, ge=0, le=1, description="Strength of reflections on slopes.")
    detail: float = Field(0.35, ge=0, le=1, description="Fine grain of the paint, fixed to the canvas.")
    strata: float = Field(0.3, ge=0, le=1, description="Fine bands along the colours, as in agate.")
    turns: float = Field(1.0, gt=0, le=4, description="How often the palette goes round along the index.")
    contrast: float = Field(1.0, ge=0, le=2, description="Of the shade around its middle.")
    saturation: float = Field(1.0, ge=0, le=2, description="Factor on the palette's chroma.")
    shadow: float = Field(0.14, ge=0, le=0.5, description="Lightness (OKLab) of the deepest shade.")
    highlight: float = Field(0.94, ge=0.5, le=1, description="Lightness (OKLab) of the brightest shade.")

    @classmethod
    def of(cls, look: Mapping[str, Any]) -> Self:
        """The settings of a look.

        Raises
        ------
        ConfigError
            If one is unknown or out of range.
        """
        try:
            return cls.model_validate(dict(look.get("paint", {})))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"paint.{place}: {message_of(first)}") from error


@dataclass(frozen=True)
class Controls:
    """One frame of what the music steers.

    Attributes
    ----------
    hue : float
        Turns added to the palette index, any.
    energy : float
        Loudness, 0..1: more contrast and more relief.
    pulse : float
        1 on a beat and falling to 0: more light.
    flash : float
        Strength of an onset, 0..1: bright parts flare.
    zoom : float
        >= 1; 1 shows the whole width or height, whichever fills the frame.
    drift : (float, float)
        Place of the soft noise, in periods; where it moves, the forms flow.
    """

    hue: float = 0.0
    energy: float = 0.5
    pulse: float = 0.0
    flash: float = 0.0
    zoom: float = 1.0
    drift: tuple[float, float] = (0.0, 0.0)
