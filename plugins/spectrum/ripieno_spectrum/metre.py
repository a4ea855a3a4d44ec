"""Which beat each frame of the picture stands in, and how brightly that beat still shines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .marks import Marks

_FADE_S = 0.16
_UPBEAT = 0.55
_TEMPO_BEATS = 8


@dataclass(frozen=True)
class Instant:
    """The metre at one frame.

    Attributes
    ----------
    position : int
        Place of the beat in its bar, 1 = downbeat, 0 = unknown or before the first beat.
    bar_beats : int
        Beats in this bar, 0 if unknown.
    bpm : int
        Tempo around this beat, 0 if unknown.
    glow : float
        1 in the frame of a downbeat, less in that of another beat, fading to 0.
    """

    position: int = 0
    bar_beats: int = 0
    bpm: int = 0
    glow: float = 0.0


class Metre:
    """The metre of a song at each frame; a beat begins in the frame that holds it."""

    def __init__(self, marks: Marks, *, fps: float) -> None:
        # A beat written with three decimals may lie just before the frame that it is meant for.
        self._frames = np.floor(marks.beats_s * fps + 0.02).astype(np.int64)
        self._fps = fps
        self._positions = marks.positions
        self._bar_beats = _bar_beats(marks)
        self._bpm = _tempo(marks.beats_s)

    def at(self, frame: int) -> Instant:
        """The metre at a frame."""
        beat = int(np.searchsorted(self._frames, frame, side="right")) - 1
        if beat < 0:
            return Instant()
        age_s = (frame - int(self._frames[beat])) / self._fps
        position = int(self._positions[beat])
        glow = (1.0 if position == 1 else _UPBEAT) * math.exp(-age_s / _FADE_S)
        return Instant(position, int(self._bar_beats[beat]), int(self._bpm[beat]), glow)


def _bar_beats(marks: Marks) -> NDArray[np.int64]:
    """The greatest position in the bar of each beat; a bar cut short by the song is as long as the next."""
    bars = np.cumsum(marks.downbeats)
    greatest = np.zeros(bars[-1] + 1 if len(bars) else 0, np.int64)
    np.maximum.at(greatest, bars, marks.positions)
    if len(greatest) > 2:
        greatest[-1] = max(greatest[-1], greatest[-2])
        greatest[0] = max(greatest[0], greatest[1])
    return greatest[bars]


def _tempo(beats_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Beats per minute around each beat: the median over its neighbours."""
    if len(beats_s) < 2:
        return np.zeros(len(beats_s), np.int64)
    gaps = np.pad(np.diff(beats_s), (_TEMPO_BEATS // 2, _TEMPO_BEATS - _TEMPO_BEATS // 2), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(gaps, _TEMPO_BEATS)
    return np.rint(60 / np.median(around, axis=1)).astype(np.int64)
