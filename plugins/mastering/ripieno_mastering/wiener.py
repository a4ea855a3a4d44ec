"""A Wiener filter after a separation, its noise what the separation took out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Joiner

from .masks import Mask
from .spans import Grid, SpectralConfig, apply_gains, check_same_shape, smoothed


class WienerConfig(SpectralConfig):
    """Settings of `Wiener`."""

    beta: float = Field(
        1.0,
        ge=0,
        le=100,
        description="How many times the rest's power counts as noise; 0 passes the mixture.",
    )
    floor: float = Field(0.02, ge=0, le=1, description="The gain is never below this.")


class Wiener(Joiner[WienerConfig]):
    """Parametric Wiener filter: the gain S / (S + beta N) of powers, with a floor, on the mixture.

    N is what the separation took out, S the estimate. The gain goes to the mixture and not to the estimate,
    which has lost once already what the gain would take again.

    References
    ----------
    Lim, Oppenheim: Enhancement and bandwidth compression of noisy speech. Proc. IEEE 67(12), 1979.
    Berouti, Schwartz, Makhoul: Enhancement of speech corrupted by acoustic noise. ICASSP 1979 (beta, floor).
    """

    def join(self, mixture: Audio, estimate: Audio) -> Audio:
        """The part, filtered.

        Parameters
        ----------
        mixture : Audio
            Any rate and channels.
        estimate : Audio
            Of the part, of the mixture's rate, channels and length.

        Returns
        -------
        Audio
            Of the mixture's rate, channels and length.

        Raises
        ------
        InputError
            If the estimate has another rate, length or number of channels.
        """
        check_same_shape(mixture, estimate, name="the estimate", reference_name="the mixture")
        grid = Grid.of(mixture.rate_hz, window_ms=self.config.window_ms)
        total = grid.count(mixture.frames)

        def powers(first: int, last: int) -> NDArray[Any]:
            self.context.progress(first, total, unit="frames")
            part = grid.spectra(estimate, first, last)
            rest = grid.spectra(mixture, first, last) - part
            return np.stack([_power(part), _power(rest)], axis=1)

        averaged = smoothed(powers, grid=grid, total=total, config=self.config)

        def gains(first: int, last: int) -> Mask:
            part, rest = np.moveaxis(averaged(first, last), 1, 0)
            noisy = part + self.config.beta * rest
            gain = np.divide(part, noisy, out=np.ones_like(part), where=noisy > 0)
            return np.asarray(np.maximum(gain, self.config.floor), np.float32)

        with self.context.audio_writer(mixture.format) as writer:
            apply_gains(mixture, gains, grid=grid, writer=writer)
            return writer.close()


def _power(spectra: NDArray[np.complex64]) -> NDArray[np.float64]:
    # Squares leave the range of float32 at samples of 1e16.
    return np.square(np.abs(spectra), dtype=np.float64)
