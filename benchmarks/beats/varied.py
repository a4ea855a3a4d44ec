"""Clips of every kind to tune on, drawn from a seed; none shares its seed with the twelve.

What is drawn is a `Song`, apart from how it is played, so that it can be written down, or played by others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ripieno.contracts import Audio, Beats

from .clips import Clip
from .effects import Recording, recorded
from .instruments import DRUMS, RATE_HZ, VOICES, Colour
from .mixing import Desk, Room, mixed
from .patterns import MAJOR, MINOR, Groove, Harmony, Players, accompaniment, fill, harmony, melody
from .score import Grid, Span, Stroke, performed, without
from .styles import STYLES, Style

T = TypeVar("T")
PROGRESSIONS = (
    (1, 5, 6, 4),
    (1, 6, 4, 5),
    (6, 4, 1, 5),
    (1, 4, 1, 5),
    (2, 5, 1, 6),
    (1, 4, 5, 5),
    (1, 7, 6, 7),
    (1, 3, 4, 5, 6, 3, 4, 5),
    (1, 1, 4, 1, 5, 4, 1, 5),
    (1, 4),
    (1,),
)
SWAPS = {
    "hat": ("hat", "hat", "shaker", "ride", "tambourine"),
    "snare": ("snare", "snare", "snare", "clap", "rim", "brush"),
}


@dataclass(frozen=True)
class Song:
    """All that is drawn of a clip before it is played."""

    style: Style
    grid: Grid
    duration_s: float
    groove: Groove
    harmony: Harmony
    players: Players
    lead: str
    busy: float
    fill_bars: int
    drumless: tuple[Span, ...] = ()
    breaks: tuple[Span, ...] = ()
    jitter_s: float = 0.003
    late_s: dict[str, float] = field(default_factory=dict)


def varied(count: int, seed: int, *, metres: Sequence[int] = (2, 3, 4)) -> Iterator[Clip]:
    """Clips of 25 to 30 s.

    Parameters
    ----------
    count, seed : int
        Clip i of a seed is the same whatever the count.
    metres : sequence of int
        Beats a bar that are drawn from: 2 to 5, and 7.
    """
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        song = draw(rng, metres=metres)
        strokes = played(song, rng)
        sound = mixed(strokes, song.duration_s, rng, desk=_desk(rng))
        sound = recorded(sound, Recording.draw(rng), rng)
        beats = Beats(song.grid.times_s[:-1], song.grid.positions)
        breaks_s = tuple((song.grid.time_s(start), song.grid.time_s(end)) for start, end in song.breaks)
        name = f"{index:03d}_{song.style.name.replace(' ', '_')}"
        yield Clip(name, Audio(sound.astype(np.float32), RATE_HZ), beats, breaks_s)


def draw(rng: Generator, *, metres: Sequence[int] = (2, 3, 4)) -> Song:
    """A song of a style in one of these metres."""
    style = _style(metres, rng)
    duration_s = rng.uniform(25, 30)
    groove = _changed(_pick(style.grooves, rng), rng)
    # Where no one else plays, someone sings.
    lead = _pick(style.leads, rng) or ("" if groove.drums or groove.bass or groove.chords else "vocal")
    grid = _grid(style, duration_s, rng, pickup=bool(lead) and rng.random() < 0.3)
    alone = not (lead or groove.bass or groove.chords)
    return Song(
        style,
        grid,
        duration_s,
        groove,
        _harmony(grid.beats_per_bar, rng),
        Players(_pick(style.basses, rng), _pick(style.chords, rng)),
        lead,
        busy=rng.random(),
        fill_bars=_pick((4, 8, 8, 99), rng),
        drumless=() if alone else _drumless(grid, rng),
        breaks=_breaks(grid, rng),
        jitter_s=rng.uniform(0.0005, 0.01),
        late_s={voice: rng.normal(0, 0.005) for voice in sorted(VOICES)},
    )


def played(song: Song, rng: Generator) -> list[Stroke]:
    """What the players of a song play."""
    notes = list(accompaniment(song.groove, song.harmony, song.grid, players=song.players))
    if song.groove.drums:
        for bar in range(song.fill_bars - 1, max(song.grid.bars), song.fill_bars):
            notes += fill(bar, song.grid, rng)
    notes = list(without(notes, song.drumless, voices=DRUMS))
    if song.lead:
        notes += melody(song.harmony, song.grid, rng, voice=song.lead, busy=song.busy)
    kept = without(notes, song.breaks)
    return performed(kept, song.grid, rng, jitter_s=song.jitter_s, late_s=song.late_s)


def _style(metres: Sequence[int], rng: Generator) -> Style:
    styles = [style for style in STYLES if style.beats_per_bar in metres]
    weights = np.array([style.weight for style in styles])
    return styles[int(rng.choice(len(styles), p=weights / weights.sum()))]


def _harmony(beats_per_bar: int, rng: Generator) -> Harmony:
    """Chords that last a bar, now and then two; or half a bar, where it has halves."""
    bars = _pick((1, 1, 1, 1, 2, 0.5 if beats_per_bar == 4 else 1), rng)
    return harmony(
        _pick(PROGRESSIONS, rng),
        tonic=int(rng.integers(24, 36)),
        beats_each=bars * beats_per_bar,
        scale=_pick((MAJOR, MINOR), rng),
        voices=int(rng.integers(3, 5)),
    )


def _grid(style: Style, duration_s: float, rng: Generator, *, pickup: bool) -> Grid:
    slowest_bpm, fastest_bpm = style.tempo_bpm
    tempo_bpm = slowest_bpm * (fastest_bpm / slowest_bpm) ** rng.random()
    start_s = rng.choice((rng.uniform(0, 0.3), rng.uniform(0.3, 2)))
    course = _course(round(duration_s * tempo_bpm / 60), style.rubato, rng)
    times_s = start_s + np.concatenate(([0], np.cumsum(60 / (tempo_bpm * course))))
    times_s = times_s[times_s < duration_s - 0.2]
    before = int(rng.integers(1, style.beats_per_bar)) if pickup else 0
    return Grid(times_s, style.beats_per_bar, before, rng.uniform(*style.swing))


def _course(beats: int, rubato: float, rng: Generator) -> NDArray[np.float64]:
    """Tempo beat by beat, as a factor: kept, drifting, ramping or stepping."""
    kind = rng.choice(("kept", "drifting", "ramping", "stepping"), p=(0.4, 0.44, 0.08, 0.08))
    course = np.ones(beats)
    if kind == "ramping":
        course = np.interp(np.arange(beats), (beats / 4, 3 * beats / 4), (1, rng.uniform(0.75, 1.35)))
    if kind == "stepping":
        course[round(beats * rng.uniform(0.3, 0.7)) :] = rng.uniform(0.75, 1.35)
    if kind == "drifting":
        # A walk that is pulled back to the tempo, smooth over a few beats.
        pulls = np.convolve(rng.standard_normal(beats + 6), np.ones(7) / 7, "valid")
        course = np.clip(1 + rng.uniform(0.005, 0.02) * rubato * pulls / pulls.std(), 0.9, 1.1)
    # Where it got faster there is room for more, at the last tempo.
    return np.concatenate((course, np.full(beats, course[-1])))


def _changed(groove: Groove, rng: Generator) -> Groove:
    """A groove as another drummer would play it: sounds swapped, lanes left out, strokes lost and gained."""
    lanes = {}
    for voice, lane in groove.drums.items():
        if len(groove.drums) > 2 and rng.random() < 0.12:
            continue
        lanes[str(rng.choice(SWAPS.get(voice, (voice,))))] = "".join(_struck(letter, rng) for letter in lane)
    chords = groove.chords if rng.random() < 0.85 or not groove.bass else ""
    bass = groove.bass if rng.random() < 0.9 or not chords else ""
    return replace(groove, drums=lanes, bass=bass, chords=chords)


def _struck(letter: str, rng: Generator) -> str:
    chance = rng.random()
    if letter.isdigit() and chance < 0.04:
        return "."
    if letter == "." and chance < 0.03:
        return str(rng.integers(2, 6))
    return letter


def _drumless(grid: Grid, rng: Generator) -> tuple[Span, ...]:
    """An intro without drums, or a passage."""
    bars = int(rng.integers(2, 5))
    if rng.random() < 0.25:
        return ((-grid.pickup, bars * grid.beats_per_bar),)
    if rng.random() < 0.15:
        start = int(rng.integers(0, max(1, max(grid.bars) - bars)))
        return ((start * grid.beats_per_bar, (start + bars) * grid.beats_per_bar),)
    return ()


def _breaks(grid: Grid, rng: Generator) -> tuple[Span, ...]:
    """Spans of one to eight beats in which no one plays, well apart, in one song of five."""
    if rng.random() > 0.2:
        return ()
    starts = range(int(rng.integers(10, 20)), grid.end - 10, int(rng.integers(16, 28)))
    return tuple((start, start + int(rng.integers(1, 9))) for start in starts)


def _desk(rng: Generator) -> Desk:
    """Colours and levels of the voices, and the room."""
    low, high = np.log(0.75), np.log(1.33)
    colours = {voice: Colour(*np.exp(rng.uniform(low, high, 3))) for voice in sorted(VOICES)}
    gains_db = {voice: rng.normal(0, 2.5) for voice in sorted(VOICES)}
    room = Room(rt60_s=float(np.exp(rng.uniform(np.log(0.25), np.log(2.5)))), level_db=rng.uniform(-12, 6))
    return Desk(colours, gains_db, room)


def _pick(choices: Sequence[T], rng: Generator) -> T:
    return choices[int(rng.integers(len(choices)))]
