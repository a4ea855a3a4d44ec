"""The piece of the first film: a score, and a small synthesiser that plays it.

Conventions
-----------
A bar is 4/4 and has 16 steps, of which the odd ones swing; step 0 is the first downbeat, after a pickup.
Sounds are mono float64 near unit peak; the mix is [frames, 2]. Pan runs from -1 (left) to 1 (right).
A chord is its bass note, then its upper voices, low to high; % holds it. A melody is NOTE/STEPS, - a rest.
Drums are one bar of kick, snare, hat and open hat, a stroke its strength, 1 to 9. A bass line is R root,
O octave, F fifth, A approach to the next chord, _ held. An arpeggio gives voices of the chord, 0 the lowest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]

SEED = 1723
RATE_HZ = 44_100
BPM = 112
BEAT_S = 60 / BPM
STEP_S = BEAT_S / 4
BAR_S = BEAT_S * 4
SWING_S = 0.13 * STEP_S
PICKUP_S = BEAT_S / 2
RING_S = 1.0
FADE_S = 2.0
MASTER_DB = -2.1
CEILING = 0.88
PITCH_CLASSES = {"C": 0, "Db": 1, "D": 2, "Eb": 3, "F": 5, "G": 7, "Ab": 8, "Bb": 10, "B": 11}


@dataclass(frozen=True)
class Section:
    """Bars of one colour: `fill` is the last bar's drums, `pump` how far the kick ducks the pads, 0 to 1."""

    label: str
    chords: tuple[str, ...]
    melody: str
    drums: str
    fill: str
    bass: str = ""
    arpeggio: str = ""
    pad_cutoff_hz: float = 900
    pad_db: float = -30
    pump: float = 0
    sung: bool = False


PICKUP = "Eb4/1 F4/1"
SCORE = (
    Section(
        "intro",
        chords=("Ab1 G3 Bb3 C4 Eb4", "Bb1 F3 Ab3 C4 Eb4"),
        melody="G4/6 F4/6 Eb4/4 F4/6 G4/6 Bb4/4",
        drums=". . 5..24..25..24.32 .",
        fill="............7..5 ..............35 5..24..25..24.32 .",
        arpeggio="0.2.1.3.2.1.3.2." * 2,
    ),
    Section(
        "verse",
        chords=(
            "C2 Bb3 D4 Eb4 G4",
            "G1 Bb3 D4 F4 G4",
            "Ab1 Bb3 C4 Eb4 G4",
            "Bb1 Ab3 C4 Eb4 G4|Bb1 Ab3 C4 D4 G4",
        ),
        melody="-/2 G4/1 Bb4/3 C5/4 Bb4/1 G4/5 -/2 F4/1 G4/3 Bb4/10 -/2 G4/1 Bb4/3 C5/4 Eb5/1 D5/3 C5/2 "
        "C5/3 Bb4/3 C5/4 -/2 Bb4/1 C5/1 D5/1 F5/1",
        drums="9.....4.8.3..... ....8..2.2..8..1 8.4.8.428.4.8.43 .",
        fill="9.....4.8....... ....8..22345567. 8.4.8.42 .",
        bass="R__...R_R.F__.A_" * 3 + "R__...R_R_R_RRR_",
        pad_cutoff_hz=1200,
        pad_db=-31,
        pump=0.2,
    ),
    Section(
        "chorus",
        chords=(
            "Ab1 C4 Eb4 G4 Bb4",
            "Bb1 C4 D4 F4 Ab4",
            "G1 Bb3 D4 F4 G4|B1 B3 D4 F4 Ab4",
            "C2 Bb3 D4 Eb4 G4|%|Bb1 Ab3 C4 Db4 F4|Eb2 G3 C4 Db4 F4",
        ),
        melody="Eb5/3 D5/3 Eb5/2 G5/4 F5/2 Eb5/2 D5/3 C5/3 D5/2 F5/6 Eb5/1 D5/1 "
        "Bb4/3 C5/3 D5/2 F5/3 D5/1 Ab5/2 G5/1 F5/1 G5/3 F5/3 Eb5/2 C5/3 Db5/1 F5/2 Eb5/1 Db5/1",
        drums="9...9...9...9..4 ....9..2.2..9..2 5363536353635363 ..7...7...7...7.",
        fill="9...9...9...9... ....9..2.2..9.57 53635363536353 ..7...7...7",
        bass="R_O.R_O_R.O.R_A_" * 4,
        arpeggio="0213021302130213" * 4,
        pad_cutoff_hz=4500,
        pad_db=-27,
        pump=0.6,
        sung=True,
    ),
    Section(
        "outro",
        chords=("Ab1 G3 Bb3 C4 Eb4", "Ab1 F3 Bb3 B3 Eb4", "Eb2 F3 G3 Bb3 D4"),
        melody="C5/6 Bb4/2 G4/4 Bb4/4 B4/6 Bb4/2 Ab4/4 F4/4 G4/16",
        drums="8.........5..... ............4... 5.2.4.2.5.2.4.2. .",
        fill="7 . . .",
        bass="R_______R_____F_" * 2 + "R" + "_" * 15,
        arpeggio="0.2.1.3.2.1.3.2." * 2 + "0123",
    ),
)


def main() -> None:
    """Write song.ogg, song.beats and song.lab beside this file."""
    song = Path(__file__).with_name("song.ogg")
    mix = compose()
    with soundfile.SoundFile(song, "w", RATE_HZ, 2, "VORBIS", format="OGG", compression_level=0.45) as file:
        # A long write overflows the stack of libsndfile's Vorbis encoder.
        for start in range(0, len(mix), RATE_HZ):
            file.write(mix[start : start + RATE_HZ])
    write_lines(song.with_suffix(".beats"), (f"{at_s:.6f}\t{place}" for at_s, place in beats()))
    rows = (f"{start_s:.6f}\t{end_s:.6f}\t{label}" for start_s, end_s, label in sections())
    write_lines(song.with_suffix(".lab"), rows)


def beats() -> list[tuple[float, int]]:
    """Time in seconds and place in the bar of each beat, up to the downbeat of the last bar."""
    count = 4 * (sum(len(section.chords) for section in SCORE) - 1) + 1
    return [(PICKUP_S + BEAT_S * beat, beat % 4 + 1) for beat in range(count)]


def sections() -> list[tuple[float, float, str]]:
    """Start and end in seconds and label; together they cover the file."""
    ends_s = [PICKUP_S + BAR_S * bars for bars in accumulate(len(section.chords) for section in SCORE)]
    ends_s[-1] += RING_S
    return list(zip([0.0, *ends_s[:-1]], ends_s, (section.label for section in SCORE), strict=True))


def compose() -> Sound:
    """The finished mix [frames, 2] at RATE_HZ, below CEILING; the same samples every time."""
    rng = np.random.default_rng(SEED)
    desk = Desk(round(sections()[-1][1] * RATE_HZ))
    play_melody(desk, PICKUP, -2, sung=False)
    first_step = 0
    for section in SCORE:
        play_section(desk, section, first_step, rng)
        first_step += 16 * len(section.chords)
    return master(desk, rng)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


class Desk:
    """Three stereo buses (steady, pumped, and the send to the room) and the gain that pumps."""

    def __init__(self, frames: int) -> None:
        self.steady, self.pumped, self.send = np.zeros((3, frames, 2))
        self.pump_gain = np.ones(frames)

    def play(
        self, sound: Sound, at_s: float, db: float, *, pan: float = 0, send: float = 0, pumped: bool = False
    ) -> None:
        start = round(at_s * RATE_HZ)
        angle = (pan + 1) * np.pi / 4
        panned = 10 ** (db / 20) * sound[: len(self.send) - start, None] * [np.cos(angle), np.sin(angle)]
        span = slice(start, start + len(panned))
        bus = self.pumped if pumped else self.steady
        bus[span] += panned
        self.send[span] += send * panned

    def pump(self, at_s: float, depth: float) -> None:
        start = round(at_s * RATE_HZ)
        self.pump_gain[start : start + RATE_HZ // 3] = 1 - depth * np.linspace(1, 0, RATE_HZ // 3) ** 1.5


def play_section(desk: Desk, section: Section, first_step: int, rng: Generator) -> None:
    chords = [chord for bar in section.chords for chord in chord_steps(bar)]
    for bar in range(len(section.chords)):
        drums = section.fill if bar == len(section.chords) - 1 else section.drums
        play_drums(desk, drums, section.pump, first_step + 16 * bar, rng)
    step = first_step
    for chord, run in groupby(chords):
        length = len(list(run))
        play_pad(desk, chord[1:], step, length, section, rng)
        step += length
    play_bass(desk, section.bass, chords, first_step)
    for step, voice in enumerate(section.arpeggio):
        if voice != ".":
            at_s = time_s(first_step + step) + rng.uniform(0, 0.004)
            sound = pluck(chords[step][1 + int(voice)] + 12)
            desk.play(sound, at_s, -17 - 4 * (step % 2), pan=0.7 * (-1) ** (step // 2), send=0.3)
    play_melody(desk, section.melody, first_step, sung=section.sung)
    if section.sung:
        swell = noise(BAR_S / 2, np.inf, 1500, 9000, rng) * np.linspace(0, 1, round(BAR_S / 2 * RATE_HZ)) ** 3
        desk.play(swell, time_s(first_step) - BAR_S / 2, -18, send=0.3)
        for pan in (-0.7, 0.7):
            desk.play(noise(2.5, 0.5, 3500, 14000, rng), time_s(first_step), -18, pan=pan, send=0.2)


def play_drums(desk: Desk, drums: str, pump: float, first_step: int, rng: Generator) -> None:
    kicks, snares, hats, open_hats = (strokes(lane, first_step) for lane in drums.split())
    for at_s, db in kicks:
        desk.play(kick(), at_s, -3 + db)
        desk.pump(at_s, pump)
    for at_s, db in snares:
        desk.play(snare(rng), at_s, -6 + db, pan=0.05, send=0.15)
        if db == 0:
            for pan in (-0.6, 0.6):
                desk.play(noise(0.25, 0.05, 1000, 7000, rng), at_s + 0.008, -12, pan=pan, send=0.3)
    for at_s, db in hats:
        late_s = rng.uniform(0, 0.003)
        desk.play(noise(0.12, 0.025, 6500, 15000, rng), at_s + late_s, -6 + db, pan=0.35, send=0.03)
    for at_s, db in open_hats:
        desk.play(noise(0.25, 0.12, 6000, 15000, rng), at_s, -11 + db, pan=-0.35, send=0.05)


def play_pad(desk: Desk, voices: list[int], step: int, length: int, section: Section, rng: Generator) -> None:
    for voice in voices:
        for pan, cents in ((-0.9, -6), (0, 0), (0.9, 6)):
            sound = pad(voice + cents / 100, length * STEP_S, section.pad_cutoff_hz, rng)
            desk.play(sound, time_s(step), section.pad_db, pan=pan, send=0.4, pumped=True)


def play_bass(desk: Desk, line: str, chords: list[list[int]], first_step: int) -> None:
    for step, letter in enumerate(line):
        if letter in "._":
            continue
        root, target = chords[step][0], chords[(step + 2) % len(chords)][0]
        pitch = {"R": root, "O": root + 12, "F": root + 7, "A": target - np.sign(target - root)}[letter]
        tail = line[step + 1 :]
        length = 1 + len(tail) - len(tail.lstrip("_"))
        desk.play(bass(pitch, length * STEP_S), time_s(first_step + step), -8, pumped=True)


def play_melody(desk: Desk, melody: str, step: int, *, sung: bool) -> None:
    for note in melody.split():
        name, length = note.split("/")
        if name != "-":
            play_lead(desk, midi(name), time_s(step), int(length) * STEP_S, sung=sung)
        step += int(length)


def play_lead(desk: Desk, pitch: int, at_s: float, length_s: float, *, sung: bool) -> None:
    desk.play(pluck(pitch), at_s, -10.5, send=0.25)
    for echo in (1, 2, 3):
        desk.play(pluck(pitch), at_s + 3 * echo * STEP_S, -16 - 6 * echo, pan=0.8 * (-1) ** echo, send=0.4)
    if sung:
        for pan, cents in ((-0.5, -4), (0.5, 4)):
            desk.play(reed(pitch + cents / 100, length_s), at_s, -17.5, pan=pan, send=0.3)


def master(desk: Desk, rng: Generator) -> Sound:
    unclicked = np.convolve(desk.pump_gain, np.ones(200) / 200, "same")
    mix = desk.steady + desk.pumped * unclicked[:, None] + reverb(desk.send, rng)
    mix = 10 ** (MASTER_DB / 20) * band(mix, 28, 18000)
    fade = np.linspace(1, 0, round(FADE_S * RATE_HZ))
    mix[-len(fade) :] *= (fade**2)[:, None]
    return mix / (1 + np.abs(mix / CEILING) ** 6) ** (1 / 6)


def reverb(send: Sound, rng: Generator) -> Sound:
    """A room of decaying noise after a short pre-delay, its highs shorter than its lows."""
    t = times(2.2)[:, None]
    white = rng.standard_normal((len(t), 2))
    rings = ((220, 900, 1.7), (900, 3500, 1.3), (3500, 9000, 0.7))
    room = sum(band(white, low_hz, high_hz) * 10 ** (-3 * t / rt60_s) for low_hz, high_hz, rt60_s in rings)
    room = np.pad(room / np.sqrt(np.sum(room**2, axis=0)), ((RATE_HZ // 50, 0), (0, 0)))
    size = len(send) + len(room)
    wet = np.fft.irfft(np.fft.rfft(send, size, axis=0) * np.fft.rfft(room, size, axis=0), size, axis=0)
    return wet[: len(send)]


@cache
def pluck(pitch: float) -> Sound:
    """A plucked string: partials weighted by where it is plucked, the upper ones sharper and gone sooner."""
    t, f = times(1.2), hertz(pitch)
    levels = (np.sin(0.66 * k) / k * np.exp(-t * (2.5 + 0.45 * k**1.4)) for k in range(1, 15))
    partials = (level * sine(f * k * (1 + 1e-4 * k * k), t) for k, level in enumerate(levels, 1))
    return shaped(sum(partials), 0.002, 0.2)


def reed(pitch: float, length_s: float) -> Sound:
    """Two-operator FM: an index that falls from a bright attack, and a vibrato that comes late."""
    t = times(length_s + 0.12)
    vibrato = 0.05 * np.clip((t - 0.18) / 0.3, 0, 1) * sine(5.4, t)
    index = 0.7 + 1.8 * np.exp(-t / 0.15)
    return shaped(np.sin(2 * np.pi * hertz(pitch) * t + vibrato + index * sine(hertz(pitch), t)), 0.012, 0.12)


def bass(pitch: float, length_s: float) -> Sound:
    t = times(length_s + 0.04)
    partials = (np.exp(-t * (0.6 + 1.6 * k)) * sine(hertz(pitch) * k, t) / k for k in range(1, 10))
    return shaped(np.tanh(1.5 * sum(partials)), 0.004, 0.05)


def pad(pitch: float, length_s: float, cutoff_hz: float, rng: Generator) -> Sound:
    """A sawtooth of free phases behind a gentle low-pass, read from a table of one cycle."""
    turns, cycle = np.linspace(0, 1, 2049), np.zeros(2049)
    for k in range(1, 21):
        level = 1 / (k * (1 + (k * hertz(pitch) / cutoff_hz) ** 2))
        cycle += level * np.sin(2 * np.pi * (k * turns + rng.random()))
    return shaped(np.interp(hertz(pitch) * times(length_s + 0.35) % 1, turns, cycle), 0.09, 0.35)


def kick() -> Sound:
    t = times(0.35)
    body = np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.13)
    return shaped(body + 0.25 * sine(2100, t) * np.exp(-t / 0.003), 0.001, 0.05)


def snare(rng: Generator) -> Sound:
    t = times(0.25)
    head = sine(192, t) * np.exp(-t / 0.06) + 0.5 * sine(331, t) * np.exp(-t / 0.03)
    return shaped(0.5 * head, 0.001, 0.05) + noise(0.25, 0.07, 1500, 11000, rng)


def noise(length_s: float, decay_s: float, low_hz: float, high_hz: float, rng: Generator) -> Sound:
    white = rng.standard_normal((round(length_s * RATE_HZ), 1))
    sound = band(white, low_hz, high_hz)[:, 0]
    return shaped(0.3 * sound / sound.std() * np.exp(-times(length_s) / decay_s), 0.001, 0.03)


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


def hertz(pitch_midi: float) -> float:
    return 440 * 2 ** ((pitch_midi - 69) / 12)


def midi(name: str) -> int:
    return PITCH_CLASSES[name[:-1]] + 12 * (int(name[-1]) + 1)


def time_s(step: int) -> float:
    return PICKUP_S + step * STEP_S + SWING_S * (step % 2)


def strokes(pattern: str, first_step: int) -> Iterator[tuple[float, float]]:
    """Time in seconds and level in decibels of each stroke, 0 dB for strength 9."""
    for step, strength in enumerate(pattern):
        if strength != ".":
            yield time_s(first_step + step), 20 * np.log10(int(strength) / 9)


def chord_steps(bar: str) -> list[list[int]]:
    """The chord that sounds at each of a bar's sixteen steps."""
    symbols = bar.split("|")
    chords: list[list[int]] = []
    for symbol in symbols:
        chord = chords[-1] if symbol.strip() == "%" else [midi(name) for name in symbol.split()]
        chords += [chord] * (16 // len(symbols))
    return chords


if __name__ == "__main__":
    main()
