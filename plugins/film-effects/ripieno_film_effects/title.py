"""The effect `frame_effect/title`: who is heard, and what."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig
from ripieno.toolkit.compiled import Compiled
from ripieno.toolkit.pages import new_pages

from .card import draw_card
from .timing import frame_times

_ONE, _HALF, _BITS = 256, np.int32(1 << 15), np.int32(16)


class TitleConfig(PluginConfig):
    """Settings of `Title`."""

    length_s: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="How long the card is seen; 0 is never.",
        json_schema_extra={"unit": "s"},
    )
    start_s: float = Field(
        1.0, ge=0, description="When it begins to be seen.", json_schema_extra={"unit": "s"}
    )
    fade_s: float = Field(
        0.8, ge=0, le=60, description="In which it comes and goes.", json_schema_extra={"unit": "s"}
    )
    title: str = Field("", description="Instead of the item's title.")
    artist: str = Field("", description="Instead of the item's artist.")
    art: Path | None = Field(None, description="A picture file, instead of the item's `art`.")
    font: Path | None = Field(
        None,
        description="A TrueType or OpenType file, for scripts that the built-in Latin face does not have.",
    )
    fps: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="Of the film; its renderer says it.",
        json_schema_extra={"unit": "Hz"},
    )


class Title(FrameEffect[TitleConfig]):
    """A card with cover, title and artist of the item that is heard; it fades in and out."""

    @classmethod
    def assets(cls, config: TitleConfig) -> tuple[Path, ...]:
        return tuple(path for path in (config.art, config.font) if path is not None)

    @property
    def neutral(self) -> bool:
        """Whether frames stay as they are."""
        return self.config.length_s == 0

    def apply(self, frames: NDArray[np.uint8], start_s: float) -> NDArray[np.uint8]:
        """Frames with the card over them while it is seen.

        Raises
        ------
        InputError
            If the cover is no picture that can be read.
        """
        if self.neutral or not frames.size:
            return frames
        times = frame_times(start_s, len(frames), fps=self.config.fps)
        opacity = [self.opacity(time_s) for time_s in times]
        height, width = frames.shape[1:3]
        facts, config = self.context.facts, self.config
        art = config.art or (Path(str(facts["art"])) if facts.get("art") else None)
        # Drawn also where it is not seen, so that a bad cover is known at once and not minutes later.
        card = draw_card(
            config.title or str(facts.get("title") or ""),
            config.artist or str(facts.get("artist") or ""),
            art,
            config.font,
            width,
            height,
        )
        if card is None or not any(opacity):
            return frames
        out = new_pages(frames.shape)
        out[:] = frames
        rows = slice(card.top, card.top + card.colour.shape[0])
        columns = slice(card.left, card.left + card.colour.shape[1])
        for frame, share in zip(out, opacity, strict=True):
            if share:
                part = frame[rows, columns]
                size = part.shape[:2]
                part[:] = _over(
                    np.ascontiguousarray(part),
                    card.colour[: size[0], : size[1]],
                    card.opacity[: size[0], : size[1]],
                    share,
                )
        return out

    def opacity(self, time_s: float) -> int:
        """Of the card at a moment, in 256ths."""
        since, left = time_s - self.config.start_s, self.config.start_s + self.config.length_s - time_s
        if since < 0 or left <= 0:
            return 0
        way = min(1.0, since / self.config.fade_s, left / self.config.fade_s) if self.config.fade_s else 1.0
        return round(_ONE * way * way * (3 - 2 * way))


def _over(
    frame: NDArray[np.uint8], colour: NDArray[np.uint8], opacity: NDArray[np.uint8], share: int
) -> NDArray[np.uint8]:
    out = np.empty_like(frame)
    _blend(frame, np.ascontiguousarray(colour), np.ascontiguousarray(opacity), np.int32(share), out)
    return out


@Compiled
def _blend(
    frame: NDArray[np.uint8],
    colour: NDArray[np.uint8],
    opacity: NDArray[np.uint8],
    share: np.int32,
    out: NDArray[np.uint8],
) -> None:
    for row in range(frame.shape[0]):
        for column in range(frame.shape[1]):
            # 255 is all: 257 / 256 of it is 256 after the shift.
            weight = np.int32(opacity[row, column]) * np.int32(257) * share >> np.int32(8)
            for channel in range(3):
                under = np.int32(frame[row, column, channel])
                above = np.int32(colour[row, column, channel])
                out[row, column, channel] = np.uint8(under + (((above - under) * weight + _HALF) >> _BITS))
