"""The three pieces of this album: scores, and a small synthesiser that plays them.

Conventions
-----------
A bar is 4/4 and has 16 steps. Sounds are mono float64 near unit peak; a mix is [frames, 2]. Pan runs from -1 (left)
to 1 (right). A chord is its bass note, then its upper voices, low to high. A lane of drums is one character a step:
a stroke its strength, 1 to 9, and . nothing. A melody is NOTE/STEPS, - a rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]

FOLDER = Path(__file__).parent / "album"
RATE_HZ = 44_100
CEILING = 0.86
NOTES = {
    "C": 0,
    "Db": 1,
    "D": 2,
    "Eb": 3,
    "E": 4,
    "F": 5,
    "Gb": 6,
    "G": 7,
    "Ab": 8,
    "A": 9,
    "Bb": 10,
    "B": 11,
}


@dataclass(frozen=True)
class Piece:
    """A piece; `swing` is how late odd steps are, `master_db` brings it to -14 LUFS, `room_s` its reverberation."""

    name: str
    bpm: float
    bars: int
    play: Callable[["Desk"], None]
    seed: int
    tail_s: float = 2.5
    swing: float = 0.0
    master_db: float = 0.0
    room_s: float = 2.0


class Desk:
    """A bus that stands, one that the kick ducks, what is sent to the room, and where steps are in time."""

    def __init__(self, piece: Piece) -> None:
        self.piece, self.rng = piece, np.random.default_rng(piece.seed)
        self.step_s = 60 / piece.bpm / 4
        self.frames = round((piece.bars * 16 * self.step_s + piece.tail_s) * RATE_HZ)
        self.steady, self.ducked, self.send = np.zeros((3, self.frames, 2))
        self.gain = np.ones(self.frames)

    def at(self, step: float) -> float:
        """Seconds of a step."""
        return (step + self.piece.swing * (int(step) % 2)) * self.step_s

    def put(
        self, sound: Sound, at_s: float, db: float, *, pan: float = 0, send: float = 0.1, ducked: bool = False
    ) -> None:
        start = max(0, round(at_s * RATE_HZ))
        angle = (pan + 1) * np.pi / 4
        panned = 10 ** (db / 20) * sound[: max(0, self.frames - start), None] * [np.cos(angle), np.sin(angle)]
        span = slice(start, start + len(panned))
        (self.ducked if ducked else self.steady)[span] += panned
        self.send[span] += send * panned

    def duck(self, at_s: float, depth: float, length_s: float = 0.3) -> None:
        start, length = round(at_s * RATE_HZ), round(length_s * RATE_HZ)
        part = self.gain[start : start + length]
        part[:] = np.minimum(part, 1 - depth * np.linspace(1, 0, length)[: len(part)] ** 1.5)

    def lane(self, strokes: str, bar: int) -> Iterator[tuple[float, float]]:
        """Seconds and decibels of a bar's strokes."""
        for step, strength in enumerate(strokes):
            if strength != ".":
                yield self.at(bar * 16 + step), 20 * np.log10(int(strength) / 9)

    def drums(
        self, bars: range, *, kick: str, snare: str, hat: str, depth: float = 0.0, kit: str = "house"
    ) -> None:
        for bar in bars:
            for at_s, db in self.lane(kick, bar):
                self.put(boom(soft=kit == "soft"), at_s, -3.5 + db, send=0.02)
                self.duck(at_s, depth)
            for at_s, db in self.lane(snare, bar):
                self.put(crack(self.rng, kit), at_s, -8 + db, pan=0.06, send=0.22)
            for at_s, db in self.lane(hat, bar):
                length_s, level_db = {"soft": (0.045, -9), "house": (0.05, -13), "hard": (0.03, -9)}[kit]
                late_s = self.rng.uniform(0, 0.004)
                self.put(
                    hiss(self.rng, 4 * length_s, length_s, 7000),
                    at_s + late_s,
                    level_db + db,
                    pan=0.3,
                    send=0.05,
                )

    def melody(
        self, line: str, step: float, voice: Callable[[float, float], Sound], db: float, **put: float
    ) -> None:
        for note in line.split():
            name, length = note.split("/")
            if name != "-":
                self.put(voice(midi(name), float(length) * self.step_s), self.at(step), db, **put)
            step += float(length)

    def pad(
        self, chord: list[int], step: float, steps: float, db: float, cutoff_hz: float, **put: float
    ) -> None:
        for pitch in chord[1:]:
            for pan, cents in ((-0.85, -7), (0.1, 1), (0.85, 6)):
                sound = saw(pitch + cents / 100, steps * self.step_s + 0.5, cutoff_hz, self.rng)
                self.put(
                    shaped(sound, 0.25, 0.6),
                    self.at(step),
                    db,
                    pan=pan,
                    **{"send": 0.35, "ducked": True, **put},
                )

    def mixed(self) -> Sound:
        smooth = np.convolve(self.gain, np.hanning(300) / np.hanning(300).sum(), "same")[:, None]
        mix = self.steady + self.ducked * smooth + room(self.send, self.piece.room_s, self.rng)
        fade = np.linspace(1, 0, round(self.piece.tail_s * RATE_HZ))[:, None] ** 1.5
        mix = 10 ** (self.piece.master_db / 20) * band(mix, 28, 17_500)
        mix[-len(fade) :] *= fade
        return mix / (1 + np.abs(mix / CEILING) ** 6) ** (1 / 6)


def low_tide(desk: Desk) -> None:
    """Night at the sea: slow electric piano, a low drum, a bell that answers."""
    chords = chords_of("D2 F3 A3 C4 E4|Bb1 F3 A3 C4 D4|F2 E3 G3 A3 C4|C2 E3 G3 A3 D4") * 2
    for bar, chord in enumerate(chords):
        desk.pad(chord, 16 * bar, 16, -31 + min(bar, 4), 700 + 260 * bar)
        for step, voice in zip((0, 4, 6, 10, 12), (1, 3, 2, 4, 3), strict=True):
            late_s = desk.rng.uniform(0, 0.012)
            sound = keys(chord[voice] + 12 * (step == 10), 1.8)
            desk.put(sound, desk.at(16 * bar + step) + late_s, -13 - 3 * (step % 2), pan=-0.3, send=0.45)
        wave = hiss(desk.rng, 5.0, 9.0, 260, high_hz=2600) * np.sin(np.linspace(0, np.pi, 5 * RATE_HZ)) ** 2
        desk.put(wave, desk.at(16 * bar) - 1.5, -19 + 2 * (bar % 2), pan=0.7 * (-1) ** bar, send=0.3)
        if bar >= 2:
            for step, up in ((0, 0), (7, 0), (10, 7), (14, 12)):
                desk.put(
                    sub(chord[0] + up, 3.2 * desk.step_s), desk.at(16 * bar + step), -8, ducked=True, send=0
                )
    desk.drums(range(2, 4), kick="9.......6.......", snare=".", hat="3.2.4.2.3.2.4.25", depth=0.3, kit="soft")
    desk.drums(
        range(4, 8),
        kick="9.....4.8..5....",
        snare="....7.......8..2",
        hat="4.2.5.2.4.2.5.36",
        depth=0.35,
        kit="soft",
    )
    bell = "A5/6 G5/2 E5/8 F5/4 E5/2 D5/2 C5/8 A4/4 C5/4 E5/4 G5/4 D5/10 E5/2 F5/2 G5/2"
    desk.melody(bell, 32, glass, -13.5, pan=0.35, send=0.6)
    desk.melody(
        "A5/6 C6/2 B5/8 A5/4 F5/2 E5/2 D5/8 E5/4 G5/4 A5/4 C6/4 E5/12", 96, glass, -12.5, pan=0.35, send=0.6
    )
    desk.melody("A4/16 F4/16 E4/16 D4/12", 96, choir, -19, send=0.5)


def glass_garden(desk: Desk) -> None:
    """Morning: a bright arpeggio over four on the floor, and a lead that opens at the end."""
    chords = chords_of("A1 Db4 E4 Ab4 B4|Gb1 A3 Db4 E4 B4|D2 Gb3 A3 Db4 E4|E2 Ab3 B3 Gb4 A4") * 3
    order = (0, 2, 1, 3, 2, 0, 3, 1)
    for bar, chord in enumerate(chords):
        desk.pad(chord, 16 * bar, 16, -30 if bar < 8 else -26.5, 500 + 420 * bar, send=0.25)
        for step in range(16):
            pitch = chord[1 + order[step % 8]] + 12 * (1 + (step % 8 == 7))
            db = -17 - 5 * (step % 2) + (-4 + bar if bar < 4 else 0)
            desk.put(
                string(pitch), desk.at(16 * bar + step), db, pan=0.75 * np.sin(step), send=0.25, ducked=True
            )
        if bar >= 4:
            for step, up in ((2, 0), (5, 12), (6, 0), (10, 0), (13, 7), (14, 12)):
                desk.put(
                    low(chord[0] + up, 1.6 * desk.step_s), desk.at(16 * bar + step), -8.5, ducked=True, send=0
                )
    floor = "9...9...9...9..."
    desk.drums(range(2, 4), kick=floor, snare=".", hat="..4...4...4...46", depth=0.5)
    desk.drums(range(4, 7), kick=floor, snare="....8.......8...", hat="2.7.2.7.2.7.2.73", depth=0.6)
    desk.drums(
        range(7, 8), kick="9...9...9.......", snare="....8...3.4.5678", hat="2.7.2.7.........", depth=0.6
    )
    desk.drums(range(8, 12), kick=floor, snare="....9..2....9.3.", hat="2373237323732375", depth=0.65)
    rise = hiss(desk.rng, 2.0, 99, 900) * np.linspace(0, 1, 2 * RATE_HZ) ** 3
    desk.put(rise, desk.at(128) - 2.0, -14, send=0.4)
    for pan in (-0.8, 0.8):
        desk.put(hiss(desk.rng, 3.0, 0.7, 3000), desk.at(128), -15, pan=pan, send=0.3)
    lead = (
        "E5/3 Ab5/3 B5/2 Db6/4 B5/2 Ab5/2 Gb5/3 A5/3 Db6/2 E6/6 Db6/2 "
        "D6/3 Db6/3 A5/2 Gb5/4 A5/2 Db6/2 B5/6 Ab5/2 B5/2 E6/6"
    )
    for pan, cents in ((-0.5, -5), (0.5, 5)):
        desk.melody(lead, 128, lambda pitch, s, c=cents: reed(pitch + c / 100, s), -16.5, pan=pan, send=0.35)
    desk.melody(lead, 131, lambda pitch, _: string(pitch), -21, pan=0.6, send=0.5)


def faultline(desk: Desk) -> None:
    """Under ground: a beat that stumbles, a bass that growls, and everything tears now and then."""
    chords = chords_of("E1 G3 B3 E4 Gb4|E1 G3 B3 D4 Gb4|F1 A3 C4 E4 G4|D1 A3 D4 F4 A4") * 4
    for bar, chord in enumerate(chords[: desk.piece.bars]):
        quiet = bar < 2 or bar in (6, 7)
        if not bar % 2:
            desk.pad(chord, 16 * bar, 32, -29, 420 if not quiet else 900, send=0.5)
        for step in (3, 11) if quiet else (6,):
            desk.put(
                metal(chord[3] + 12, 1.4), desk.at(16 * bar + step), -19, pan=(-1) ** bar * 0.6, send=0.7
            )
        if not quiet:
            for step, length, up in ((0, 4, 0), (4, 2, 0), (7, 1, 12), (8, 4, 0), (12, 2, 0), (14, 2, 1)):
                sound = growl(chord[0] + 12 + up, length * desk.step_s, 2 + (step // 2 + bar) % 5)
                desk.put(sound, desk.at(16 * bar + step), -10.5, ducked=True, send=0.06)
                desk.put(
                    sub(chord[0] + 12 + up, length * desk.step_s),
                    desk.at(16 * bar + step),
                    -10,
                    ducked=True,
                    send=0,
                )
    beat = {
        "kick": "9..3....4..8....",
        "snare": "....9.......9..3",
        "hat": "6.3.6.3.6.3.6.34",
        "depth": 0.7,
        "kit": "hard",
    }
    desk.drums(range(2, 6), **beat)
    desk.drums(
        range(8, 14),
        **{**beat, "kick": "9..3..6.7..8....", "snare": "....9..2....9.35", "hat": "6233623362336245"},
    )
    desk.melody("B5/8 Gb5/4 G5/4 E5/12 -/4", 96, glass, -14, send=0.8)
    line = "E5/3 -/3 G5/2 Gb5/4 B4/4 E5/6 D5/2 B4/8 F5/3 -/3 A5/2 G5/4 C5/4 F5/2 E5/2 D5/4 A4/8"
    desk.melody(line, 128, lambda pitch, s: np.tanh(2.5 * reed(pitch, s)), -18, pan=-0.2, send=0.3)
    desk.melody(
        "E5/3 -/3 G5/2 Gb5/4 B5/4 E6/16", 192, lambda pitch, s: np.tanh(2.5 * reed(pitch, s)), -18, send=0.3
    )
    swell = hiss(desk.rng, 2.4, 99, 200, high_hz=5000) * np.linspace(0, 1, round(2.4 * RATE_HZ)) ** 4
    for step in (32, 128):
        desk.put(swell, desk.at(step) - 2.4, -13, send=0.3)
    for step, slices in ((92, 4), (124, 8), (188, 4), (220, 8)):
        tear(desk, step, slices)


def tear(desk: Desk, step: int, slices: int) -> None:
    """Repeat the first slice of four steps until they are over."""
    start, length = round(desk.at(step) * RATE_HZ), round(4 * desk.step_s * RATE_HZ / slices)
    for bus in (desk.steady, desk.ducked):
        piece = bus[start : start + length] * shaped(np.ones(length), 0.002, 0.002)[:, None]
        for index in range(slices):
            bus[start + index * length : start + (index + 1) * length] = piece * (1 - 0.5 * index / slices)


PIECES = (
    Piece("low-tide", 76, 8, low_tide, seed=11, tail_s=3.0, swing=0.12, master_db=-3.5, room_s=2.8),
    Piece("glass-garden", 118, 12, glass_garden, seed=23, tail_s=2.0, master_db=-1.8, room_s=1.6),
    Piece("faultline", 140, 14, faultline, seed=37, tail_s=2.4, master_db=-3.6, room_s=2.2),
)


def main() -> None:
    """Write album/NAME.ogg."""
    FOLDER.mkdir(exist_ok=True)
    for piece in PIECES:
        write(FOLDER / f"{piece.name}.ogg", compose(piece))


def compose(piece: Piece) -> Sound:
    """The finished mix [frames, 2] at RATE_HZ, below CEILING; the same samples every time."""
    desk = Desk(piece)
    piece.play(desk)
    return desk.mixed()


def write(path: Path, mix: Sound) -> None:
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "VORBIS", format="OGG", compression_level=0.5) as file:
        # A long write overflows the stack of libsndfile's Vorbis encoder.
        for start in range(0, len(mix), RATE_HZ):
            file.write(mix[start : start + RATE_HZ])


def boom(*, soft: bool) -> Sound:
    t = times(0.42)
    body = np.sin(2 * np.pi * ((44 if soft else 49) * t + 4.2 * (1 - np.exp(-t / 0.028)))) * np.exp(-t / 0.15)
    click = 0.0 if soft else 0.3
    return shaped(body + click * sine(2300, t) * np.exp(-t / 0.003), 0.002 if soft else 0.0008, 0.06)


def crack(rng: Generator, kit: str) -> Sound:
    """A rim for the soft kit, claps for the house, a snare for the hard one."""
    if kit == "soft":
        t = times(0.12)
        return shaped(
            sine(1750, t) * np.exp(-t / 0.012) + 0.7 * sine(420, t) * np.exp(-t / 0.03), 0.0008, 0.02
        )
    if kit == "house":
        hits = [np.pad(hiss(rng, 0.3, 0.09 if last else 0.008, 900, high_hz=7000), (start, 0))
                for start, last in ((0, False), (420, False), (900, True))]  # fmt: skip
        return sum(np.pad(hit, (0, 900 - (len(hit) - len(hits[0])))) for hit in hits)
    t = times(0.3)
    head = sine(185, t) * np.exp(-t / 0.07) + 0.5 * sine(333, t) * np.exp(-t / 0.03)
    return np.tanh(1.6 * (0.7 * shaped(head, 0.0008, 0.05) + hiss(rng, 0.3, 0.09, 1300, high_hz=11_000)))


def hiss(rng: Generator, length_s: float, decay_s: float, low_hz: float, *, high_hz: float = 15_000) -> Sound:
    sound = band(rng.standard_normal((round(length_s * RATE_HZ), 1)), low_hz, high_hz)[:, 0]
    return shaped(
        0.35 * sound / sound.std() * np.exp(-times(length_s) / decay_s), 0.001, min(0.05, length_s / 4)
    )


def sub(pitch: float, length_s: float) -> Sound:
    t = times(length_s + 0.08)
    return shaped(np.tanh(1.4 * sine(hertz(pitch), t) + 0.15 * sine(2 * hertz(pitch), t)), 0.012, 0.09)


def low(pitch: float, length_s: float) -> Sound:
    t = times(length_s + 0.05)
    partials = (np.exp(-t * (0.8 + 2.2 * k)) * sine(hertz(pitch) * k, t) / k for k in range(1, 12))
    return shaped(np.tanh(1.6 * sum(partials)), 0.004, 0.05)


def growl(pitch: float, length_s: float, wobbles: int) -> Sound:
    """Two saws a few cents apart, behind a low-pass that opens `wobbles` times."""
    t = times(length_s + 0.04)
    opened = 250 + 1700 * np.abs(np.sin(np.pi * wobbles * t / length_s)) ** 2
    sound = np.zeros_like(t)
    for cents in (-12, 11):
        f = hertz(pitch + cents / 100)
        sound += sum(sine(f * k, t) / (k * (1 + (k * f / opened) ** 4)) for k in range(1, 40))
    return shaped(np.tanh(2.2 * sound), 0.006, 0.04)


def saw(pitch: float, length_s: float, cutoff_hz: float, rng: Generator) -> Sound:
    """A sawtooth of free phases behind a gentle low-pass, read from a table of one cycle."""
    turns = np.linspace(0, 1, 2049)
    cycle = sum(
        np.sin(2 * np.pi * (k * turns + rng.random())) / (k * (1 + (k * hertz(pitch) / cutoff_hz) ** 2))
        for k in range(1, 24)
    )
    return np.interp(hertz(pitch) * times(length_s) % 1, turns, cycle)


@cache
def keys(pitch: float, length_s: float) -> Sound:
    """An electric piano: FM with a tine in its attack."""
    t, f = times(length_s), hertz(pitch)
    body = np.sin(2 * np.pi * f * t + 1.1 * np.exp(-t / 0.35) * sine(f, t))
    return shaped((body + 0.28 * np.exp(-t / 0.07) * sine(14 * f, t)) * np.exp(-t / 0.7), 0.003, 0.3)


def glass(pitch: float, length_s: float) -> Sound:
    """A bell of four partials that are nearly in tune."""
    t, f = times(max(1.6, length_s + 1.0)), hertz(pitch)
    partials = ((1, 1.0, 0.9), (2.003, 0.35, 0.5), (2.997, 0.2, 0.3), (5.41, 0.12, 0.12))
    return shaped(
        sum(level * np.exp(-t / decay) * sine(f * k, t) for k, level, decay in partials), 0.004, 0.4
    )


def metal(pitch: float, length_s: float) -> Sound:
    t, f = times(length_s), hertz(pitch)
    return shaped(
        np.sin(2 * np.pi * f * t + 3 * np.exp(-t / 0.3) * sine(f * 1.414, t)) * np.exp(-t / 0.4), 0.002, 0.2
    )


@cache
def string(pitch: float) -> Sound:
    """Plucked: partials weighted by where it is plucked, the upper ones gone sooner."""
    t, f = times(0.9), hertz(pitch)
    partials = (
        np.sin(0.7 * k) / k * np.exp(-t * (3.2 + 0.6 * k**1.4)) * sine(f * k * (1 + 1e-4 * k * k), t)
        for k in range(1, 13)
        if f * k < 17_000
    )
    return shaped(sum(partials), 0.002, 0.2)


def reed(pitch: float, length_s: float) -> Sound:
    """FM whose index falls from a bright attack, and a vibrato that comes late."""
    t = times(length_s + 0.15)
    vibrato = 0.05 * np.clip((t - 0.2) / 0.3, 0, 1) * sine(5.3, t)
    index = 0.8 + 1.6 * np.exp(-t / 0.2)
    return shaped(np.sin(2 * np.pi * hertz(pitch) * t + vibrato + index * sine(hertz(pitch), t)), 0.015, 0.14)


def choir(pitch: float, length_s: float) -> Sound:
    """Saws through two formants of an open vowel."""
    t, f = times(length_s + 0.6), hertz(pitch)
    drift = 0.1 * sine(4.7, t)
    levels = (
        (k, sum(np.exp(-(((k * f - hz) / 130) ** 2)) for hz in (620, 1180)) + 0.15 / k) for k in range(1, 30)
    )
    return shaped(sum(level * np.sin(k * (2 * np.pi * f * t + drift)) for k, level in levels), 0.5, 0.7)


def room(send: Sound, length_s: float, rng: Generator) -> Sound:
    """Decaying noise after a short pre-delay, its highs shorter than its lows."""
    t = times(length_s * 1.3)[:, None]
    white = rng.standard_normal((len(t), 2))
    rings = ((200, 900, 1.0), (900, 3500, 0.8), (3500, 9500, 0.45))
    tail = sum(
        band(white, low_hz, high_hz) * 10 ** (-3 * t / (part * length_s)) for low_hz, high_hz, part in rings
    )
    tail = np.pad(tail / np.sqrt(np.sum(tail**2, axis=0)), ((RATE_HZ // 40, 0), (0, 0)))
    size = len(send) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(send, size, axis=0) * np.fft.rfft(tail, size, axis=0), size, axis=0)
    return wet[: len(send)]


def band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    """Zero-phase band-pass along the first axis, 24 dB per octave."""
    size = len(sound) + RATE_HZ // 10
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)[:, None]
    response = (hz / low_hz) ** 4 / np.sqrt((1 + (hz / low_hz) ** 8) * (1 + (hz / high_hz) ** 8))
    return np.fft.irfft(np.fft.rfft(sound, size, axis=0) * response, size, axis=0)[: len(sound)]


def shaped(sound: Sound, attack_s: float, release_s: float) -> Sound:
    t = times(len(sound) / RATE_HZ)
    return sound * np.minimum(1, t / attack_s) * np.minimum(1, t[::-1] / release_s)


def times(length_s: float) -> Sound:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def sine(hz: float, t: Sound) -> Sound:
    return np.sin(2 * np.pi * hz * t)


def hertz(pitch: float) -> float:
    return 440 * 2 ** ((pitch - 69) / 12)


def midi(name: str) -> int:
    return NOTES[name[:-1]] + 12 * (int(name[-1]) + 1)


def chords_of(text: str) -> list[list[int]]:
    return [[midi(name) for name in chord.split()] for chord in text.split("|")]


if __name__ == "__main__":
    main()
