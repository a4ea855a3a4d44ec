"""Examples whose labels are exact, and how far labels are from a sound."""

import os
import re
from pathlib import Path

import numpy as np
import soundfile

from ripieno.contracts import Audio, Envelope, Example, Licence, Note, Performance, Stream
from ripieno.contracts.performance import DYNAMICS, PITCH
from ripieno.toolkit.measuring.agreement import onset_errors_s, pitch_errors_cents
from ripieno.toolkit.measuring.measure import measure_voice

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
RATE_HZ = 48000
OWN = Licence("CC0-1.0", source="tests")


def example(
    *, seconds: float = 4.0, rate_hz: int = RATE_HZ, channels: int = 1, seed: int = 0, gap_s: float = 0.25
) -> Example:
    """Tones of seven harmonics after silence, each with a pitch, a level and a vibrato's rate of its own."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * rate_hz))
    notes, onset_s = [], 0.2
    while onset_s + 0.45 < seconds:
        duration_s = rng.uniform(0.25, 0.4)
        first, count = round(onset_s * rate_hz), round(duration_s * rate_hz)
        pitch_midi, peak = float(rng.uniform(50, 80)), float(rng.uniform(0.03, 0.2))
        sound = tone(pitch_midi, count, rate_hz=rate_hz, peak=peak)
        samples[first : first + count] += sound
        onset_s, end_s = first / rate_hz, (first + count) / rate_hz
        level_dbfs = 10 * np.log10(np.mean(sound[count // 4 : -count // 4] ** 2))
        values = {PITCH: pitch_midi, DYNAMICS: level_dbfs, "vibrato_rate_hz": 5.0, "vibrato_depth_cents": 9.0}
        envelopes = {name: Envelope([onset_s], [value]) for name, value in values.items()}
        notes.append(Note(onset_s, end_s, "sustained", "arco", envelopes, drive_onset_s=onset_s))
        onset_s = end_s + gap_s
    performance = Performance(
        (Stream("violin", tuple(notes)),),
        rate_hz,
        samples.size / rate_hz,
        field_provenance={PITCH: "synthetic"},
        licences=(OWN,),
    )
    gains = 1 / np.arange(1, channels + 1)
    return Example(Audio(np.outer(gains, samples).astype(np.float32), rate_hz), performance)


def tone(pitch_midi: float, frames: int, *, rate_hz: int, peak: float) -> np.ndarray:
    """A tone that rises in 4 ms and falls in 20."""
    times_s = np.arange(frames) / rate_hz
    frequency_hz = 440 * 2 ** ((pitch_midi - 69) / 12)
    shape = np.minimum(1, times_s / 0.004) * np.minimum(1, (times_s[-1] - times_s) / 0.02)
    harmonics = (number for number in range(1, 8) if number * frequency_hz < 0.45 * rate_hz)
    return peak * shape * sum(np.sin(2 * np.pi * frequency_hz * n * times_s) / n for n in harmonics)


def silent(given: Example) -> Example:
    """The same labels over silence."""
    return Example(Audio(0 * given.audio.samples, given.audio.rate_hz), given.performance)


def first_frames(given: Example, frames: int) -> Example:
    """The beginning of an example, without notes."""
    audio = Audio(given.audio.samples[:, :frames], given.audio.rate_hz)
    return Example(audio, Performance((), audio.rate_hz, audio.duration_s))


def pitch_errors(given: Example) -> np.ndarray:
    """Cents, in the bodies of notes."""
    return pitch_errors_cents(given.audio.samples[0], given.performance.notes, rate_hz=given.audio.rate_hz)


def onset_errors_ms(given: Example) -> np.ndarray:
    """Milliseconds, for notes after silence."""
    return 1000 * onset_errors_s(given.audio.samples[0], given.performance.notes, rate_hz=given.audio.rate_hz)


def level_errors_db(given: Example) -> np.ndarray:
    """Level of the first channel in the middle half of each note, less its label."""
    errors = []
    for note in given.performance.notes:
        start_s = note.onset_s + note.duration_s / 4
        times_s = np.linspace(start_s, start_s + note.duration_s / 2, 50)
        first, last = (round(float(time_s) * given.audio.rate_hz) for time_s in times_s[[0, -1]])
        measured = np.mean(given.audio.samples[0, first:last].astype(float) ** 2)
        labelled = np.mean(10 ** (note.envelopes[DYNAMICS].at(times_s) / 10))
        errors.append(10 * np.log10(measured / labelled))
    return np.array(errors)


def recorded(library: str, *, notes: int = 9, sounding_s: float = 0.5, gap_s: float = 0.4) -> Example:
    """Single notes of a sampled instrument with silence between them, labelled by what is measured in them.

    Parameters
    ----------
    library : str
        An SFZ file below ``sfz``: sample, pitch_keycenter and offset of its regions are read.
    """
    regions = _regions(DATA / "sfz" / library)
    every = max(1, len(regions) // notes)
    planned, parts, rate_hz, frames = [], [], RATE_HZ, 0
    for path, pitch_midi, offset in regions[::every]:
        sound, rate_hz = soundfile.read(path, start=offset, always_2d=True)
        sound = sound[: round(sounding_s * rate_hz), 0]
        sound = sound * np.minimum(1, np.arange(sound.size, 0, -1) / (0.02 * rate_hz))
        silence = np.zeros(round(gap_s * rate_hz))
        onset_s = (frames + silence.size) / rate_hz
        frames += silence.size + sound.size
        parts += [silence, 0.3 * sound / np.abs(sound).max()]
        pitch = Envelope([onset_s], [pitch_midi])
        planned.append(Note(onset_s, frames / rate_hz, "sustained", "", {PITCH: pitch}))
    samples = np.concatenate([*parts, np.zeros(rate_hz // 2)]).astype(np.float32)
    measured = measure_voice(samples, planned, rate_hz=rate_hz)
    stream = Stream("some", tuple(one.note for one in measured))
    performance = Performance(
        (stream,), rate_hz, samples.size / rate_hz, field_provenance={PITCH: "analysis"}
    )
    return Example(Audio(samples, rate_hz), performance)


def _regions(sfz: Path) -> list[tuple[Path, float, int]]:
    """Sample, pitch and offset of the regions of an SFZ file that name a key."""
    regions = []
    text = sfz.read_text(encoding="utf-8", errors="replace")
    for region in text.split("<region>")[1:]:
        found = dict(re.findall(r"(\w+)=(.+?)(?=\s+\w+=|\s*\n|\s*$)", region))
        path = sfz.parent / "samples" / Path(found["sample"].replace("\\", "/")).name
        key = found.get("pitch_keycenter", found.get("key", ""))
        if key.isdigit():
            regions.append((path, float(key), int(found.get("offset", 0))))
    return regions
