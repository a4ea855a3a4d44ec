"""A performance as a still picture, PNG or SVG, by matplotlib."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ripieno.contracts import Note
from ripieno.contracts.performance import DYNAMICS, PITCH

from .scene import Curve, Lane, Scene, curve, middle_midi
from .sound import length_s, spectrogram
from .style import FLAT_KEYS, STYLES, Style, hertz, minus, note_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Shape

INK, QUIET, LINE, PAPER = "#1a1c20", "#646973", "#e3e1da", "#ffffff"
MOST_LETTERS = 90
SPECTRUM = "#3a4a63"
LEFT_IN, RIGHT_IN, TOP_IN, BOTTOM_IN = 1.05, 0.75, 1.05, 0.5
ROLL_IN, LANE_IN, GAP_IN = 4.6, 0.72, 0.13
NARROWEST_IN, WIDEST_IN, IN_PER_S = 11.0, 40.0, 1.15
# Half the height of a note's body in semitones, of silence and of full scale.
THIN, THICK = 0.15, 0.7
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
    per_second = (width - LEFT_IN - RIGHT_IN) / scene.duration_s
    _draw_roll(roll, scene, sound, per_second=per_second)
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


def _draw_roll(axes: "Axes", scene: Scene, sound: Path | None, *, per_second: float) -> None:
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
    for stream in scene.performance.streams:
        _draw_stream(axes, stream.notes, scene, per_second=per_second)
    keys = [
        key for key in range(int(np.ceil(low + 0.5)), int(high - 0.5)) if key % 12 in _named_keys(high - low)
    ]
    axes.set_yticks(keys, [note_name(key) for key in keys])
    for tick, key in zip(axes.get_yticklabels(), keys, strict=True):
        tick.set_color(INK if key % 12 == 0 else QUIET)
    other = axes.secondary_yaxis("right")
    other.set_yticks(keys, [f"{hertz(key):.0f}" for key in keys])
    other.spines["right"].set_visible(False)
    other.set_ylabel("Hz", color=QUIET, fontsize=8, rotation=0, loc="top", labelpad=2)


def _draw_stream(axes: "Axes", notes: Sequence[Note], scene: Scene, *, per_second: float) -> None:
    said: tuple[str, ...] = ("", "")
    free_s = 0.0
    for note in notes:
        _draw_note(axes, note, scene)
        # As in a score: said where it changes, and where there is room.
        how = note.articulation, note.mode
        text = " · ".join(word for word, before in zip(how, said, strict=True) if word and word != before)
        if text and note.onset_s >= free_s:
            said = how
            free_s = note.onset_s + len(text) * 0.062 / per_second + 0.05
            _draw_word(axes, note, text)


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


def _draw_note(axes: "Axes", note: Note, scene: Scene) -> None:
    style = STYLES[note.articulation]
    if PITCH not in note.envelopes:
        _draw_sign(axes, style, note.onset_s, scene.low_midi + 0.7)
        axes.plot(
            [note.onset_s, note.offset_s], [scene.low_midi + 0.7] * 2, color=style.light, lw=1, ls=(0, (1, 2))
        )
        return
    masked = PITCH in note.masked
    times_s, pitches, halves = body(note, scene)
    look: dict[str, Any] = {"facecolor": style.light, "alpha": 0.32, "edgecolor": "none"}
    if masked:
        look = {"facecolor": "none", "edgecolor": style.light, "alpha": 0.55, "hatch": "//////"}
    axes.fill_between(times_s, pitches - halves, pitches + halves, lw=0, zorder=2, **look)
    axes.plot(
        *curve(note.envelopes[PITCH], note), color=PAPER, lw=2.6, alpha=0.75, zorder=3, solid_capstyle="round"
    )
    line = (0, (2.5, 1.5)) if masked else "-"
    axes.plot(*curve(note.envelopes[PITCH], note), color=style.light, lw=1.25, ls=line, zorder=4)
    _draw_sign(axes, style, times_s[0], pitches[0])


def body(note: Note, scene: Scene) -> tuple[Any, Any, Any]:
    """Times, pitches and half heights in semitones of a note's body, which is as thick as it is loud."""
    times_s, _ = curve(note.envelopes[PITCH], note)
    loudness = note.envelopes.get(DYNAMICS)
    if loudness is None or note.masked:
        return times_s, note.envelopes[PITCH].at(times_s), np.full(times_s.size, THICK)
    lane = next(lane for lane in scene.lanes if lane.name == DYNAMICS)
    times_s = np.union1d(times_s, curve(loudness, note)[0])
    part = np.clip((loudness.at(times_s) - lane.low) / (lane.high - lane.low), 0, 1)
    return times_s, note.envelopes[PITCH].at(times_s), THIN + (THICK - THIN) * part


def _draw_sign(axes: "Axes", style: Style, time_s: float, pitch: float) -> None:
    look: dict[str, Any] = {"markersize": 6.8, "clip_on": False, "ls": "none", "marker": _shape(style)}
    fill = style.light if style.solid else "none"
    if style.solid:
        axes.plot([time_s], [pitch], mec=PAPER, mfc=fill, mew=0.8, zorder=6, **look)
        return
    axes.plot([time_s], [pitch], mec=PAPER, mfc=fill, mew=3.2, zorder=5, **look)
    axes.plot([time_s], [pitch], mec=style.light, mfc=fill, mew=1.4, zorder=6, **look)


def _shape(style: Style) -> "Shape":
    from matplotlib.path import Path as Shape

    points = [point for stroke in style.sign for point in stroke]
    codes = [code for stroke in style.sign for code in (Shape.MOVETO, *[Shape.LINETO] * (len(stroke) - 1))]
    return Shape(np.array(points), codes)


def _draw_word(axes: "Axes", note: Note, text: str) -> None:
    from matplotlib.patheffects import withStroke

    pitch = middle_midi(note)
    at = (note.onset_s, scene_bottom(axes) if pitch is None else pitch)
    axes.annotate(
        plain(text),
        at,
        xytext=(1, 11),
        textcoords="offset points",
        color=STYLES[note.articulation].light,
        fontsize=7.5,
        fontweight="bold",
        zorder=7,
        annotation_clip=True,
        path_effects=[withStroke(linewidth=2.6, foreground=PAPER)],
    )


def scene_bottom(axes: "Axes") -> float:
    """Where notes without a pitch stand."""
    return float(axes.get_ylim()[0]) + 0.7


def plain(text: str) -> str:
    """Text that an XML file can hold and a picture has room for."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= MOST_LETTERS else f"{printable[:MOST_LETTERS]}…"


def _draw_lane(axes: "Axes", scene: Scene, lane: Lane) -> None:
    margin = 0.06 * (lane.high - lane.low)
    axes.set_ylim(lane.low - margin, lane.high + margin)
    unit = f" {lane.unit}" if lane.unit else ""
    axes.set_yticks([lane.low, lane.high], [minus(f"{lane.low:g}"), minus(f"{lane.high:g}{unit}")])
    axes.set_facecolor("#faf9f6")
    axes.text(
        -0.72,
        0.5,
        lane.title,
        transform=_beside(axes),
        rotation=0,
        ha="left",
        va="center",
        color=INK,
        fontsize=8,
    )
    for note in scene.performance.notes:
        if lane.name not in note.envelopes:
            continue
        times_s, values = curve(note.envelopes[lane.name], note)
        _draw_curve(axes, (times_s, values), STYLES[note.articulation], lane, masked=lane.name in note.masked)


def _beside(axes: "Axes") -> Any:
    """Inches from the left edge of the axes, and their height."""
    from matplotlib.transforms import Affine2D, blended_transform_factory

    figure: Any = axes.figure
    inches = figure.dpi_scale_trans + Affine2D().translate(0, 0)
    left = axes.get_position().x0 * figure.get_figwidth() - 0.28
    return blended_transform_factory(Affine2D().translate(left, 0) + inches, axes.transAxes)


def _draw_curve(axes: "Axes", line: Curve, style: Style, lane: Lane, *, masked: bool) -> None:
    if masked:
        axes.fill_between(
            line[0],
            lane.base,
            line[1],
            facecolor="none",
            edgecolor=style.light,
            alpha=0.3,
            hatch="//////",
            lw=0,
        )
        axes.plot(*line, color=style.light, lw=1, ls=(0, (2.5, 1.5)), alpha=0.7)
        return
    axes.fill_between(*line, lane.base, color=style.light, alpha=0.14, lw=0)
    axes.plot(*line, color=style.light, lw=1.1)


def _draw_heading(figure: "Figure", scene: Scene, width: float, height: float) -> None:
    left = LEFT_IN / width
    figure.text(
        left, 1 - 0.42 / height, plain(scene.title), fontsize=17, fontweight="bold", color=INK, va="baseline"
    )
    figure.text(left, 1 - 0.66 / height, plain(facts(scene)), fontsize=8.5, color=QUIET, va="baseline")
    _draw_legend(figure, scene.articulations, width, height)


def facts(scene: Scene) -> str:
    """Instruments, notes, length, and where the labels come from."""
    performance = scene.performance
    instruments = ", ".join(
        dict.fromkeys(stream.instrument.replace("_", " ") for stream in performance.streams)
    )
    count = len(performance.notes)
    masked = sum(bool(note.masked) for note in performance.notes)
    words = [instruments, f"{count:,} note{'s' if count != 1 else ''}", f"{performance.duration_s:.2f} s"]
    if masked:
        words.append(f"{masked:,} masked (hatched)")
    return "   ·   ".join(filter(None, words))


def _draw_legend(figure: "Figure", articulations: Sequence[str], width: float, height: float) -> None:
    axes = figure.add_axes(
        (LEFT_IN / width, 1 - 0.98 / height, 1 - (LEFT_IN + RIGHT_IN) / width, 0.2 / height)
    )
    axes.set_axis_off()
    axes.set_xlim(0, width - LEFT_IN - RIGHT_IN)
    axes.set_ylim(-1, 1)
    place = 0.05
    for name in articulations:
        _draw_sign(axes, STYLES[name], place, 0)
        axes.text(place + 0.12, 0, name, color=INK, fontsize=8.5, va="center_baseline")
        place += 0.42 + 0.075 * len(name)
