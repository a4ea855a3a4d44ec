"""Notes and their curves as matplotlib draws them: all of one articulation at once, however many there are."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Note
from ripieno.contracts.performance import DYNAMICS, PITCH

from .scene import Curve, Lane, Scene, curve, middle_midi
from .style import STYLES, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path as Shape

PAPER = "#ffffff"
# Half the height of a note's body in semitones, of silence and of full scale.
THIN, THICK = 0.15, 0.7
# Where notes without a pitch stand, in semitones from the bottom.
FLOOR = 0.7
DASHES, DOTS = (0, (2.5, 1.5)), (0, (1, 2))
HATCH = "//////"
MOST_LETTERS = 90
SIGN_IN, IN_PER_LETTER, GAP_S = 0.06, 0.062, 0.05


def draw_notes(axes: "Axes", scene: Scene, *, inches_per_s: float) -> None:
    """Bodies and pitch curves of all notes, and signs of those with room for one."""
    pitched = [note for note in scene.performance.notes if PITCH in note.envelopes]
    for style, masked, notes in _alike(pitched, lambda note: PITCH in note.masked):
        lines = [curve(note.envelopes[PITCH], note) for note in notes]
        _fill(
            axes, [_outline(*body(note, scene)) for note in notes], style, masked=masked, alpha=0.32, zorder=2
        )
        _trace(axes, lines, PAPER, lw=2.6, alpha=0.75, zorder=3)
        _trace(axes, lines, style.light, lw=1.25, ls=DASHES if masked else "-", zorder=4)
        roomy = [line for line in lines if (line[0][-1] - line[0][0]) * inches_per_s >= SIGN_IN]
        draw_signs(axes, style, [(line[0][0], line[1][0]) for line in roomy])
    others = [note for note in scene.performance.notes if PITCH not in note.envelopes]
    for style, _, notes in _alike(others, lambda note: False):
        y = scene.low_midi + FLOOR
        floors = [(np.array([note.onset_s, note.offset_s]), np.array([y, y])) for note in notes]
        _trace(axes, floors, style.light, lw=1, ls=DOTS)
        draw_signs(axes, style, [(note.onset_s, y) for note in notes])


def draw_lane(axes: "Axes", scene: Scene, lane: Lane) -> None:
    """The curves of one channel, with the area below."""
    having = [note for note in scene.performance.notes if lane.name in note.envelopes]
    for style, masked, notes in _alike(having, lambda note: lane.name in note.masked):
        lines = [curve(note.envelopes[lane.name], note) for note in notes]
        areas = [_outline(times_s, values, values, base=lane.base) for times_s, values in lines]
        _fill(axes, areas, style, masked=masked, alpha=0.14)
        look: dict[str, Any] = {"lw": 1, "ls": DASHES, "alpha": 0.7} if masked else {"lw": 1.1}
        _trace(axes, lines, style.light, **look)


def draw_signs(axes: "Axes", style: Style, places: Sequence[tuple[float, float]]) -> None:
    """The sign of an articulation at each of some places."""
    xs, ys = [place[0] for place in places], [place[1] for place in places]
    look: dict[str, Any] = {"markersize": 6.8, "clip_on": False, "ls": "none", "marker": _shape(style)}
    if style.solid:
        axes.plot(xs, ys, mec=PAPER, mfc=style.light, mew=0.8, zorder=6, **look)
        return
    axes.plot(xs, ys, mec=PAPER, mfc="none", mew=3.2, zorder=5, **look)
    axes.plot(xs, ys, mec=style.light, mfc="none", mew=1.4, zorder=6, **look)


def draw_words(axes: "Axes", notes: Sequence[Note], scene: Scene, *, inches_per_s: float) -> None:
    """How one player plays: as in a score, said where it changes, and where there is room."""
    said: tuple[str, ...] = ("", "")
    free_s = 0.0
    for note in notes:
        how = note.articulation, note.mode
        text = plain(
            " · ".join(word for word, before in zip(how, said, strict=True) if word and word != before)
        )
        has_room = note.onset_s >= free_s and note.duration_s * inches_per_s >= SIGN_IN
        if text and has_room:
            said = how
            free_s = note.onset_s + len(text) * IN_PER_LETTER / inches_per_s + GAP_S
            _draw_word(axes, note, text, scene)


def body(note: Note, scene: Scene) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Times, and lower and upper edge in MIDI numbers of a note's body, which is as thick as it is loud."""
    times_s, pitches = curve(note.envelopes[PITCH], note)
    loudness = note.envelopes.get(DYNAMICS)
    if loudness is None or note.masked:
        return times_s, pitches - THICK, pitches + THICK
    lane = next(lane for lane in scene.lanes if lane.name == DYNAMICS)
    times_s = np.union1d(times_s, curve(loudness, note)[0])
    pitches = note.envelopes[PITCH].at(times_s)
    part = np.clip((loudness.at(times_s) - lane.low) / (lane.high - lane.low), 0, 1)
    half = THIN + (THICK - THIN) * part
    return times_s, pitches - half, pitches + half


def plain(text: str) -> str:
    """Text that an XML file can hold and a picture has room for."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= MOST_LETTERS else f"{printable[:MOST_LETTERS]}…"


def _alike(
    notes: Sequence[Note], is_masked: Callable[[Note], bool]
) -> Iterable[tuple[Style, bool, list[Note]]]:
    """Notes of one look together."""

    def look(note: Note) -> tuple[str, bool]:
        return note.articulation, is_masked(note)

    for (articulation, masked), group in groupby(sorted(notes, key=look), key=look):
        yield STYLES[articulation], masked, list(group)


def _outline(
    times_s: NDArray[Any], lower: NDArray[Any], upper: NDArray[Any], *, base: float | None = None
) -> NDArray[np.float64]:
    """A polygon [points, 2] between two curves, or between one and a base."""
    if base is not None:
        lower = np.full(times_s.size, base)
    xs, ys = np.append(times_s, times_s[::-1]), np.append(upper, lower[::-1])
    outline: NDArray[np.float64] = np.stack([xs, ys], axis=1)
    return outline


def _fill(
    axes: "Axes",
    outlines: Sequence[NDArray[Any]],
    style: Style,
    *,
    masked: bool,
    alpha: float,
    zorder: float = 1,
) -> None:
    from matplotlib.collections import PolyCollection

    look: dict[str, Any] = {"facecolor": style.light, "edgecolor": "none", "alpha": alpha}
    if masked:
        look = {"facecolor": "none", "edgecolor": style.light, "alpha": 0.25 + alpha, "hatch": HATCH}
    axes.add_collection(PolyCollection(outlines, linewidth=0, zorder=zorder, **look), autolim=False)


def _trace(axes: "Axes", lines: Sequence[Curve], colour: str, **look: Any) -> None:
    from matplotlib.collections import LineCollection

    paths = [np.stack(line, axis=1) for line in lines]
    axes.add_collection(
        LineCollection(paths, colors=colour, capstyle="round", joinstyle="round", **look), autolim=False
    )


def _shape(style: Style) -> "Shape":
    from matplotlib.path import Path as Shape

    points = [point for stroke in style.sign for point in stroke]
    codes = [code for stroke in style.sign for code in (Shape.MOVETO, *[Shape.LINETO] * (len(stroke) - 1))]
    return Shape(np.array(points), codes)


def _draw_word(axes: "Axes", note: Note, text: str, scene: Scene) -> None:
    from matplotlib.patheffects import withStroke

    pitch = middle_midi(note)
    axes.annotate(
        text,
        (note.onset_s, scene.low_midi + FLOOR if pitch is None else pitch),
        xytext=(1, 11),
        textcoords="offset points",
        color=STYLES[note.articulation].light,
        fontsize=7.5,
        fontweight="bold",
        zorder=7,
        annotation_clip=True,
        path_effects=[withStroke(linewidth=2.6, foreground=PAPER)],
    )
