"""Settings of the film."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ripieno.contracts import Asset, FrameEffect, PluginConfig, PluginRef

_Pixels = Annotated[int, Field(ge=16, le=8192)]
CHAIN = ("tone", "lut", "chroma_shift", "trails", "vignette", "grain", "title")


class LatentFilmConfig(PluginConfig):
    """How the film is made; how it looks is the controller's preset."""

    size: tuple[_Pixels, _Pixels] = Field(
        (1920, 1080),
        description="Width and height; an odd one is drawn one pixel larger.",
        json_schema_extra={"unit": "pixels"},
    )
    fps: float | None = Field(
        None,
        ge=24,
        le=120,
        description="Frames per second; null: as many as the trajectory has. Rows between are interpolated.",
        json_schema_extra={"unit": "Hz"},
    )
    codec: Literal["x264", "vp9", "av1"] = Field(
        "x264", description="Of the picture: x264 makes an MP4, vp9 and av1 a WebM."
    )
    quality: int | None = Field(
        None,
        ge=0,
        le=63,
        description="Constant rate factor; lower is better and larger. null: 20 of 51 for x264, "
        "32 of 63 for vp9, 34 of 63 for av1.",
    )
    audio_codec: Literal["aac", "opus"] | None = Field(
        None, description="Of the sound; null: aac in an MP4, opus in a WebM, which takes nothing else."
    )
    loudness_lufs: float | None = Field(
        None,
        ge=-40,
        le=-5,
        description="Integrated loudness of the film's sound, -14 for most platforms; true peaks stay below "
        "-1 dBTP. null: as it is.",
        json_schema_extra={"unit": "LUFS"},
    )
    part_s: tuple[float, float] | None = Field(
        None,
        description="Only these seconds of the film, from and to; null: all of it.",
        json_schema_extra={"unit": "s"},
    )
    supersample: int = Field(
        1, ge=1, le=4, description="Pictures that are averaged to one frame: motion blur, at their cost."
    )
    fields_fps: float = Field(
        10.0,
        gt=0,
        le=480,
        description="How often at least the generator draws anew; between, its fields are blended.",
        json_schema_extra={"unit": "Hz"},
    )
    segment_s: float = Field(
        4.0,
        ge=0.5,
        le=60,
        description="Length of a segment: what a crash loses at most, and what workers share out.",
        json_schema_extra={"unit": "s"},
    )
    encoder_threads: int = Field(
        1, ge=1, le=16, description="Of each segment's encoder; another number gives other bytes."
    )
    keep_frames: Path | None = Field(
        None, description="A folder for every frame as PNG, a folder in it for each film; nothing reads them."
    )
    effects: tuple[PluginRef[FrameEffect[Any]], ...] = Field(
        tuple(PluginRef[FrameEffect[Any]](f"frame_effect/{name}") for name in CHAIN),
        description="What frames go through, in order; the look of the trajectory sets them, what is given "
        "here goes before it. One that changes nothing is left out.",
    )
    weights: PluginRef[Asset] = Field(
        PluginRef[Asset]("asset/gan"), description="The generator, where no model is wired."
    )
    gpu: bool = Field(
        False, description="Whether to generate by CUDA where onnxruntime can; other bits than a CPU's."
    )

    @model_validator(mode="after")
    def _a_container_takes_both(self) -> Self:
        if self.codec != "x264" and self.audio_codec == "aac":
            raise ValueError(f"audio_codec: a WebM of {self.codec} takes opus only. Leave it out")
        if self.codec == "x264" and (self.quality or 0) > 51:
            raise ValueError("quality: x264's worst is 51")
        if self.part_s is not None and not 0 <= self.part_s[0] < self.part_s[1]:
            raise ValueError("part_s: a part begins at 0 or later and ends after it begins")
        return self

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of files that can hold the film, that of its own container first."""
        if self.codec != "x264":
            return (".webm", ".mkv")
        return (".mp4", ".mkv") if self.audio_codec == "opus" else (".mp4", ".mkv", ".mov")

    @property
    def crf(self) -> int:
        """The constant rate factor of the codec."""
        default = {"x264": 20, "vp9": 32, "av1": 34}[self.codec]
        return default if self.quality is None else self.quality
