"""From the players' sound to a clip: electronic layers, room, saturation, tape, colour and level."""

import numpy as np
from numpy.typing import NDArray

from .arrangement import Arrangement
from .electronics import MAKERS, Sound, pumping
from .fluid import RATE_HZ

PEAK = 0.97
FADE_S = 0.02


def finished(piece: Arrangement, players: NDArray[np.float32], *, rate_hz: int) -> NDArray[np.float32]:
    """The clip of a piece.

    Parameters
    ----------
    piece : Arrangement
        Says what is done.
    players : ndarray [2, frames]
        Of `fluid.render`, at its rate.
    rate_hz : int
        Of the clip.

    Returns
    -------
    ndarray [frames]
        Mono, at the level drawn, its peak below 1.
    """
    import soxr

    finish = piece.finish
    rng = np.random.default_rng(piece.seed + 2)
    sound = finish.left * players[0] + (1 - finish.left) * players[1]
    mono = _with_electronics(piece, sound.astype(np.float64), rng)
    if finish.room_s:
        mono = _in_room(mono, rng, rt60_s=finish.room_s)
    if finish.worn:
        mono = _worn(mono, rng)
    if finish.drive_db:
        gain = 10 ** (finish.drive_db / 20) / max(1e-6, 4 * _rms(mono))
        mono = np.tanh(gain * mono)
    clip = soxr.resample(_tilted(mono, finish.tilt_db), RATE_HZ, rate_hz)
    return _levelled(clip, finish.level_dbfs, rate_hz=rate_hz)


def _with_electronics(piece: Arrangement, players: Sound, rng: np.random.Generator) -> Sound:
    """Layers by formula beside the players, each at the level drawn against them, ducking on the beat."""
    reference = _rms(players) or 0.1
    lead = round(piece.lead_s * RATE_HZ)
    frames = lead + players.size
    mix = players
    for name, level_db in piece.electronic:
        layer = MAKERS[name](piece.form, rng, RATE_HZ, frames)[lead:]
        mix = mix + layer * (reference * 10 ** (level_db / 20) / max(1e-6, _rms(layer)))
    if piece.finish.pump:
        mix = mix * pumping(piece.form, depth=piece.finish.pump, rate_hz=RATE_HZ, frames=frames)[lead:]
    return mix


def _in_room(sound: Sound, rng: np.random.Generator, *, rt60_s: float) -> Sound:
    """With decaying noise as the room's response, as loud as the sound itself or less."""
    from scipy.signal import fftconvolve

    times = np.arange(round(rt60_s * RATE_HZ)) / RATE_HZ
    response = rng.standard_normal(times.size) * 10 ** (-3 * times / rt60_s)
    wet = fftconvolve(sound, response)[: sound.size]
    share = float(rng.uniform(0.2, 1.0))
    return np.asarray(sound + wet * (share * _rms(sound) / max(1e-9, _rms(wet))))


def _worn(sound: Sound, rng: np.random.Generator) -> Sound:
    """A tape that wavers, loses its highs and lows, hisses and crackles."""
    from scipy.signal import butter, sosfilt

    times = np.arange(sound.size) / RATE_HZ
    waver_s = sum(
        float(rng.uniform(0.1, 0.6))
        * 1e-3
        * np.sin(2 * np.pi * rng.uniform(low, high) * times + rng.uniform(0, 6))
        for low, high in ((0.3, 1.0), (4.0, 8.0))
    )
    wavering = np.interp(times + waver_s, times, sound)
    band = (float(rng.uniform(30, 150)), float(rng.uniform(2500, 7500)))
    dull = np.asarray(sosfilt(butter(2, band, "band", fs=RATE_HZ, output="sos"), wavering))
    level = _rms(dull)
    hiss = rng.standard_normal(sound.size) * level * 10 ** (float(rng.uniform(-50, -28)) / 20)
    crackle = (rng.random(sound.size) < 2 / RATE_HZ * rng.uniform(0, 6)) * rng.standard_normal(sound.size)
    return dull + hiss + level * crackle


def _tilted(sound: Sound, tilt_db: float) -> Sound:
    """A slope of so many dB an octave, level at 1 kHz, 2.5 octaves to either side."""
    spectrum = np.fft.rfft(sound)
    hz = np.maximum(np.fft.rfftfreq(sound.size, 1 / RATE_HZ), 1.0)
    octaves = np.clip(np.log2(hz / 1000), -2.5, 2.5)
    # Below hearing there is only offset and drift.
    gain = 10 ** (tilt_db * octaves / 20) * (hz > 20)
    return np.fft.irfft(spectrum * gain, sound.size)


def _levelled(clip: Sound, level_dbfs: float, *, rate_hz: int) -> NDArray[np.float32]:
    gain = min(10 ** (level_dbfs / 20) / max(1e-9, _rms(clip)), PEAK / max(1e-9, float(np.abs(clip).max())))
    fade = min(clip.size, round(FADE_S * rate_hz))
    shaped = clip * gain
    shaped[-fade:] *= np.linspace(1, 0, fade)
    return shaped.astype(np.float32)


def _rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))
