"""Drums: grooves of sixteenths, with ghost notes, fills and kits of percussion.

Conventions
-----------
A groove is a mapping of General MIDI percussion keys to a bar of steps, four to a beat: ``x`` is a stroke,
``X`` an accent, ``o`` one that is played now and then. A bar of another length than 16 repeats the first beats.
"""

from collections.abc import Mapping

import numpy as np

from .harmony import Form
from .parts import Note

KICK, RIM, SNARE, CLAP, SNARE_2, LOW_TOM, CLOSED, HIGH_FLOOR, PEDAL = 36, 37, 38, 39, 40, 41, 42, 43, 44
TOM, OPEN, MID_TOM, CRASH, HIGH_TOM, RIDE, TAMBOURINE, COWBELL = 45, 46, 47, 49, 50, 51, 54, 56
BONGO, LOW_BONGO, MUTE_CONGA, CONGA, LOW_CONGA, CABASA, MARACAS = 60, 61, 62, 63, 64, 69, 70
CLAVES, WOOD, TRIANGLE, SHAKER = 75, 76, 81, 82
TOMS = (HIGH_TOM, MID_TOM, TOM, HIGH_FLOOR, LOW_TOM)

GROOVES: Mapping[str, Mapping[int, str]] = {
    "rock": {KICK: "X.......x.x.....", SNARE: "....X.......X...", CLOSED: "x.x.x.x.x.x.x.x."},
    "hard_rock": {KICK: "X..x..x.x..o..x.", SNARE: "....X.......X..o", OPEN: "X...x...X...x..."},
    "half_time": {KICK: "X.....o...x.....", SNARE: "........X.......", CLOSED: "x.x.x.x.x.x.x.xo"},
    "disco": {
        KICK: "X...x...X...x...",
        SNARE: "....X.......X...",
        OPEN: "..x...x...x...x.",
        CLOSED: "x...x...x...x...",
    },
    "four_floor": {KICK: "X...X...X...X...", CLAP: "....X.......X...", CLOSED: "..x.o.x...x.o.xo"},
    "breakbeat": {KICK: "X.x.......xx....", SNARE: "....X..x.x..X..x", CLOSED: "x.x.x.x.x.x.x.x."},
    "hip_hop": {KICK: "X.....x..ox.....", SNARE: "....X..o....X...", CLOSED: "x.xox.x.x.x.xox."},
    "trap": {KICK: "X......x..x.....", CLAP: "........X.......", CLOSED: "x.x.x.xxx.x.xxxx"},
    "bossa": {KICK: "x..xx..xx..xx..x", RIM: "x..x..x...x..x..", CLOSED: "xxxxxxxxxxxxxxxx"},
    "jazz": {
        RIDE: "X...x..xX...x..x",
        PEDAL: "....x.......x...",
        KICK: "o.......o..o...o",
        SNARE: ".o....o..o.....o",
    },
    "march": {SNARE: "X.xxX.xxX.xxXxxx", KICK: "X.......X.......", CRASH: "X..............."},
    "train": {SNARE: "xxXxxxXxxxXxxxXx", KICK: "X...x...X...x..."},
    "toms": {LOW_TOM: "X..x..x.X..x..x.", TOM: "..o..x....o..x.x", HIGH_TOM: "....o.......o.x."},
    "reggae": {KICK: "........X.......", RIM: "........X.......", CLOSED: "x.x.x.x.x.x.xox."},
    "latin": {
        CONGA: "..x...x...x...xx",
        MUTE_CONGA: "x...x...x.x.x...",
        CLAVES: "X..x..x...x.x...",
        MARACAS: "x.xxx.xxx.xxx.xx",
    },
    "shakers": {SHAKER: "x.Xxx.Xxx.Xxx.Xx", TAMBOURINE: "....x.......x..."},
    "hands": {BONGO: "x.xx..x.x.xx..xo", LOW_BONGO: "...x....x..x....", CABASA: "x.x.x.x.x.x.x.x."},
    "sparse": {KICK: "X...............", TRIANGLE: "........o.......", RIM: "............o..."},
    "cinematic": {LOW_TOM: "X...............", KICK: "X.........o.o...", CRASH: "o..............."},
    "claps": {CLAP: "....x.......x...", KICK: "X..x..x...x.....", WOOD: "o.o.o.o.o.o.o.o."},
}  # fmt: skip
KITS = {
    "standard": 0,
    "room": 8,
    "power": 16,
    "electronic": 24,
    "808": 25,
    "jazz": 32,
    "brush": 40,
    "orchestra": 48,
}
"""Programs of the percussion channel."""


def drums(form: Form, rng: np.random.Generator, *, groove: str) -> list[Note]:
    """A groove for the whole form, with ghost notes, and a fill or a crash every few bars."""
    steps = 4 * form.beats_per_bar
    ghosts = float(rng.choice([0, 0, 0.05, 0.12]))
    period = int(rng.choice([2, 4, 4, 8, 1000]))
    busy = float(rng.uniform(0.2, 0.7))
    notes: list[Note] = []
    for bar in range(form.bars):
        start = bar * form.beats_per_bar
        fill_from = steps - 4 * int(rng.integers(1, 3)) if bar % period == period - 1 else steps
        if period < 1000 and bar % period == 0 and rng.random() < 0.6:
            notes.append(Note(start, 1, CRASH, int(rng.integers(70, 110))))
        for key, pattern in GROOVES[groove].items():
            for step in range(fill_from):
                velocity = _stroke(pattern[step % 16], rng)
                if velocity:
                    notes.append(Note(start + step / 4, 0.2, key, velocity))
        for step in range(fill_from):
            if rng.random() < ghosts:
                notes.append(Note(start + step / 4, 0.2, SNARE, int(rng.integers(15, 40))))
        for step in range(fill_from, steps):
            if rng.random() < busy:
                key = (SNARE, *TOMS)[rng.integers(6)]
                notes.append(Note(start + step / 4, 0.2, key, int(rng.integers(60, 115))))
    return [note for note in notes if note.start < form.beats]


def _stroke(mark: str, rng: np.random.Generator) -> int:
    if mark == "." or (mark == "o" and rng.random() < 0.5):
        return 0
    return int(rng.integers(98, 122) if mark == "X" else rng.integers(62, 96))
