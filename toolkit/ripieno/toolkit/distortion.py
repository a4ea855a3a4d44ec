"""How far an estimate of a source is from the truth, and how much of another source is left in it.

Conventions
-----------
Samples are [channels, frames] or [frames], any float; sums are float64. All signals of one measure have the
same shape and start at the same instant. Figures are in dB: inf, -inf and nan are results, each said where it
can come. The meters take long signals block by block; the functions are one push of them.

References
----------
Le Roux, Wisdom, Erdogan, Hershey: SDR - half-baked or well done? ICASSP 2019.
Vincent, Gribonval, Fevotte: Performance measurement in blind audio source separation. IEEE TASLP 14(4), 2006.
Emiya, Vincent, Harlander, Hohmann: Subjective and objective quality assessment of audio source separation.
IEEE TASLP 19(7), 2011.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

from .framing import frames, hann

# What float64 sums leave of a difference between equal signals: 140 dB.
_ROUNDING = 1e-14
_WINDOW_S = 0.064
_TILE_FRAMES, _TILE_BINS = 4, 4
# A constant stands in bins 0 and 1 under a Hann window, and is neither speech nor music.
_FIRST_BIN = 2
# Relative to a tile's energy: a source 80 dB below the other one is not told from its rounding.
_RIDGE = 1e-8


def si_sdr_db(estimate: NDArray[Any], reference: NDArray[Any]) -> float:
    """Scale-invariant signal-to-distortion ratio of zero-mean signals, the mean over channels.

    Parameters
    ----------
    estimate, reference : float array [channels, frames] or [frames]
        Of one shape.

    Returns
    -------
    float
        As `SiSdrMeter.db`.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    estimate, reference = np.atleast_2d(estimate), np.atleast_2d(reference)
    meter = SiSdrMeter(channels=reference.shape[0])
    meter.push(estimate, reference)
    return meter.db


def residual_music_db(
    estimate: NDArray[Any], *, speech: NDArray[Any], music: NDArray[Any], rate_hz: int
) -> float:
    """Music that is left in the estimate, against the mix of `speech` and `music`.

    Parameters
    ----------
    estimate, speech, music : float array [channels, frames] or [frames]
        Of one shape; `speech` and `music` are the true parts of the mix, at their levels in it.
    rate_hz : int

    Returns
    -------
    float
        As `ResidualMusicMeter.db`.

    Raises
    ------
    InputError
        If the shapes differ, or the rate is too low.
    """
    meter = ResidualMusicMeter(rate_hz, channels=np.atleast_2d(speech).shape[0])
    meter.push(estimate, speech=speech, music=music)
    return meter.db


class SiSdrMeter:
    """Scale-invariant signal-to-distortion ratio of all that was pushed.

    Parameters
    ----------
    channels : int

    Notes
    -----
    Holds five sums a channel, however long the signals are.
    """

    def __init__(self, *, channels: int) -> None:
        self._frames = 0
        self._sums = np.zeros((2, channels))
        self._products = np.zeros((3, channels))

    def push(self, estimate: NDArray[Any], reference: NDArray[Any]) -> None:
        """Take the next samples [channels, frames] of both.

        Raises
        ------
        InputError
            If the shapes differ from each other or from `channels`.
        """
        e, r = _checked(self._sums.shape[1], estimate=estimate, reference=reference)
        self._frames += r.shape[1]
        self._sums += e.sum(axis=1), r.sum(axis=1)
        self._products += [np.einsum("cn,cn->c", *pair) for pair in ((e, e), (r, r), (e, r))]

    @property
    def db(self) -> float:
        """Mean over the channels whose reference is not constant; nan where there is none.

        inf where the estimate is the reference scaled, within the 140 dB that sums in float64 resolve; -inf
        where it is constant or orthogonal to the reference.
        """
        e, r = self._sums
        means = np.array([e * e, r * r, e * r]) / max(1, self._frames)
        estimates, references, both = self._products - means
        heard = references > _ROUNDING * self._products[1]
        targets = both[heard] ** 2 / references[heard]
        ratios = [_sdr_db(*energies) for energies in zip(targets, estimates[heard], strict=True)]
        return float(np.mean(ratios)) if ratios else math.nan


class ResidualMusicMeter:
    """Music left in an estimate of the speech in a mix, of all that was pushed.

    The estimate is projected on the span of the true speech and the true music, tile by tile of the
    time-frequency plane: in each tile (four frames of 64 ms that overlap by half, by four bins of 15.6 Hz) it
    is ``a * speech + b * music + rest`` with complex a, b by least squares. The music left is the energy of all
    ``b * music`` against that of all ``a * speech``, in dB, less the same ratio of the mix. So 0 dB is
    the mix at any gain, -15 dB has the music 15 dB lower under the voice, and what both share cancels: a
    gain, an equalizer, a gain that changes slowly in time. What lies below 31 Hz, an offset too, is not heard.

    Parameters
    ----------
    rate_hz : int
        From 1000 Hz.
    channels : int
        Each is projected alone; energies are summed over them.

    Raises
    ------
    InputError
        If the rate is too low.

    Notes
    -----
    One gain for the whole band or the whole file would miss what a mask lets through now and then. A mask
    still varies within a tile, so the figure is lower than the true energy of the masked music: by 1 to 2 dB,
    at most 4, for ratio and binary masks on speech and music from -5 to 10 dB. Artefacts of the speech
    resemble the music by chance: speech alone through such masks reads -19 to -37 dB, below which figures of
    different separators should not be told apart. Signals must be aligned within a few milliseconds.

    Holds 0.3 s of audio.
    """

    def __init__(self, rate_hz: int, *, channels: int) -> None:
        if rate_hz < 1000:
            raise InputError(f"cannot measure residual music at {rate_hz} Hz: resample to 1000 Hz or more")
        self._hop = round(rate_hz * _WINDOW_S / 2)
        # Half a window of silence before the beginning, so that every sample lies under two frames.
        self._pending = np.zeros((3, channels, self._hop))
        self._energies = np.zeros(4)

    def push(self, estimate: NDArray[Any], *, speech: NDArray[Any], music: NDArray[Any]) -> None:
        """Take the next samples [channels, frames] of all three.

        Raises
        ------
        InputError
            If the shapes differ from each other or from `channels`.
        """
        signals = _checked(self._pending.shape[1], estimate=estimate, speech=speech, music=music)
        held = np.concatenate([self._pending, signals], axis=2)
        advance = _TILE_FRAMES * self._hop
        start = 0
        while held.shape[2] - start >= advance + self._hop:
            self._energies += self._projected(held[:, :, start : start + advance + self._hop])
            start += advance
        self._pending = held[:, :, start:].copy()

    @property
    def db(self) -> float:
        """Music left against the mix: -inf where none is, inf where the speech is gone and music is not.

        nan where there was no music in the mix, or nothing is left of both. Where the mix had no speech, there
        is no level to match, and it is the plain ratio of music left to music.
        """
        rest = np.zeros((*self._pending.shape[:2], (_TILE_FRAMES + 1) * self._hop))
        rest[:, :, : self._pending.shape[2]] = self._pending
        speech_left, music_left, speech, music = self._energies + self._projected(rest)
        if music == 0:
            return math.nan
        if speech == 0:
            return _ratio_db(music_left, music)
        return _ratio_db(music_left, speech_left) - _ratio_db(music, speech)

    def _projected(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energies of one row of tiles: speech and music in the estimate, speech and music."""
        window = 2 * self._hop
        cut = frames(samples, window=window, hop=self._hop, centred=False)
        spectra = np.fft.rfft(cut * hann(window))
        spectra = spectra[..., _FIRST_BIN:]
        kept = spectra.shape[-1] // _TILE_BINS * _TILE_BINS
        tiles = spectra[..., :kept].reshape(*spectra.shape[:-1], -1, _TILE_BINS)
        inner = np.einsum("icftb,jcftb->ijct", tiles.conj(), tiles)
        ss, mm, sm, se, me = inner[1, 1].real, inner[2, 2].real, inner[1, 2], inner[1, 0], inner[2, 0]
        ridge = _RIDGE * (ss + mm) + np.finfo(float).tiny ** 0.5
        determinant = (ss + ridge) * (mm + ridge) - np.abs(sm) ** 2
        a = ((mm + ridge) * se - sm * me) / determinant
        b = ((ss + ridge) * me - sm.conj() * se) / determinant
        return np.array([(np.abs(a) ** 2 * ss).sum(), (np.abs(b) ** 2 * mm).sum(), ss.sum(), mm.sum()])


def _checked(channels: int, **signals: NDArray[Any]) -> NDArray[np.float64]:
    """The signals [signals, channels, frames], of one shape."""
    shaped = {name: np.atleast_2d(signal) for name, signal in signals.items()}
    shapes = {name: signal.shape for name, signal in shaped.items()}
    if len(set(shapes.values())) > 1 or any(shape[0] != channels for shape in shapes.values()):
        raise InputError(f"signals differ in channels or length: {shapes}; cut them to one shape")
    return np.array(list(shaped.values()), np.float64)


def _sdr_db(target: float, estimate: float) -> float:
    if target <= 0 or estimate <= 0:
        return -math.inf
    distortion = estimate - target
    return _ratio_db(target, distortion if distortion > _ROUNDING * estimate else 0.0)


def _ratio_db(above: float, below: float) -> float:
    if below == 0:
        return math.inf if above > 0 else math.nan
    return 10 * math.log10(above / below) if above > 0 else -math.inf
