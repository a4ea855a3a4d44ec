"""Sound made by formula: detuned saws, plucks, FM bells, sub bass, sweeps of noise, drum machines.

Conventions
-----------
Each layer is a function ``(form, rng, rate_hz, frames)`` that gives float64 [frames] of about unit peak. Saws are
without steps (PolyBLEP: Valimaki, Huovilainen: Antialiasing Oscillators in Subtractive Synthesis. IEEE Signal
Processing Magazine 24(2), 2007).
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from .harmony import Form, ladder, voiced
from .parts import arpeggio, bass, melody

Sound = NDArray[np.float64]
Rng = np.random.Generator


def saws(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """Chords of detuned saws through a low-pass that moves."""
    cents = float(rng.uniform(4, 25))
    attack_s, release_s = float(rng.uniform(0.01, 0.8)), float(rng.uniform(0.1, 1.0))
    around = int(rng.integers(50, 66))
    sound = np.zeros(frames)
    for chord in form.chords:
        start_s, end_s = form.seconds(chord.start), form.seconds(chord.start + chord.beats)
        count = round((end_s - start_s + release_s) * rate_hz)
        tone = np.zeros(count)
        for pitch in voiced(chord.classes, around=around):
            for detune in (-cents, 0.3 * cents, cents):
                tone += saw(_hz(pitch + detune / 100), count, rate_hz, phase=float(rng.random()))
        _add(sound, tone * _swell(count, attack_s, release_s, rate_hz), start_s, rate_hz)
    low_hz = float(np.exp(rng.uniform(np.log(300), np.log(3000))))
    return _unit(
        _swept(sound, rng, low_hz=low_hz, high_hz=min(low_hz * rng.uniform(1, 6), 9000), rate_hz=rate_hz)
    )


def plucks(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """An arpeggio of short saws, with an echo."""
    decay_s = float(rng.uniform(0.08, 0.5))
    notes = arpeggio(form, rng, int(rng.integers(58, 74)))
    sound = np.zeros(frames)
    for note in notes:
        count = round(4 * decay_s * rate_hz)
        fall = np.exp(-np.arange(count) / (decay_s * rate_hz))
        tone = saw(_hz(note.pitch), count, rate_hz) + saw(_hz(note.pitch + 0.08), count, rate_hz)
        _add(sound, tone * fall * note.velocity / 127, form.seconds(note.start), rate_hz)
    sound = _low_passed(sound, float(rng.uniform(1200, 8000)), rate_hz)
    return _unit(_echoed(sound, 0.75 * 60 / form.tempo_bpm, float(rng.uniform(0, 0.6)), rate_hz))


def bells(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """A melody of two sines, one modulating the other (Chowning, 1973)."""
    ratio, index = float(rng.choice([1.4, 2.0, 3.5, 0.5, 7.0, 1.0])), float(rng.uniform(0.5, 5))
    decay_s = float(rng.uniform(0.2, 2.0))
    notes = (melody if rng.random() < 0.5 else arpeggio)(form, rng, int(rng.integers(60, 82)))
    sound = np.zeros(frames)
    for note in notes:
        times = np.arange(round(min(4 * decay_s, 6) * rate_hz)) / rate_hz
        fall = np.exp(-times / decay_s)
        turn = 2 * np.pi * _hz(note.pitch) * times
        tone = np.sin(turn + index * fall * np.sin(ratio * turn)) * fall
        _add(sound, tone * note.velocity / 127, form.seconds(note.start), rate_hz)
    return _unit(sound)


def sub(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """A bass of sines, softly saturated."""
    drive = float(rng.uniform(1, 4))
    sound = np.zeros(frames)
    for note in bass(form, rng, int(rng.integers(28, 40))):
        length_s = max(0.05, form.seconds(note.start + note.beats) - form.seconds(note.start))
        count = round((length_s + 0.03) * rate_hz)
        tone = np.sin(2 * np.pi * _hz(note.pitch) * np.arange(count) / rate_hz)
        _add(
            sound,
            np.tanh(drive * tone) * _swell(count, 0.008, 0.03, rate_hz),
            form.seconds(note.start),
            rate_hz,
        )
    return _unit(sound)


def acid(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """A figure of saws through a resonant low-pass that closes with each note."""
    from scipy.signal import lfilter

    tones = ladder(form.scale, low=36, high=55)
    figure = [(int(rng.choice(tones)), bool(rng.random() < 0.75)) for _ in range(int(rng.choice([8, 16])))]
    resonance = float(rng.uniform(0.9, 0.97))
    top_hz = float(rng.uniform(800, 3500))
    step = 0.25
    sound = np.zeros(frames)
    for index in range(int(form.beats / step)):
        pitch, sounds = figure[index % len(figure)]
        start_s = form.seconds(index * step)
        if not sounds or start_s * rate_hz >= frames:
            continue
        count = round(0.24 * 60 / form.tempo_bpm * rate_hz)
        tone = saw(_hz(pitch), count, rate_hz)
        # A filter of its own for each note: two poles at a place that falls in three parts.
        for part, fraction in zip(np.array_split(np.arange(count), 3), (1.0, 0.6, 0.35), strict=True):
            turn = 2 * np.pi * top_hz * fraction / rate_hz
            poles = [1, -2 * resonance * np.cos(turn), resonance**2]
            tone[part] = lfilter([1 - resonance], poles, tone[part])
        _add(sound, tone * _swell(count, 0.004, 0.02, rate_hz), start_s, rate_hz)
    return _unit(np.tanh(2 * _unit(sound)))


def sweep(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """Noise that rises and falls over some bars."""
    noise = rng.standard_normal(frames)
    low_hz = float(rng.uniform(150, 600))
    period_s = form.beats_per_bar * float(rng.choice([1, 2, 4])) * 60 / form.tempo_bpm
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / rate_hz / period_s + rng.uniform(0, 6))
    return _unit(_swept(noise, rng, low_hz=low_hz, high_hz=7000, rate_hz=rate_hz) * swell**2)


def drone(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """Partials of the tonic that beat and breathe."""
    times = np.arange(frames) / rate_hz
    tonic_hz = _hz(ladder(form.scale[:1], low=30, high=47)[0])
    sound = np.zeros(frames)
    for partial in range(1, int(rng.integers(4, 16))):
        level = partial ** -float(rng.uniform(0.6, 1.6))
        breath = 1 + 0.8 * np.sin(2 * np.pi * rng.uniform(0.03, 0.4) * times + rng.uniform(0, 6))
        off = float(rng.uniform(-0.4, 0.4))
        sound += level * breath * np.sin(2 * np.pi * (partial * tonic_hz + off) * times + rng.uniform(0, 6))
    return _unit(sound)


def beat(form: Form, rng: Rng, rate_hz: int, frames: int) -> Sound:
    """A drum machine: kick on each beat, hats, claps, of sines and noise."""
    kick = _kick(rng, rate_hz)
    hat = _burst(rng, rate_hz, decay_s=float(rng.uniform(0.015, 0.06)), high=True)
    clap = _burst(rng, rate_hz, decay_s=float(rng.uniform(0.06, 0.2)), high=False)
    hats = rng.random(4) < 0.6
    hats[2] = True
    broken = rng.random() < 0.35
    kicks = rng.random(8) < 0.35
    sound = np.zeros(frames)
    for step in range(int(form.beats * 4)):
        at_s = form.seconds(step / 4)
        if (kicks[step // 2 % 8] and step % 2 == 0) if broken else step % 4 == 0:
            _add(sound, kick, at_s, rate_hz)
        if hats[step % 4]:
            _add(sound, 0.35 * rng.uniform(0.6, 1) * hat, at_s, rate_hz)
        if step % 8 == 4:
            _add(sound, 0.6 * clap, at_s, rate_hz)
    return _unit(sound)


MAKERS: Mapping[str, Callable[[Form, Rng, int, int], Sound]] = {
    maker.__name__: maker for maker in (beat, saws, plucks, bells, sub, sweep, acid, drone)
}
LAYERS = tuple(MAKERS)


def pumping(form: Form, *, depth: float, rate_hz: int, frames: int) -> Sound:
    """The gain of a compressor that ducks on each beat, 1 - `depth` to 1."""
    beats = np.arange(frames) / rate_hz * form.tempo_bpm / 60
    return np.asarray(1 - depth * np.exp(-4 * (beats % 1)))


def saw(hz: float, frames: int, rate_hz: int, *, phase: float = 0.0) -> Sound:
    """A saw without aliasing steps, -1 to 1."""
    step = hz / rate_hz
    turn = (phase + step * np.arange(frames)) % 1.0
    wave = np.asarray(2 * turn - 1, np.float64)
    late, early = turn < step, turn > 1 - step
    after, before = turn[late] / step, (turn[early] - 1) / step
    wave[late] -= 2 * after - after * after - 1
    wave[early] -= before * before + 2 * before + 1
    return wave


def _hz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _add(sound: Sound, tone: Sound, start_s: float, rate_hz: int) -> None:
    start = round(start_s * rate_hz)
    room = max(0, min(tone.size, sound.size - start))
    if room:
        sound[start : start + room] += tone[:room]


def _swell(frames: int, attack_s: float, release_s: float, rate_hz: int) -> Sound:
    rise = np.minimum(1, np.arange(frames) / max(1, attack_s * rate_hz))
    fall = np.minimum(1, np.arange(frames)[::-1] / max(1, release_s * rate_hz))
    return np.asarray(rise * fall)


def _low_passed(sound: Sound, hz: float, rate_hz: int) -> Sound:
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(2, min(hz, 0.45 * rate_hz), fs=rate_hz, output="sos"), sound))


def _swept(sound: Sound, rng: Rng, *, low_hz: float, high_hz: float, rate_hz: int) -> Sound:
    """Between two low-passed copies, slowly to and fro."""
    period_s = float(rng.uniform(2, 16))
    open_share = 0.5 - 0.5 * np.cos(
        2 * np.pi * np.arange(sound.size) / rate_hz / period_s + rng.uniform(0, 6)
    )
    closed, opened = _low_passed(sound, low_hz, rate_hz), _low_passed(sound, high_hz, rate_hz)
    return np.asarray(closed + open_share * (opened - closed))


def _echoed(sound: Sound, delay_s: float, share: float, rate_hz: int) -> Sound:
    echoed = sound.copy()
    for turn in range(1, 5):
        late = round(turn * delay_s * rate_hz)
        if late < sound.size:
            echoed[late:] += share**turn * sound[: sound.size - late]
    return echoed


def _kick(rng: Rng, rate_hz: int) -> Sound:
    times = np.arange(round(0.4 * rate_hz)) / rate_hz
    low_hz, drop_hz = float(rng.uniform(40, 65)), float(rng.uniform(60, 250))
    turn = 2 * np.pi * (low_hz * times - drop_hz * 0.03 * np.exp(-times / 0.03))
    return np.asarray(np.sin(turn) * np.exp(-times / rng.uniform(0.08, 0.25)), np.float64)


def _burst(rng: Rng, rate_hz: int, *, decay_s: float, high: bool) -> Sound:
    from scipy.signal import butter, sosfilt

    frames = round(5 * decay_s * rate_hz)
    noise = rng.standard_normal(frames) * np.exp(-np.arange(frames) / (decay_s * rate_hz))
    band = (
        butter(2, 6000, "high", fs=rate_hz, output="sos")
        if high
        else butter(1, (800, 4000), "band", fs=rate_hz, output="sos")
    )
    return _unit(np.asarray(sosfilt(band, noise)))


def _unit(sound: Sound) -> Sound:
    return np.asarray(sound / max(1e-9, float(np.abs(sound).max(initial=0))))
