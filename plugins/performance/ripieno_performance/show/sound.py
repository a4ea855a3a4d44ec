"""The recording behind a performance: found beside it, seen as a spectrogram, embedded in a page.

Conventions
-----------
A spectrogram is uint8 [rows, columns]: columns are evenly spaced in time from 0 to the recording's end,
rows in pitch from high to low; 255 is the loudest point and 0 lies `DYNAMIC_RANGE_DB` or more below it.
"""

import io
import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError, MissingError

from .style import hertz

if TYPE_CHECKING:
    from soundfile import SoundFile

SUFFIXES = (".flac", ".wav")
DYNAMIC_RANGE_DB = 66.0
ROWS_PER_SEMITONE = 5
COLUMN_S, MOST_COLUMNS = 0.005, 4000
# A window is as long as this many periods: long enough for semitones, short enough for a vibrato.
PERIODS, SHORTEST, LONGEST = 44, 1024, 16384
COLUMNS_AT_ONCE = 256
# Noise steps back behind the notes.
CONTRAST = np.round(255 * (np.arange(256) / 255) ** 1.8).astype(np.uint8)
MOST_EMBEDDED_BYTES = 6_000_000


def stem_of(path: Path) -> str:
    """Name of a document without ``.cont`` and ``.gz``."""
    name = path.name.removesuffix(".gz")
    return name.removesuffix(".cont")


def find_sound(path: Path) -> Path | None:
    """The recording beside a document, by its stem."""
    candidates = (path.with_name(stem_of(path) + suffix) for suffix in SUFFIXES)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def open_sound(path: Path) -> "SoundFile":
    """A recording, to be read.

    Raises
    ------
    InputError
        If it is no sound that can be read.
    """
    try:
        import soundfile
    except ImportError as error:
        raise MissingError("drawing sound needs soundfile. Run: pip install soundfile") from error
    try:
        return soundfile.SoundFile(path)
    except (OSError, soundfile.SoundFileError) as error:
        reason = "no such file" if not path.exists() else str(error).rsplit(": ", 1)[-1]
        raise InputError(
            f"{path}: cannot be read as sound ({reason.rstrip('.')}); give a WAV or FLAC file"
        ) from error


def length_s(path: Path) -> float:
    """Seconds that a recording lasts."""
    with open_sound(path) as sound:
        return float(sound.frames / sound.samplerate)


def spectrogram(path: Path, *, low_midi: float, high_midi: float) -> NDArray[np.uint8]:
    """Levels over time and pitch, each row by a window of as many periods.

    Parameters
    ----------
    path : Path
        Read in pieces, so that its length does not matter.
    low_midi, high_midi : float
        Lower and upper edge.

    References
    ----------
    Brown: Calculation of a constant Q spectral transform. JASA 89(1), 1991. Here each row is blended from
    the two FFTs whose windows, in powers of two, hold somewhat less and somewhat more periods.
    """
    rows = round((high_midi - low_midi) * ROWS_PER_SEMITONE)
    pitches = high_midi - (np.arange(rows) + 0.5) / ROWS_PER_SEMITONE
    frequencies_hz = np.array([hertz(pitch) for pitch in pitches])
    with open_sound(path) as sound:
        if not sound.frames:
            return np.zeros((rows, 1), np.uint8)
        columns = int(np.clip(sound.frames / sound.samplerate / COLUMN_S, 1, MOST_COLUMNS))
        powers = np.zeros((rows, columns), np.float32)
        for first in range(0, columns, COLUMNS_AT_ONCE):
            count = min(COLUMNS_AT_ONCE, columns - first)
            centres = ((np.arange(first, first + count) + 0.5) * sound.frames / columns).astype(np.int64)
            powers[:, first : first + count] = _columns(sound, centres, frequencies_hz)
    levels_db = 10 * np.log10(powers + 1e-14)
    top_db = max(float(levels_db.max()), -60.0)
    shades = 255 * np.clip(1 + (levels_db - top_db) / DYNAMIC_RANGE_DB, 0, 1)
    rounded: NDArray[np.uint8] = np.round(shades).astype(np.uint8)
    return rounded


def _columns(
    sound: "SoundFile", centres: NDArray[np.int64], frequencies_hz: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Powers [rows, columns] around the samples `centres`."""
    begin = int(centres[0]) - LONGEST // 2
    samples = np.zeros(int(centres[-1]) - int(centres[0]) + LONGEST, np.float32)
    sound.seek(max(begin, 0))
    read = sound.read(samples.size - max(-begin, 0), dtype="float32", always_2d=True).mean(axis=1)
    samples[max(-begin, 0) :][: read.size] = read
    samples = np.nan_to_num(samples)
    wanted = np.log2(np.clip(PERIODS * sound.samplerate / frequencies_hz, SHORTEST, LONGEST))
    powers = np.zeros((frequencies_hz.size, centres.size), np.float32)
    for exponent in range(int(np.floor(wanted.min())), int(np.ceil(wanted.max())) + 1):
        share = 1 - np.abs(wanted - exponent)
        rows = (share > 0).nonzero()[0]
        if rows.size:
            bins = frequencies_hz[rows] / sound.samplerate
            powers[rows] += share[rows, None] * _powers(samples, centres - begin, bins, size=1 << exponent)
    # Above half the sample rate there is nothing to see.
    powers[frequencies_hz > sound.samplerate / 2] = 0
    return powers


def _powers(
    samples: NDArray[np.float32], centres: NDArray[np.int64], frequencies: NDArray[np.float64], *, size: int
) -> NDArray[np.float32]:
    """Powers [frequencies, centres] by one FFT; frequencies in cycles a sample, a full-scale sine is 1."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[centres - size // 2]
    window = np.hanning(size).astype(np.float32)
    spectra = np.abs(np.fft.rfft(windows * (2 / window.sum() * window), 2 * size)).T ** 2
    bins = np.minimum(frequencies * 2 * size, size - 1e-6)
    left, part = np.floor(bins).astype(int), (bins % 1)[:, None]
    blended: NDArray[np.float32] = (1 - part) * spectra[left] + part * spectra[left + 1]
    return blended


def source_of(path: Path, folder: Path) -> str:
    """Address of a recording for a page in `folder`: the sound itself where it is small, else a link."""
    with open_sound(path) as sound:
        # Four bytes a sample are what a 24 bit FLAC never reaches, and what base64 makes of three.
        if sound.frames * sound.channels * 4 <= MOST_EMBEDDED_BYTES:
            return f"data:audio/flac;base64,{b64encode(_flac(path, sound)).decode()}"
    return link(path, folder)


def link(path: Path, folder: Path) -> str:
    """Relative address of a file, for a page in `folder`."""
    try:
        return quote(Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix())
    except ValueError:
        # On another drive.
        return path.absolute().as_uri()


def _flac(path: Path, sound: "SoundFile") -> bytes:
    if sound.format == "FLAC":
        return path.read_bytes()
    import soundfile

    packed = io.BytesIO()
    subtype = "PCM_16" if sound.subtype == "PCM_16" else "PCM_24"
    samples = np.clip(np.nan_to_num(sound.read(dtype="float32", always_2d=True)), -1, 1)
    soundfile.write(packed, samples, sound.samplerate, format="FLAC", subtype=subtype)
    return packed.getvalue()


def as_png(levels: NDArray[np.uint8]) -> str:
    """A spectrogram as the address of a PNG that is black, and the more opaque the louder."""
    from PIL import Image

    packed = io.BytesIO()
    image = Image.merge(
        "LA", (Image.new("L", levels.shape[::-1]), cast(Any, Image.fromarray(CONTRAST[levels])))
    )
    image.save(packed, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(packed.getvalue()).decode()}"
