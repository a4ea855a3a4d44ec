"""A few clips of a set to look at and to listen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ripieno.contracts import Performance
from ripieno.contracts.performance import PITCH

from ..show.scene import curve
from ..show.sound import link
from .folder import Clip

PLAYERS = 10
# Enough for a vibrato.
POINTS_PER_S = 60
FEWEST_SEMITONES = 20


@dataclass(frozen=True)
class Line:
    """A note: an SVG path in seconds from left to right and semitones from the top, and how it is played."""

    path: str
    articulation: str
    masked: bool


@dataclass(frozen=True)
class Player:
    """A clip with a picture of its pitch curves.

    Parameters
    ----------
    clip : Clip
    cont_url, audio_url : str
        Relative addresses; `audio_url` is empty where there is no recording.
    duration_s, low_midi, high_midi : float
        Of the picture.
    notes, masked : int
    lines : tuple of Line
    """

    clip: Clip
    cont_url: str
    audio_url: str
    duration_s: float
    low_midi: float
    high_midi: float
    notes: int
    masked: int
    lines: tuple[Line, ...]

    @property
    def octaves(self) -> list[float]:
        """Where every C stands, in semitones from the top."""
        first, last = int(np.ceil(self.low_midi / 12)), int(self.high_midi // 12)
        return [self.high_midi - 12 * octave for octave in range(first, last + 1)]


def choose(clips: Sequence[Clip], count: int = PLAYERS) -> tuple[Clip, ...]:
    """Clips evenly spread over the order of their seeds, which is that of chance; always the same ones."""
    in_order = sorted(clips, key=lambda clip: (clip.seed, clip.name))
    if len(in_order) <= count:
        return tuple(in_order)
    places = np.linspace(0, len(in_order) - 1, count).round().astype(int)
    return tuple(in_order[place] for place in places)


def picture(clip: Clip, performance: Performance, *, folder: Path) -> Player:
    """The player of a clip, for a page in `folder`."""
    pitches = [note.envelopes[PITCH].values for note in performance.notes if PITCH in note.envelopes]
    everything = np.concatenate(pitches) if pitches else np.array([60.0])
    low, high = float(np.floor(everything.min())) - 2, float(np.ceil(everything.max())) + 2
    room = max(0.0, FEWEST_SEMITONES - (high - low)) / 2
    low, high = low - room, high + room
    lines = []
    for note in performance.notes:
        if PITCH in note.envelopes:
            times_s, values = curve(note.envelopes[PITCH], note)
            most = 2 + int(POINTS_PER_S * note.duration_s)
            if times_s.size > most:
                grid_s = np.linspace(note.onset_s, note.offset_s, most)
                times_s, values = grid_s, np.interp(grid_s, times_s, values)
            points = "L".join(
                f"{time:.3f} {high - value:.2f}" for time, value in zip(times_s, values, strict=True)
            )
            lines.append(Line(f"M{points}", note.articulation, bool(note.masked)))
    return Player(
        clip,
        link(clip.cont, folder),
        link(clip.audio, folder) if clip.audio else "",
        performance.duration_s,
        low,
        high,
        len(performance.notes),
        sum(bool(note.masked) for note in performance.notes),
        tuple(lines),
    )
