"""The recordings of this example: three voices, each over a bed of music made for it.

The voices are read by flite, which must be installed; the music is a score and a small synthesiser. Each
recording says in its name how much louder the voice is than the music, over the whole of it.

Conventions
-----------
Times are seconds, pitches MIDI numbers. Sounds are mono float64; the music is [frames, 2]. Pan runs from -1
(left) to 1 (right). A chord is its bass note and its upper voices, low to high.
"""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]

HERE = Path(__file__).parent
RATE_HZ = 44_100
PEAK = 0.7
LEAD_S, TAIL_S = 1.2, 1.6


@dataclass(frozen=True)
class Recording:
    """A voice over music; `snr_db` is their ratio of energies, `pace` flite's stretch of durations."""

    name: str
    voice: str
    text: str
    snr_db: float
    bed: Callable[["Desk", Generator], None]
    pace: float = 1.05


class Desk:
    """A stereo bus, and what of it is sent to a room."""

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self.dry, self.send = np.zeros((2, round(length_s * RATE_HZ), 2))

    def play(self, sound: Sound, at_s: float, db: float, *, pan: float = 0.0, send: float = 0.2) -> None:
        start = round(at_s * RATE_HZ)
        if start >= len(self.dry):
            return
        angle = (pan + 1) * np.pi / 4
        panned = 10 ** (db / 20) * sound[: len(self.dry) - start, None] * [np.cos(angle), np.sin(angle)]
        self.dry[start : start + len(panned)] += panned
        self.send[start : start + len(panned)] += send * panned

    def mixed(self, rng: Generator) -> Sound:
        fade = np.clip(times(self.length_s)[::-1] / TAIL_S, 0, 1)[:, None] ** 2
        return fade * (self.dry + room(self.send, rng))


def main() -> None:
    """Write mixes/*.ogg beside this file."""
    (HERE / "mixes").mkdir(exist_ok=True)
    for seed, recording in enumerate(RECORDINGS):
        voice = speak(recording)
        length_s = LEAD_S + len(voice) / RATE_HZ + TAIL_S
        rng = np.random.default_rng(seed)
        desk = Desk(length_s)
        recording.bed(desk, rng)
        music = desk.mixed(rng)
        speech = np.zeros_like(music)
        start = round(LEAD_S * RATE_HZ)
        speech[start : start + len(voice)] = voice[:, None]
        ratio = np.sum(speech**2) / np.sum(music**2)
        mix = speech + music * np.sqrt(ratio / 10 ** (recording.snr_db / 10))
        write(
            HERE / "mixes" / f"{recording.name}_{recording.snr_db:.0f}db.ogg", mix * PEAK / np.abs(mix).max()
        )


def speak(recording: Recording) -> Sound:
    """The text as flite reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        pace = f"duration_stretch={recording.pace}"
        subprocess.run(
            ["flite", "-voice", recording.voice, "--setf", pace, "-t", recording.text, "-o", path], check=True
        )
        voice, rate_hz = soundfile.read(path)
    return soxr.resample(voice, rate_hz, RATE_HZ, quality="VHQ")


def write(path: Path, sound: Sound) -> None:
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "VORBIS", format="OGG", compression_level=0.55) as file:
        # A long write overflows the stack of libsndfile's Vorbis encoder.
        for start in range(0, len(sound), RATE_HZ):
            file.write(sound[start : start + RATE_HZ])


def lighthouse(desk: Desk, rng: Generator) -> None:
    """A slow piano: broken chords under a few long notes."""
    eighth_s = 60 / 76 / 2
    chords = ((41, 57, 60, 64, 67), (38, 57, 60, 65, 69), (46, 53, 58, 62, 69), (36, 55, 60, 64, 71))
    order = (0, 2, 3, 4, 3, 2, 4, 3)
    notes = ((0, 76), (6, 79), (8, 81), (14, 77), (16, 74), (22, 76), (24, 72), (28, 79), (32, 81), (38, 84))
    for step in range(round(desk.length_s / eighth_s) + 1):
        chord = chords[step // 8 % len(chords)]
        at_s = step * eighth_s + rng.normal(0.006, 0.003)
        desk.play(piano(chord[order[step % 8]], 2.4), at_s, -12 - 3 * (step % 2), pan=-0.25, send=0.5)
    for step, pitch in notes:
        desk.play(piano(pitch, 3.0), step * eighth_s, -8, pan=0.25, send=0.6)


def night_train(desk: Desk, rng: Generator) -> None:
    """Strings that breathe over a plucked pulse and a low drum."""
    beat_s = 60 / 96
    chords = ((45, 57, 60, 64, 71), (41, 57, 60, 64, 69), (48, 55, 60, 64, 67), (43, 55, 59, 62, 69))
    bar_s = 4 * beat_s
    for bar in range(int(desk.length_s / bar_s) + 1):
        bass, *upper = chords[bar % len(chords)]
        for voice, pitch in enumerate((bass, *upper)):
            desk.play(strings(pitch, bar_s + 0.5, rng), bar * bar_s, -17, pan=(voice - 2) / 3, send=0.5)
        for step in range(16):
            pitch = upper[(0, 2, 1, 3, 2, 0, 3, 1)[step % 8]] + 12
            at_s = bar * bar_s + step * beat_s / 4
            desk.play(pluck(pitch), at_s, -15 - 4 * (step % 4 != 0), pan=0.6 * (-1) ** step, send=0.3)
        for beat in (0, 1.5, 2):
            desk.play(drum(), bar * bar_s + beat * beat_s, -9, send=0.15)


def market(desk: Desk, rng: Generator) -> None:
    """Drums, a walking bass and electric keys off the beat."""
    beat_s = 60 / 104
    chords = ((38, 60, 64, 65, 69), (43, 59, 65, 69, 76), (36, 59, 64, 67, 71), (45, 61, 67, 70, 76))
    swing_s = 0.14 * beat_s
    for beat in range(int(desk.length_s / beat_s) + 1):
        at_s, (bass, *upper), place = beat * beat_s, chords[beat // 4 % len(chords)], beat % 4
        target = chords[(beat // 4 + 1) % len(chords)][0]
        walk = (bass, bass + 7, bass + 10, target + 1)[place]
        desk.play(low_string(walk, beat_s), at_s, -7, send=0.05)
        if place in (0, 2):
            desk.play(drum(), at_s, -6, send=0.05)
        if place in (1, 3):
            desk.play(brush(0.18, 1200, rng), at_s, -9, pan=0.1, send=0.2)
        for half in (0.0, beat_s / 2 + swing_s):
            desk.play(brush(0.05, 7000, rng), at_s + half, -15 - 3 * (half > 0), pan=0.4, send=0.05)
        if place in (1, 3):
            for pitch in upper:
                desk.play(keys(pitch, 0.8 * beat_s), at_s + beat_s / 2 + swing_s, -16, pan=-0.35, send=0.25)


RECORDINGS = (
    Recording(
        "lighthouse",
        "slt",
        "Every evening at six, the keeper climbs two hundred steps. He trims the lamp, winds the clock, "
        "and writes down the weather, although nobody has asked for it in years.",
        10.0,
        lighthouse,
    ),
    Recording(
        "night_train",
        "rms",
        "The night train leaves from platform nine. Take the seat by the window, and you will see the "
        "river turn silver just before the border.",
        5.0,
        night_train,
    ),
    Recording(
        "market",
        "awb",
        "Come early, before the sun is over the roofs. The best peaches are gone by eight, and the "
        "woman with the blue umbrella never keeps any back.",
        0.0,
        market,
    ),
)


def piano(pitch: float, length_s: float) -> Sound:
    """Slightly sharp partials, the upper ones gone sooner, and a soft hammer."""
    t, f = times(length_s), hertz(pitch)
    partials = (
        np.exp(-t * (0.9 + 0.55 * k) * (pitch / 60)) * sine(f * k * np.sqrt(1 + 3e-4 * k * k), t) / k**1.5
        for k in range(1, 12)
        if f * k < 16_000
    )
    return shaped(sum(partials), 0.004, 0.3)


def pluck(pitch: float) -> Sound:
    t, f = times(0.7), hertz(pitch)
    partials = (np.sin(0.6 * k) / k * np.exp(-t * (4 + 1.1 * k)) * sine(f * k, t) for k in range(1, 14))
    return shaped(sum(partials), 0.002, 0.1)


def strings(pitch: float, length_s: float, rng: Generator) -> Sound:
    """Five players of one part, a few cents and a little vibrato apart."""
    t = times(length_s)
    sound = np.zeros_like(t)
    for cents in rng.normal(0, 5, 5):
        vibrato = 0.0025 * sine(rng.uniform(4.6, 5.6), t) / (2 * np.pi * 5)
        turns = hertz(pitch + cents / 100) * (t + vibrato) + rng.random()
        sound += sum(
            np.sin(2 * np.pi * k * turns) / (k * (1 + (k * hertz(pitch) / 2200) ** 2)) for k in range(1, 16)
        )
    return shaped(sound / 5, 0.35, 0.5)


def keys(pitch: float, length_s: float) -> Sound:
    """Two-operator FM with a bell in its attack."""
    t, f = times(length_s + 0.1), hertz(pitch)
    body = np.sin(2 * np.pi * f * t + 0.9 * np.exp(-t / 0.25) * sine(f, t))
    return shaped((body + 0.12 * np.exp(-t / 0.05) * sine(14 * f, t)) * np.exp(-t / 0.6), 0.003, 0.1)


def low_string(pitch: float, length_s: float) -> Sound:
    t = times(length_s + 0.05)
    partials = (np.exp(-t * (1.2 + 1.8 * k)) * sine(hertz(pitch) * k, t) / k for k in range(1, 9))
    return shaped(np.tanh(1.4 * sum(partials)), 0.006, 0.06)


def drum() -> Sound:
    t = times(0.4)
    return shaped(
        np.sin(2 * np.pi * (48 * t + 3.5 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.14), 0.001, 0.05
    )


def brush(decay_s: float, low_hz: float, rng: Generator) -> Sound:
    hiss = band(rng.standard_normal((round(4 * decay_s * RATE_HZ), 1)), low_hz, 14_000)[:, 0]
    return shaped(0.4 * hiss / hiss.std() * np.exp(-times(4 * decay_s) / decay_s), 0.002, decay_s)


def room(send: Sound, rng: Generator) -> Sound:
    """Decaying noise after a short pre-delay, its highs shorter than its lows."""
    t = times(1.8)[:, None]
    white = rng.standard_normal((len(t), 2))
    rings = ((200, 900, 1.5), (900, 3500, 1.2), (3500, 9000, 0.6))
    tail = sum(band(white, low_hz, high_hz) * 10 ** (-3 * t / rt60_s) for low_hz, high_hz, rt60_s in rings)
    tail = np.pad(tail / np.sqrt(np.sum(tail**2, axis=0)), ((RATE_HZ // 50, 0), (0, 0)))
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


if __name__ == "__main__":
    main()
