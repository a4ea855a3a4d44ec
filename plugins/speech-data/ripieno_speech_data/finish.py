"""From the players' sound to a clip: electronic layers, room, saturation, tape, colour and level."""

import numpy as np
from numpy.typing import NDArray

from .arrangement import Arrangement, Finish
from .colour import levelled, rms, tilted
from .electronics import MAKERS, Sound, pumping
from .fluid import RATE_HZ

END_S = 0.02
"""What still sounds at the end would end in a click."""


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
        gain = 10 ** (finish.drive_db / 20) / max(1e-6, 4 * rms(mono))
        mono = np.tanh(gain * mono)
    clip = soxr.resample(tilted(mono, tilt_db=finish.tilt_db, rate_hz=RATE_HZ), RATE_HZ, rate_hz)
    return levelled(clip * _fades(finish, clip.size, rate_hz), from_rms=rms(clip), to_dbfs=finish.level_dbfs)


def _with_electronics(piece: Arrangement, players: Sound, rng: np.random.Generator) -> Sound:
    """Layers by formula beside the players, each at the level drawn against them, ducking on the beat."""
    reference = rms(players) or 0.1
    lead = round(piece.lead_s * RATE_HZ)
    frames = lead + players.size
    mix = players
    for name, level_db in piece.electronic:
        layer = MAKERS[name](piece.form, rng, RATE_HZ, frames)[lead:]
        mix = mix + layer * (reference * 10 ** (level_db / 20) / max(1e-6, rms(layer)))
    if piece.finish.pump:
        mix = mix * pumping(piece.form, depth=piece.finish.pump, rate_hz=RATE_HZ, frames=frames)[lead:]
    return mix


def _in_room(sound: Sound, rng: np.random.Generator, *, rt60_s: float) -> Sound:
    """With decaying noise as the room's response, as loud as the sound itself or less."""
    from scipy.signal import butter, fftconvolve, sosfilt

    times = np.arange(round(rt60_s * RATE_HZ)) / RATE_HZ
    bright, dark = rng.standard_normal((2, times.size))
    dark = sosfilt(butter(1, float(rng.uniform(500, 3000)), fs=RATE_HZ, output="sos"), dark)
    # What is high dies away sooner.
    response = dark * 10 ** (-3 * times / rt60_s) + 0.3 * bright * 10 ** (-9 * times / rt60_s)
    wet = fftconvolve(sound, response)[: sound.size]
    share = float(rng.uniform(0.2, 1.0))
    return np.asarray(sound + wet * (share * rms(sound) / max(1e-9, rms(wet))))


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
    level = rms(dull)
    hiss = rng.standard_normal(sound.size) * level * 10 ** (float(rng.uniform(-50, -28)) / 20)
    crackle = (rng.random(sound.size) < 2 / RATE_HZ * rng.uniform(0, 6)) * rng.standard_normal(sound.size)
    return dull + hiss + level * crackle


def _fades(finish: Finish, frames: int, rate_hz: int) -> Sound:
    times = np.arange(frames) / rate_hz
    gain = np.minimum(1.0, times[::-1] / max(END_S, finish.fade_out_s))
    return np.asarray(gain * np.minimum(1.0, times / finish.fade_in_s) if finish.fade_in_s else gain)
