"""How things look and are called, in every picture of a performance.

Conventions
-----------
An articulation has a colour and a sign, so that neither is needed to tell it from the others. Any two
colours of a theme stay apart under protanopia, deuteranopia and tritanopia, and each has a contrast of
3 : 1 to its paper. A sign is a list of strokes, each of points (x, y) in -1 … 1 with y upwards.
"""

from dataclasses import dataclass
from math import cos, floor, log2, pi, sin

Stroke = tuple[tuple[float, float], ...]

SHARPS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
FLAT_KEYS = frozenset({1, 3, 6, 8, 10})
UNITS = {"ratio": "", "cents": "cents", "hz": "Hz", "dbfs": "dBFS"}


def _arc(start: float, end: float, points: int = 25) -> Stroke:
    angles = (pi * (start + (end - start) * i / (points - 1)) for i in range(points))
    return tuple((round(cos(angle), 4), round(sin(angle), 4)) for angle in angles)


@dataclass(frozen=True)
class Style:
    """Of one articulation.

    Parameters
    ----------
    light, dark : str
        Colour on light and on dark paper, ``#rrggbb``.
    sign : tuple of strokes
    solid : bool
        Whether the sign is filled.
    """

    light: str
    dark: str
    sign: tuple[Stroke, ...]
    solid: bool = False

    @property
    def path(self) -> str:
        """The sign as SVG path data, y downwards."""
        lines = ("L".join(f"{x:g} {-y:g}" for x, y in stroke) for stroke in self.sign)
        return "".join(f"M{line}" for line in lines)


STYLES = {
    "sustained": Style("#1d5dcc", "#4ea1fc", (_arc(0, 2),), solid=True),
    "legato": Style("#01987b", "#6ee29b", (tuple((x, 1.3 * y - 0.7) for x, y in _arc(1, 0)),)),
    "staccato": Style("#c1430b", "#ff772b", (((-0.8, 1.0), (0.8, 1.0), (0, -1), (-0.8, 1.0)),), solid=True),
    "tremolo": Style("#9e2597", "#e38eb7", tuple(((-0.9, y - 0.3), (0.9, y + 0.3)) for y in (0.7, 0, -0.7))),
    "plucked": Style("#c48211", "#eec630", (((-1, 0), (1, 0)), ((0, -1), (0, 1)))),
    "struck": Style(
        "#30343b", "#eceae6", (((-0.9, 0.9), (0.9, 0.9), (0.9, -0.9), (-0.9, -0.9), (-0.9, 0.9)),), solid=True
    ),
    "muted": Style("#6d4e53", "#8e8679", (((-0.8, -0.8), (0.8, 0.8)), ((-0.8, 0.8), (0.8, -0.8)))),
    "harmonic": Style("#9075e3", "#bfbeff", (((0, 1.1), (0.9, 0), (0, -1.1), (-0.9, 0), (0, 1.1)),)),
}


def note_name(pitch_midi: float, *, cents: bool = False) -> str:
    """``A4``, and with the deviation from it ``A4 +12 ¢``."""
    key = floor(pitch_midi + 0.5)
    name = f"{SHARPS[key % 12]}{key // 12 - 1}"
    return minus(f"{name} {round(100 * (pitch_midi - key)):+d} ¢") if cents else name


def minus(text: str) -> str:
    """A number with the sign that is set in print."""
    return text.replace("-", "\N{MINUS SIGN}")


def hertz(pitch_midi: float) -> float:
    """Frequency, A4 = 440 Hz."""
    return float(440 * 2 ** ((pitch_midi - 69) / 12))


def midi(frequency_hz: float) -> float:
    """MIDI number of a frequency."""
    return 69 + 12 * log2(frequency_hz / 440)


def title_of(channel: str) -> str:
    """``vibrato_rate_hz`` as ``vibrato rate``: the unit stands elsewhere."""
    words = channel.split("_")
    return " ".join(words[:-1] if words[-1] in ("hz", "cents", "dbfs", "midi") and len(words) > 1 else words)


def unit_of(channel: str) -> str:
    """The unit that a channel's name ends in; empty where it names none."""
    return UNITS.get(channel.rsplit("_", 1)[-1], "")
