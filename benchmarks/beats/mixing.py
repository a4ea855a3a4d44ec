"""Strokes to sound: levels, a room, and the loudness of the whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from .instruments import RATE_HZ, VOICES, Colour, Sound, band, fft_size
from .score import Stroke

LEVEL_DB = -18.0
CEILING = 0.9
TAKES = 3


@dataclass(frozen=True)
class Room:
    """A room: how long it rings, and how loud against what is sent to it."""

    rt60_s: float = 0.9
    level_db: float = 0.0


@dataclass(frozen=True)
class Desk:
    """Colours of the voices and gains on their levels, by name, plain where not given; and the room."""

    colours: Mapping[str, Colour] = field(default_factory=dict)
    gains_db: Mapping[str, float] = field(default_factory=dict)
    room: Room = Room()


def mixed(strokes: Iterable[Stroke], duration_s: float, rng: Generator, *, desk: Desk = Desk()) -> Sound:
    """Strokes in a room.

    Returns
    -------
    ndarray [frames]
        At RATE_HZ and LEVEL_DB, below CEILING; what rings past the end is cut.
    """
    dry, sent = np.zeros((2, round(duration_s * RATE_HZ)))
    sounds: dict[tuple[str, float, float, int], Sound] = {}
    for stroke in strokes:
        voice = VOICES[stroke.voice]
        # Close lengths share a sound, and a few takes of each keep repeated strokes from being copies.
        length_s = round(max(stroke.length_s, 0.05), 1 if stroke.length_s > 0.5 else 2)
        key = stroke.voice, stroke.pitch_midi, length_s, int(rng.integers(TAKES))
        if key not in sounds:
            colour = desk.colours.get(stroke.voice, Colour())
            sounds[key] = voice.sound(stroke.pitch_midi, length_s, colour, rng)
        start = max(0, round((stroke.onset_s - voice.early_s) * RATE_HZ))
        sound = sounds[key][: max(0, len(dry) - start)]
        gain = amplitude(voice.level_db + desk.gains_db.get(stroke.voice, 0)) * stroke.velocity**1.5
        dry[start : start + len(sound)] += gain * sound
        sent[start : start + len(sound)] += gain * amplitude(voice.send_db) * sound
    wet = amplitude(desk.room.level_db) * reverberated(sent, desk.room.rt60_s, rng)
    return levelled(dry + wet)


def reverberated(sent: Sound, rt60_s: float, rng: Generator) -> Sound:
    """Noise that dies away, its highs sooner than its lows, after a pre-delay; as loud as what is sent."""
    t = np.arange(round(1.2 * rt60_s * RATE_HZ)) / RATE_HZ
    white = rng.standard_normal(len(t))
    rings = ((200, 900, 1.0), (900, 3500, 0.75), (3500, 9000, 0.4))
    tail = np.zeros_like(t)
    for low_hz, high_hz, share in rings:
        tail += band(white, low_hz, high_hz) * 10 ** (-3 * t / (share * rt60_s))
    # The send levels are those of a bus; the factor makes up for the diffusion of the tail.
    tail = np.concatenate((np.zeros(round(0.015 * RATE_HZ)), 4 * tail / np.sqrt(np.sum(tail**2))))
    return convolved(sent, tail)


def convolved(sound: Sound, response: Sound) -> Sound:
    """The first len(sound) samples of the convolution."""
    size = fft_size(len(sound) + len(response))
    wet: Sound = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)
    return wet[: len(sound)]


def levelled(sound: Sound, level_db: float = LEVEL_DB) -> Sound:
    """Sound at a level of its root mean square, its peaks bent under CEILING.

    Sparse sound stays softer, so that no peak is bent by more than 6 dB.
    """
    gain = amplitude(level_db) / np.sqrt(np.mean(sound**2))
    loud = sound * min(gain, 2 * CEILING / np.abs(sound).max())
    return loud / (1 + np.abs(loud / CEILING) ** 6) ** (1 / 6)


def amplitude(level_db: float) -> float:
    return 10 ** (level_db / 20)
