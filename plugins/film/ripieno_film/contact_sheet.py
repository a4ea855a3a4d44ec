"""All presets in one picture: a row each, with its name, its colours and moments of a short piece.

Conventions
-----------
The piece is made of formulas: it begins quietly, grows over three parts and ends as it began, at 120 beats
a minute. Frames go through all that a film goes through, at the size of the sheet.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Asset, Audio, Beats, Features, PluginRef, Preset, Sections, Trajectory
from ripieno.contracts.context import new_context, temporary_folder, use_context

from .config import LatentFilmConfig
from .controller import LatentConfig, LatentController
from .frames import frames_of
from .installed import installed_effects
from .renderer import reel_of

Picture = NDArray[np.uint8]
FPS, ROWS_HZ, RATE_HZ = 30.0, 90.0, 8000
LASTS_S, MOMENTS_S = 40.0, (4.0, 13.1, 21.0, 28.05, 36.0)
TILE = (448, 252)
LABEL, GAP, MARGIN = 380, 14, 40
PAPER, INK, SOFT = (17, 17, 20), (240, 238, 232), (150, 148, 144)


def contact_sheet(presets: Mapping[str, Preset], weights: PluginRef[Asset], *, seed: int = 0) -> Picture:
    """The picture, uint8 [height, width, 3].

    Parameters
    ----------
    presets : mapping of str to Preset
        By name, in order; each of controller/latent.
    weights : PluginRef of Asset
        The generator that draws them, with its file.
    seed : int
        Of all draws.

    Raises
    ------
    ConfigError
        If a preset says what it may not.
    MissingError
        If onnxruntime is not installed.
    """
    rows = []
    for name, preset in presets.items():
        trajectory = _steered(name, preset, weights, seed)
        with temporary_folder() as folder:
            moments = _moments(trajectory, weights.plugin.path, folder)
        rows.append(_row(name, preset, trajectory.look["palette"], moments))
    width = max((row.shape[1] for row in rows), default=LABEL) + 2 * MARGIN
    height = sum(row.shape[0] + GAP for row in rows) - GAP + 2 * MARGIN
    sheet = np.full((max(height, 2 * MARGIN), width, 3), PAPER, np.uint8)
    top = MARGIN
    for row in rows:
        sheet[top : top + len(row), MARGIN : MARGIN + row.shape[1]] = row
        top += len(row) + GAP
    return sheet


def piece() -> dict[str, Any]:
    """Features, beats and sections of the short piece."""
    times_s = np.arange(round(LASTS_S * ROWS_HZ)) / ROWS_HZ
    arc = np.sin(np.pi * times_s / LASTS_S) ** 2
    beat = np.exp(-6 * (times_s * 2 % 1))
    names = ("rms", "centroid_hz", "flatness", "onset_strength", *(f"mfcc_{index}" for index in range(1, 17)))
    slow = [np.sin(2 * np.pi * times_s / (7 + 3 * index) + index) for index in range(16)]
    columns = (
        0.02 + 0.25 * arc * (0.6 + 0.4 * beat),
        600 + 3000 * arc + 400 * np.sin(times_s),
        0.05 + 0.2 * arc,
        4 * arc * beat,
        *(20 * wave for wave in slow),
    )
    starts_s = LASTS_S * np.array([0, 0.25, 0.5, 0.75])
    return {
        "features": Features(np.column_stack(columns), names, ROWS_HZ),
        "beats": Beats(np.arange(0, LASTS_S, 0.5), np.arange(round(2 * LASTS_S)) % 4 + 1),
        "sections": Sections(starts_s, starts_s + LASTS_S / 4, ("a", "b", "c", "a")),
    }


def _steered(name: str, preset: Preset, weights: PluginRef[Asset], seed: int) -> Trajectory:
    config = LatentConfig.model_validate({"preset": name, "weights": weights.uses, "fps": FPS})
    config.preset.bind(preset)
    config.weights.bind(weights.plugin)
    with use_context(new_context(seed=seed)):
        return LatentController(config).control(**piece())


def _moments(trajectory: Trajectory, generator: Path, folder: Path) -> list[Picture]:
    """Frames of some moments; effects that are not installed are left out."""
    config = LatentFilmConfig.model_validate(
        {"size": TILE, "fields_fps": FPS, "effects": installed_effects()}
    )
    silence = Audio(np.zeros((1, round(LASTS_S * RATE_HZ)), np.float32), RATE_HZ)
    reel = reel_of(config, trajectory, silence, generator=generator, folder=folder)
    found = (round(moment_s * FPS) for moment_s in MOMENTS_S)
    return [next(frames_of(reel, frame, frame + 1)) for frame in found]


def _row(name: str, preset: Preset, palette: Sequence[str], moments: Sequence[Picture]) -> Picture:
    gap = np.full((TILE[1], GAP, 3), PAPER, np.uint8)
    parts = [_label(name, preset.description, palette)]
    for moment in moments:
        parts += [gap, moment]
    return np.concatenate(parts, axis=1)


def _label(name: str, description: str, palette: Sequence[str]) -> Picture:
    """Name, what it is, and its colours."""
    label = np.full((TILE[1], LABEL, 3), PAPER, np.uint8)
    _write(label, name, (0, 44), 40, INK, weight=600)
    for line, text in enumerate(wrap(description, 34)[:4]):
        _write(label, text, (0, 82 + 25 * line), 17, SOFT)
    if palette:
        edges = np.linspace(0, LABEL - 2 * GAP, len(palette) + 1).astype(int)
        for colour, left, right in zip(palette, edges[:-1], edges[1:], strict=True):
            rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
            label[TILE[1] - 44 :, left:right] = rgb
    return label


def _write(
    picture: Picture,
    text: str,
    place: tuple[int, int],
    size: int,
    colour: tuple[int, int, int],
    *,
    weight: int = 400,
) -> None:
    import cv2

    cv2.putText(picture, text, place, colour, cv2.FontFace("sans"), size, weight=weight)
