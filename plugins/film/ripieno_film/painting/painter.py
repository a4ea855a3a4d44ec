"""From a generator's small fields to a frame of any size."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError
from ripieno.contracts.context import derive_seed

from .loops import bend, colour, light
from .noise import texture
from .palette import colour_table
from .settings import Controls, Paint

_MARGIN = 8
_TILE = 512
PALETTE = ("#0b1e4f", "#1f6feb", "#18c7b5", "#ffd166", "#ff6a3d", "#b5179e")


class Painter:
    """Paints frames of one size in one look; what does not change from frame to frame is made once.

    Parameters
    ----------
    look : mapping
        ``Trajectory.look``: `palette` (list of ``#rrggbb``) and `paint` (settings of `Paint`) are read.
    size : (int, int)
        Width and height of the frames in pixels.

    Raises
    ------
    ConfigError
        If the palette or a setting is not usable.
    """

    def __init__(self, look: Mapping[str, Any], *, size: tuple[int, int]) -> None:
        self.paint_settings = Paint.model_validate(dict(look.get("paint", {})))
        self.size = width, height = size
        self._half = -(-width // 2), -(-height // 2)
        # By size and look, never by the call: the canvas stands still.
        seed = derive_seed(
            0, "painting", json.dumps([look.get("palette"), look.get("paint")], sort_keys=True)
        )
        rng = np.random.default_rng(seed)
        paint, unit = self.paint_settings, max(self._half)
        table = colour_table(look.get("palette") or PALETTE, paint, rng=rng)
        self._table = np.ascontiguousarray(np.pad(table, ((0, 0), (0, 0), (0, 1)), constant_values=255)).view(
            np.uint32
        )[..., 0]
        self._warp = np.stack(
            [texture(self._half, slope=1.6, longest=unit / 5, shortest=6, rng=rng) for _ in range(2)]
        )
        self._bumps = texture(self._half, slope=0.9, longest=unit / 20, shortest=2.5, rng=rng) * np.float32(
            0.012 * paint.detail
        )
        self._sand = texture((_TILE, _TILE), slope=0.3, longest=12, shortest=1.2, rng=rng)
        self._bent = np.empty((2, *self._half[::-1]), np.float32)
        self._lit = np.empty(self._half[::-1], np.float32)
        self._packed = np.empty((height, width), np.uint32)

    def paint(self, fields: NDArray[np.float32], controls: Controls) -> NDArray[np.uint8]:
        """One frame.

        Parameters
        ----------
        fields : NDArray[np.float32]
            [2, h, w], palette index and shade, or [3, h, w], red, green, blue; 0..1.
        controls : Controls
            Of this frame.

        Returns
        -------
        NDArray[np.uint8]
            [height, width, 3]; a new array.
        """
        import cv2

        if fields.ndim != 3 or fields.shape[0] not in (2, 3):
            raise InputError(f"fields have shape {fields.shape}, expected [2, h, w] or [3, h, w]")
        paint = self.paint_settings
        grown, start, step = self._grow(fields, controls.zoom)
        width, height = self._half
        shift = np.array(
            [int(controls.drift[0] % 1 * width) % width, int(controls.drift[1] % 1 * height) % height]
        )
        reach = paint.warp * 0.008 * max(width, height) * step[0]
        bend(grown, self._warp, start, step, shift, reach, self._bent)
        lively = 0.7 + 0.6 * controls.energy
        light(
            self._bent,
            self._bumps,
            paint.relief * lively * (1 + 0.5 * controls.pulse) * max(self._half) / 96,
            0.5 * paint.gloss,
            paint.contrast * (0.85 + 0.3 * controls.energy),
            0.07 * controls.pulse,
            0.35 * controls.flash,
            self._lit,
        )
        colour(
            self._bent[0],
            self._lit,
            self._sand,
            paint.turns,
            controls.hue % 1.0,
            0.018 * paint.detail,
            self._table,
            self._packed,
        )
        pixels = self._packed.view(np.uint8).reshape(*self._packed.shape, 4)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)

    def _grow(
        self, fields: NDArray[np.float32], zoom: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """The part that is seen, four times as fine, and where the half-size grid lies in it."""
        import cv2

        planes, rows, columns = fields.shape
        width, height = self._half
        scale = min(columns / width, rows / height) / max(zoom, 1.0)
        seen = np.array([width * scale, height * scale])
        first = (np.array([columns, rows]) - seen) / 2
        low = np.floor(first).astype(int)
        high = np.ceil(first + seen).astype(int)
        grown = []
        for plane in fields:
            framed = cv2.copyMakeBorder(plane, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT)
            part = framed[low[1] : high[1] + 2 * _MARGIN, low[0] : high[0] + 2 * _MARGIN]
            grown.append(cv2.pyrUp(self._crisp(cv2.pyrUp(self._keen(part)))))
        step = np.full(2, scale * 4, np.float32)
        start = ((first - low + _MARGIN + 0.5 * scale - 0.5) * 4).astype(np.float32)
        return np.stack(grown), start, step

    def _keen(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Against the blur of the doublings that follow, which draw cubic B-splines."""
        import cv2

        return cv2.addWeighted(plane, 1.6, cv2.GaussianBlur(plane, (3, 3), 0), -0.6, 0)

    def _crisp(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Edges steeper, without overshoot: towards the nearer of the extremes around."""
        import cv2

        around = np.ones((5, 5), np.uint8)
        low, high = cv2.erode(plane, around), cv2.dilate(plane, around)
        span = high - low + 1e-4
        share = (plane - low) / span
        steep = share * share * (3 - 2 * share)
        return plane + np.float32(self.paint_settings.sharpness * 1.5) * span * (steep - share)
