"""The features that BeatNet's network hears: logarithmic filterbank levels, and how much they rose.

Conventions
-----------
Sound is mono float32 at 22 050 Hz. Frame i covers samples [441 i - 705, 441 i + 706), zeros outside the
sound, so that it is centred on sample 441 i; a sound of n samples has ceil(n / 441) frames, 50 a second.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 22050
HOP = 441
WINDOW = 1411
FRAMES_PER_S = RATE_HZ / HOP
AHEAD = WINDOW // 2
"""Samples of a window after its centre; as many lie before it."""
BANDS = 136

_BINS = WINDOW // 2
_LOWEST_HZ, _HIGHEST_HZ, _REFERENCE_HZ = 30.0, 17000.0, 440.0
_BANDS_PER_OCTAVE = 24


class BeatFeatures:
    """Features of windows, in order.

    A window costs about 40 microseconds alone and 25 among many, most of them the transform of
    1411 = 17 * 83 samples.

    References
    ----------
    Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and
    meter tracking. ISMIR 2021.
    """

    def __init__(self) -> None:
        self._taper = np.hanning(WINDOW).astype(np.float32)
        # Summed band by band: a BLAS product wakes further threads, and its last bits vary with their number.
        band, self._bins = np.nonzero(filterbank().T)
        self._weights = filterbank()[self._bins, band]
        self._first = np.searchsorted(band, np.arange(BANDS))
        self.reset()

    def reset(self) -> None:
        """Forget the frame before, as new."""
        self._before: NDArray[np.float32] | None = None

    def frames(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features [n, 272] of the next windows [n, 1411]; the same bits however they are split.

        The first 136 are log10(1 + magnitude) of each band, the others how much each rose since the frame
        before: 0 where it fell, and in the first frame.
        """
        if not len(windows):
            return np.zeros((0, 2 * BANDS), np.float32)
        spectra = np.fft.rfft(windows * self._taper)
        # NumPy before 2 transforms in double precision whatever it is given.
        magnitudes = np.abs(spectra).astype(np.float32, copy=False)
        bands = np.add.reduceat(magnitudes[:, self._bins] * self._weights, self._first, axis=1)
        levels = np.log10(bands + 1)
        before = np.concatenate([levels[:1] if self._before is None else self._before, levels[:-1]])
        self._before = levels[-1:]
        return np.concatenate([levels, np.maximum(levels - before, 0)], axis=1)


@cache
def filterbank() -> NDArray[np.float32]:
    """Bands over the bins of the transform, float32 [705, 136]; each column sums to 1.

    Centres lie 24 to the octave around 440 Hz, each at the bin nearest to it, once; in the bass, where
    several share a bin, a band is one bin wide. A band rises from the centre below its own and falls to
    the one above.

    References
    ----------
    Boeck, Krebs, Schedl: Evaluating the online capabilities of onset detection methods. ISMIR 2012.
    """
    centres, bins = _centres(), np.arange(_BINS)
    triples = zip(centres, centres[1:], centres[2:], strict=False)
    bands = np.stack([np.interp(bins, triple, (0, 1, 0)) for triple in triples], axis=1)
    return np.asarray(bands / bands.sum(axis=0), np.float32)


def _centres() -> NDArray[np.int64]:
    """Bins, ascending; those of the lowest and of the highest bound the outer bands."""
    lowest, highest = _BANDS_PER_OCTAVE * np.log2(np.array([_LOWEST_HZ, _HIGHEST_HZ]) / _REFERENCE_HZ)
    steps = np.arange(np.ceil(lowest), np.floor(highest) + 1)
    frequencies_hz = _REFERENCE_HZ * 2 ** (steps / _BANDS_PER_OCTAVE)
    # The weights were trained with bins taken to be 22050 / 1410 Hz apart, as in a window of 1410 samples.
    bins = np.rint(frequencies_hz * 2 * _BINS / RATE_HZ).astype(np.int64)
    return np.unique(np.minimum(bins, _BINS - 1))
