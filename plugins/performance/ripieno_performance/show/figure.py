"""A performance as a still picture, PNG or SVG, by matplotlib."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .scene import Lane, Scene
from .sound import length_s, spectrogram
from .strokes import PAPER, draw_lane, draw_notes, draw_signs, draw_words, plain
from .style import FLAT_KEYS, STYLES, hertz, minus, note_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, LINE = "#1a1c20", "#646973", "#e3e1da"
SPECTRUM = "#3a4a63"
LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN = 1.05, 0.75, 1.05, 0.5
ROLL_IN, LANE_IN, GAP_IN = 4.6, 0.72, 0.13
NARROWEST_IN, WIDEST_IN, IN_PER_S = 11.0, 40.0, 1.15
SETTINGS: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.7,
    # A title is text, whatever dollars it holds.
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "ripieno",
}


def draw(scene: Scene, sound: Path | None, *, kind: str) -> bytes:
    """The picture as a file's content.

    Parameters
    ----------
    scene : Scene
    sound : Path, optional
        The recording, for the spectrogram.
    kind : {"png", "svg"}
    """
    from matplotlib import rc_context

    packed = io.BytesIO()
    with rc_context(SETTINGS), warnings.catch_warnings():
        # Of a letter that no font has, the box drawn in its place says enough.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = _figure(scene, sound)
        # No date and no version: the same performance gives the same bytes.
        figure.savefig(
            packed, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {"Software": None}
        )
    return packed.getvalue()


def _figure(scene: Scene, sound: Path | None) -> "Figure":
    from matplotlib.figure import Figure

    width = float(np.clip(IN_PER_S * scene.duration_s + LEFT_IN + RIGHT_IN, NARROWEST_IN, WIDEST_IN))
    height = TOP_IN + ROLL_IN + len(scene.lanes) * (LANE_IN + GAP_IN) + BOTTOM_IN
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    left, wide = LEFT_IN / width, 1 - (LEFT_IN + RIGHT_IN) / width
    below = height - TOP_IN - ROLL_IN
    roll = figure.add_axes((left, below / height, wide, ROLL_IN / height))
    inches_per_s = (width - LEFT_IN - RIGHT_IN) / scene.duration_s
    _draw_roll(roll, scene, sound, inches_per_s=inches_per_s)
    lowest = roll
    for lane in scene.lanes:
        below -= LANE_IN + GAP_IN
        lowest = figure.add_axes((left, below / height, wide, LANE_IN / height), sharex=roll)
        _draw_lane(lowest, scene, lane)
    for axes in figure.axes:
        axes.tick_params(labelbottom=axes is lowest)
        axes.spines[["top", "right", "left"]].set_visible(False)
    lowest.set_xlabel("seconds", color=QUIET, fontsize=8, loc="right")
    _draw_heading(figure, scene, width, height)
    return figure


def _draw_roll(axes: "Axes", scene: Scene, sound: Path | None, *, inches_per_s: float) -> None:
    low, high = scene.low_midi, scene.high_midi
    axes.set_xlim(0, scene.duration_s)
    axes.set_ylim(low, high)
    for key in range(int(low), int(high) + 1):
        if key % 12 in FLAT_KEYS:
            axes.axhspan(key - 0.5, key + 0.5, color="#f4f3ef", lw=0, zorder=0)
        if key % 12 == 0:
            axes.axhline(key - 0.5, color=LINE, lw=0.8, zorder=0.5)
    if sound is not None:
        _draw_spectrogram(axes, sound, low, high)
    draw_notes(axes, scene, inches_per_s=inches_per_s)
    for stream in scene.performance.streams:
        draw_words(axes, stream.notes, scene, inches_per_s=inches_per_s)
    named = _named_keys(high - low)
    keys = [key for key in range(int(np.ceil(low + 0.5)), int(high - 0.5)) if key % 12 in named]
    axes.set_yticks(keys, [note_name(key) for key in keys])
    for tick, key in zip(axes.get_yticklabels(), keys, strict=True):
        tick.set_color(INK if key % 12 == 0 else QUIET)
    other = axes.secondary_yaxis("right")
    other.set_yticks(keys, [f"{hertz(key):.0f}" for key in keys])
    other.spines["right"].set_visible(False)
    other.set_ylabel("Hz", color=QUIET, fontsize=8, rotation=0, loc="top", labelpad=2)


def _named_keys(semitones: float) -> tuple[int, ...]:
    return (0, 2, 4, 5, 7, 9, 11) if semitones <= 26 else (0, 4, 7) if semitones <= 50 else (0,)


def _draw_spectrogram(axes: "Axes", sound: Path, low: float, high: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    levels = spectrogram(sound, low_midi=low, high_midi=high)
    tint = LinearSegmentedColormap.from_list("tint", [f"{SPECTRUM}00", f"{SPECTRUM}26", f"{SPECTRUM}90"])
    extent = (0.0, length_s(sound), low, high)
    axes.imshow(
        levels, cmap=tint, vmin=60, vmax=255, extent=extent, aspect="auto", zorder=1, interpolation="bilinear"
    )


def _draw_lane(axes: "Axes", scene: Scene, lane: Lane) -> None:
    margin = 0.06 * (lane.high - lane.low)
    axes.set_ylim(lane.low - margin, lane.high + margin)
    unit = f" {lane.unit}" if lane.unit else ""
    axes.set_yticks([lane.low, lane.high], [minus(f"{lane.low:g}"), minus(f"{lane.high:g}{unit}")])
    axes.set_facecolor("#faf9f6")
    axes.text(
        -0.72,
        0.5,
        plain(lane.title),
        transform=_beside(axes),
        rotation=0,
        ha="left",
        va="center",
        color=INK,
        fontsize=8,
    )
    draw_lane(axes, scene, lane)


def _beside(axes: "Axes") -> Any:
    """Inches from the left edge of the axes, and their height."""
    from matplotlib.transforms import Affine2D, blended_transform_factory

    figure: Any = axes.figure
    inches = figure.dpi_scale_trans + Affine2D().translate(0, 0)
    left = axes.get_position().x0 * figure.get_figwidth() - 0.28
    return blended_transform_factory(Affine2D().translate(left, 0) + inches, axes.transAxes)


def _draw_heading(figure: "Figure", scene: Scene, width: float, height: float) -> None:
    left = LEFT_IN / width
    figure.text(
        left, 1 - 0.42 / height, plain(scene.title), fontsize=17, fontweight="bold", color=INK, va="baseline"
    )
    figure.text(
        left, 1 - 0.66 / height, plain("   ·   ".join(scene.facts)), fontsize=8.5, color=QUIET, va="baseline"
    )
    _draw_legend(figure, scene.articulations, width, height)


def _draw_legend(figure: "Figure", articulations: Sequence[str], width: float, height: float) -> None:
    axes = figure.add_axes(
        (LEFT_IN / width, 1 - 0.98 / height, 1 - (LEFT_IN + RIGHT_IN) / width, 0.2 / height)
    )
    axes.set_axis_off()
    axes.set_xlim(0, width - LEFT_IN - RIGHT_IN)
    axes.set_ylim(-1, 1)
    place = 0.05
    for name in articulations:
        draw_signs(axes, STYLES[name], [(place, 0)])
        axes.text(place + 0.12, 0, name, color=INK, fontsize=8.5, va="center_baseline")
        place += 0.42 + 0.075 * len(name)
