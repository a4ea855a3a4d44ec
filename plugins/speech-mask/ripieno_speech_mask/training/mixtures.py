"""Mixtures of speech and music, drawn anew for each step of the training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.framing import frames

from ..features import BINS, HOP, RATE_HZ, WINDOW, features_of_clips
from .sounds import Sounds

Spectra = NDArray[np.complex64]


@dataclass(frozen=True)
class Recipe:
    """How mixtures are drawn. Ranges are drawn from evenly.

    Parameters
    ----------
    clip_s : float
        Length of a mixture.
    snr_db : (float, float)
        Speech over music.
    level_dbfs : (float, float)
        Of the mixture's RMS.
    music_alone, speech_alone : float
        Shares of clips.
    two_musics : float
        Share of clips with two kinds of music at once.
    reverberant : float
        Share of clips whose voice stands in a room.
    noisy : float
        Share of clips whose voice was recorded with noise, which is then part of it.
    worn : float
        Share of clips whose voice was overdriven in the recording.
    """

    clip_s: float = 4.0
    snr_db: tuple[float, float] = (-5.0, 15.0)
    level_dbfs: tuple[float, float] = (-40.0, -12.0)
    music_alone: float = 0.06
    speech_alone: float = 0.06
    two_musics: float = 0.25
    reverberant: float = 0.4
    noisy: float = 0.6
    worn: float = 0.12

    @property
    def hops(self) -> int:
        """Frames of a mixture."""
        return round(self.clip_s * RATE_HZ / HOP)


@dataclass(frozen=True)
class Batch:
    """What a step of the training takes: float32 arrays [clips, frames, ...] on one scale."""

    features: NDArray[np.float32]
    mixture: NDArray[np.float32]
    speech: NDArray[np.float32]
    both: NDArray[np.float32]


def draw_batches(
    rng: np.random.Generator,
    speech: Sounds,
    music: Sounds,
    recipe: Recipe,
    *,
    clips: int,
    taper: NDArray[np.float32],
    mixings: int = 2,
) -> list[Batch]:
    """Mixtures of drawn voices and music.

    Parameters
    ----------
    clips : int
        In a batch: so many voices and so many pieces of music are drawn.
    taper : float32 array [1024]
        Of the analysis.
    mixings : int
        Batches that are made of them, each with other pairs, colours and levels. To draw sounds takes longer
        than to learn from them once.
    """
    drawn = [_sounds(rng, speech, music, recipe) for _ in range(clips)]
    voices, beds = (_spectra(np.stack(parts), taper) for parts in zip(*drawn, strict=True))
    return [_mixed(rng, voices, np.roll(beds, shift, axis=0), recipe) for shift in range(mixings)]


def _mixed(rng: np.random.Generator, voices: Spectra, beds: Spectra, recipe: Recipe) -> Batch:
    voices, beds = (
        spectra * np.stack([_colour(rng) for _ in spectra])[:, None] for spectra in (voices, beds)
    )
    gains = [_gains(rng, voice, bed, recipe) for voice, bed in zip(voices, beds, strict=True)]
    voices *= np.array([gain for gain, _ in gains], np.float32)[:, None, None]
    beds *= np.array([gain for _, gain in gains], np.float32)[:, None, None]
    return batch_of(voices, beds)


def batch_of(voices: Spectra, beds: Spectra) -> Batch:
    """What the network hears, and what it is judged by, of spectra [clips, frames, 513]."""
    mixtures = voices + beds
    mixture = _power(mixtures)
    scale = 1 / np.maximum(mixture.mean(axis=(1, 2), keepdims=True), 1e-9)
    both = voices.real * mixtures.real + voices.imag * mixtures.imag
    return Batch(features_of_clips(mixture), mixture * scale, _power(voices) * scale, both * scale)


def _sounds(
    rng: np.random.Generator, speech: Sounds, music: Sounds, recipe: Recipe
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    length = recipe.hops * HOP
    voice = speech.stretch(rng, length, speed=rng.choice([1.0, rng.uniform(0.75, 1.25)]))
    if rng.random() < recipe.reverberant:
        voice = in_room(voice, rng)
    if rng.random() < recipe.noisy:
        voice = voice + noise(len(voice), rng) * _rms(voice) * 10 ** (rng.uniform(-60, -8) / 20)
    if rng.random() < recipe.worn:
        voice = overdriven(voice, rng)
    bed = music.stretch(rng, length, speed=rng.choice([1.0, rng.uniform(0.75, 1.33)]))
    if rng.random() < recipe.two_musics:
        second = music.stretch(rng, length, speed=rng.uniform(0.75, 1.33))
        bed = bed + second * rng.uniform(0.2, 1) * _rms(bed) / max(_rms(second), 1e-6)
    return voice.astype(np.float32), bed.astype(np.float32)


def in_room(dry: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A voice [frames] in a drawn room: its direct sound, and noise that decays after it.

    References
    ----------
    Polack: La transmission de l'énergie sonore dans les salles. Thèse, Université du Maine, 1988.
    """
    from scipy.signal import fftconvolve

    decay_s, direct_db = rng.uniform(0.1, 1.1), rng.uniform(-6, 14)
    time_s = np.arange(int(decay_s * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    tail[: int(rng.uniform(0.001, 0.012) * RATE_HZ)] = 0
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(np.square(tail)))
    tail[0] = 1
    wet: NDArray[np.float32] = fftconvolve(dry, tail)[: len(dry)].astype(np.float32)
    return wet


def overdriven(voice: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A voice [frames] whose loud parts a drawn saturation has rounded."""
    drive = 10 ** (rng.uniform(-10, 12) / 20) / max(_rms(voice), 1e-6)
    rounded: NDArray[np.float32] = np.tanh(voice * np.float32(drive))
    return rounded


def noise(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise [length] of an RMS of 1 whose level falls by 0 to 9 dB an octave."""
    from scipy.fft import irfft, rfft

    spectrum = rfft(rng.standard_normal(length).astype(np.float32))
    spectrum *= np.maximum(np.arange(len(spectrum)), length / 320) ** -rng.uniform(0, 1.5)
    coloured: NDArray[np.float32] = irfft(spectrum, length)
    coloured = coloured / np.float32(max(_rms(coloured), 1e-9))
    return coloured


def _spectra(sounds: NDArray[np.float32], taper: NDArray[np.float32]) -> Spectra:
    from scipy.fft import rfft

    padded = np.pad(sounds, [(0, 0), (WINDOW - HOP, 0)])
    spectra: Spectra = rfft(frames(padded, window=WINDOW, hop=HOP, centred=False) * taper, axis=-1)
    return spectra


def _colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Gain of each bin: broad bumps, and now and then a recording from close by, without lows or highs."""
    hz = np.maximum(np.arange(BINS) * RATE_HZ / WINDOW, 50)
    octaves = np.log2(hz / 50)
    gain_db = np.interp(octaves, np.linspace(0, octaves[-1], 6), rng.normal(0, 4.5, 6))
    if rng.random() < 0.2:
        # A microphone that hears the pressure gradient lifts the lows of a near source.
        gain_db = gain_db + np.clip(6 * np.log2(rng.uniform(120, 400) / hz), 0, rng.uniform(3, 12))
    if rng.random() < 0.25:
        gain_db = gain_db - 24 * np.maximum(np.log2(rng.uniform(80, 450) / hz), 0)
    if rng.random() < 0.2:
        gain_db = gain_db - 60 * (hz > rng.uniform(3400, 7800))
    return (10 ** (gain_db / 20)).astype(np.float32)


def _gains(rng: np.random.Generator, voice: Spectra, bed: Spectra, recipe: Recipe) -> tuple[float, float]:
    """Of the voice and of the music."""
    kind, snr_db, level_dbfs = rng.random(), rng.uniform(*recipe.snr_db), rng.uniform(*recipe.level_dbfs)
    powers = [max(float(_power(spectra).mean()), 1e-9) for spectra in (voice, bed)]
    shares = [1.0, 10 ** (-snr_db / 10)]
    if kind < recipe.music_alone:
        shares[0] = 0.0
    elif kind < recipe.music_alone + recipe.speech_alone:
        shares[1] = 0.0
    # Parseval: the mean power of a bin under a taper of mean square 1/2 is WINDOW / 2 times that of a sample.
    total = 10 ** (level_dbfs / 10) * WINDOW / 2 / sum(shares)
    voice_gain, bed_gain = (
        np.sqrt(total * share / power) for share, power in zip(shares, powers, strict=True)
    )
    return float(voice_gain), float(bed_gain)


def _power(spectra: Spectra) -> NDArray[np.float32]:
    return np.square(spectra.real) + np.square(spectra.imag)


def _rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))
