"""A small synthesiser: each voice makes the sound of one stroke.

Conventions
-----------
Sounds are mono float64 near unit peak at RATE_HZ. A voice takes the pitch in MIDI notes, the length of the
stroke in seconds, the colour of the instrument and a generator for its noise. Drums ignore pitch and length.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE_HZ = 44_100


@dataclass(frozen=True)
class Colour:
    """How an instrument differs from its like: factors of its size, decay and brightness."""

    size: float = 1.0
    decay: float = 1.0
    bright: float = 1.0


@dataclass(frozen=True)
class Voice:
    """A sound and its place in the mix.

    Parameters
    ----------
    sound : callable
        Pitch, length, colour and generator to the sound of a stroke.
    level_db : float
        Of a stroke at full velocity.
    send_db : float
        What goes to the room.
    early_s : float
        How far ahead a slow attack starts, so that it is heard in time, as players do.
    """

    sound: Callable[[float, float, Colour, Generator], Sound]
    level_db: float
    send_db: float
    early_s: float = 0.0


def kick(_pitch: float, _length_s: float, colour: Colour, rng: Generator) -> Sound:
    t = times(0.45 * colour.decay)
    turns = 48 / colour.size * t + 4 * (1 - np.exp(-t / 0.03))
    body = np.sin(2 * np.pi * turns) * np.exp(-t / (0.12 * colour.decay))
    return shaped(body + 0.25 * colour.bright * sine(2100, t) * np.exp(-t / 0.003), 0.001, 0.05)


def snare(_pitch: float, _length_s: float, colour: Colour, rng: Generator) -> Sound:
    t = times(0.3 * colour.decay)
    ring_s = 0.06 * colour.decay
    head = sine(190 / colour.size, t) * np.exp(-t / ring_s)
    head += 0.5 * sine(330 / colour.size, t) * np.exp(-t / (ring_s / 2))
    return shaped(0.5 * head, 0.001, 0.05) + hiss(len(t), ring_s, 1200, 9000 * colour.bright, rng)


def tom(pitch_midi: float, _length_s: float, colour: Colour, rng: Generator) -> Sound:
    t = times(0.5 * colour.decay)
    hz = hertz(pitch_midi) / colour.size
    body = np.sin(2 * np.pi * (hz * t + 2 * (1 - np.exp(-t / 0.04)))) * np.exp(-t / (0.16 * colour.decay))
    return shaped(body, 0.001, 0.05) + 0.2 * hiss(len(t), 0.02, 500, 5000, rng)


def block(pitch_midi: float, _length_s: float, colour: Colour, rng: Generator) -> Sound:
    """A wood block, a click, a rim: two damped modes."""
    t = times(0.12)
    hz = hertz(pitch_midi) / colour.size
    modes = sine(hz, t) * np.exp(-t / 0.018) + 0.5 * sine(2.4 * hz, t) * np.exp(-t / 0.008)
    return shaped(modes, 0.0005, 0.02)


def skin(
    _pitch: float,
    _length_s: float,
    colour: Colour,
    rng: Generator,
    *,
    decay_s: float,
    low_hz: float,
    soft_s: float = 0.001,
) -> Sound:
    """Struck or shaken noise: hats, cymbals, brushes, shakers."""
    frames = round(min(5 * decay_s * colour.decay, 2.5) * RATE_HZ)
    return hiss(frames, decay_s * colour.decay, low_hz * colour.bright, 15_000, rng, attack_s=soft_s)


def clap(_pitch: float, _length_s: float, colour: Colour, rng: Generator) -> Sound:
    frames = round(0.25 * RATE_HZ)
    sound = np.zeros(frames)
    for late in (0, 400, 800):
        sound[late:] += hiss(frames - late, 0.06 * colour.decay, 900, 6000 * colour.bright, rng)
    return sound


def plucked(
    pitch_midi: float,
    length_s: float,
    colour: Colour,
    rng: Generator,
    *,
    ring_s: float,
    partials: int,
    bite: float,
) -> Sound:
    """A string struck or plucked: upper partials sharper, and gone sooner. Basses, guitars, pianos."""
    t, hz = times(min(length_s, 4 * ring_s) + 0.12), hertz(pitch_midi)
    sound = np.zeros_like(t)
    for k in range(1, partials + 1):
        stretched_hz = hz * k * (1 + 1e-4 * k * k)
        if stretched_hz < 12_000:
            loss = (1 + bite * (k - 1)) / (ring_s * colour.decay)
            sound += np.sin(0.66 * k) / k ** (1 / colour.bright) * np.exp(-t * loss) * sine(stretched_hz, t)
    return shaped(sound, 0.003, 0.1)


def tines(pitch_midi: float, length_s: float, colour: Colour, rng: Generator) -> Sound:
    """An electric piano: two operators, whose index falls from the attack."""
    t, hz = times(min(length_s, 2.5) + 0.15), hertz(pitch_midi)
    index = 1.6 * colour.bright * np.exp(-t / 0.25)
    return shaped(
        np.sin(2 * np.pi * hz * t + index * sine(hz, t)) * np.exp(-t / (1.2 * colour.decay)), 0.003, 0.12
    )


def sustained(
    pitch_midi: float,
    length_s: float,
    colour: Colour,
    rng: Generator,
    *,
    attack_s: float,
    release_s: float,
    cutoff_hz: float,
    vibrato: float = 0.0,
) -> Sound:
    """A detuned sawtooth pair behind a gentle low-pass: pads, strings, organs, leads."""
    t, hz = times(length_s + release_s), hertz(pitch_midi)
    partials = np.arange(1, 25)
    levels = 1 / (partials * (1 + (partials * hz / (cutoff_hz * colour.bright)) ** 2))
    phases = rng.random(len(partials))
    turns = np.linspace(0, 1, 1025)
    cycle = levels @ np.sin(2 * np.pi * (partials[:, None] * turns + phases[:, None]))
    wobble = vibrato * np.clip((t - 0.2) / 0.3, 0, 1) * sine(5.3, t) / 5.3
    flat, sharp = (np.interp((hz * detune * t + wobble) % 1, turns, cycle) for detune in (0.9985, 1.0015))
    return shaped(0.6 * (flat + sharp), attack_s, release_s)


def sung(pitch_midi: float, length_s: float, colour: Colour, rng: Generator) -> Sound:
    """A voice on a vowel: harmonics under two formants, with a scoop into the note and a late vibrato."""
    t, hz = times(length_s + 0.08), hertz(pitch_midi)
    cents = -60 * np.exp(-t / 0.04) + 35 * np.clip((t - 0.25) / 0.3, 0, 1) * sine(5.6, t)
    turns = np.cumsum(hz * 2 ** (cents / 1200)) / RATE_HZ
    formants_hz = 650 * colour.bright / colour.size, 1150 * colour.bright / colour.size
    sound = np.zeros_like(t)
    for k in range(1, 13):
        near = sum(1 / (1 + ((k * hz - formant_hz) / 180) ** 2) for formant_hz in formants_hz)
        sound += (0.15 + near) / k**0.6 * np.sin(2 * np.pi * k * turns)
    return shaped(sound / 2, 0.035, 0.08)


def hiss(
    frames: int, decay_s: float, low_hz: float, high_hz: float, rng: Generator, *, attack_s: float = 0.001
) -> Sound:
    """Noise of a band that dies away."""
    white = band(rng.standard_normal(frames), low_hz, high_hz)
    fade = np.exp(-np.arange(frames) / (RATE_HZ * decay_s))
    return shaped(0.3 * white / white.std() * fade, attack_s, 0.01)


def band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    """Zero-phase band-pass, 24 dB per octave."""
    size = fft_size(len(sound) + RATE_HZ // 10)
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    response = (hz / low_hz) ** 4 / np.sqrt((1 + (hz / low_hz) ** 8) * (1 + (hz / high_hz) ** 8))
    return np.fft.irfft(np.fft.rfft(sound, size) * response, size)[: len(sound)]


def fft_size(frames: int) -> int:
    """The next power of two: a transform of a length with large prime factors is ten times as slow."""
    return 1 << (frames - 1).bit_length()


def shaped(sound: Sound, attack_s: float, release_s: float) -> Sound:
    t = times(len(sound) / RATE_HZ)
    return sound * np.minimum(1, t / attack_s) * np.minimum(1, t[::-1] / release_s)


def times(length_s: float) -> Sound:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def sine(hz: float, t: Sound) -> Sound:
    return np.sin(2 * np.pi * hz * t)


def hertz(pitch_midi: float) -> float:
    return 440 * 2 ** ((pitch_midi - 69) / 12)


VOICES = {
    "kick": Voice(kick, -5, -30),
    "snare": Voice(snare, -7, -14),
    "clap": Voice(clap, -10, -12),
    "rim": Voice(block, -12, -14),
    "click": Voice(block, -8, -30),
    "cowbell": Voice(block, -18, -16),
    "tom": Voice(tom, -10, -14),
    "conga": Voice(tom, -14, -14),
    "hat": Voice(partial(skin, decay_s=0.025, low_hz=6500), -7, -26),
    "open_hat": Voice(partial(skin, decay_s=0.14, low_hz=6000), -9, -22),
    "ride": Voice(partial(skin, decay_s=0.28, low_hz=5000), -11, -18),
    "crash": Voice(partial(skin, decay_s=0.55, low_hz=3200), -10, -14),
    "shaker": Voice(partial(skin, decay_s=0.035, low_hz=5500, soft_s=0.018), -12, -20, early_s=0.01),
    "tambourine": Voice(partial(skin, decay_s=0.08, low_hz=7000, soft_s=0.004), -11, -16),
    "brush": Voice(partial(skin, decay_s=0.09, low_hz=1500, soft_s=0.012), -10, -14, early_s=0.006),
    "electric_bass": Voice(partial(plucked, ring_s=0.9, partials=9, bite=0.9), -9, -40),
    "upright_bass": Voice(partial(plucked, ring_s=0.5, partials=7, bite=1.6), -6, -24),
    "synth_bass": Voice(partial(sustained, attack_s=0.006, release_s=0.05, cutoff_hz=350), -15, -40),
    "piano": Voice(partial(plucked, ring_s=1.1, partials=14, bite=0.5), -18, -14),
    "guitar": Voice(partial(plucked, ring_s=0.7, partials=16, bite=0.35), -20, -14),
    "muted_guitar": Voice(partial(plucked, ring_s=0.09, partials=12, bite=0.5), -17, -16),
    "electric_piano": Voice(tines, -19, -14),
    "organ": Voice(partial(sustained, attack_s=0.012, release_s=0.05, cutoff_hz=1500), -27, -14),
    "pad": Voice(partial(sustained, attack_s=0.09, release_s=0.35, cutoff_hz=900), -24, -10, early_s=0.04),
    "strings": Voice(
        partial(sustained, attack_s=0.14, release_s=0.3, cutoff_hz=2200, vibrato=0.02), -24, -10, early_s=0.06
    ),
    "lead": Voice(partial(sustained, attack_s=0.015, release_s=0.08, cutoff_hz=2600, vibrato=0.03), -20, -12),
    "vocal": Voice(sung, -15, -10, early_s=0.015),
}
DRUMS = frozenset(
    {
        *("kick", "snare", "clap", "rim", "cowbell", "tom", "conga", "brush"),
        *("hat", "open_hat", "ride", "crash", "shaker", "tambourine"),
    }
)
