"""Soft noise without seams.

Conventions
-----------
A texture is float32 [height, width], mean 0, standard deviation 1; opposite edges meet. Its power falls with
frequency as 1 / f ** (2 * slope): slope 1 looks like clouds, 0.4 like sand (fractional Brownian motion
has slope hurst + 1).
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def texture(
    size: tuple[int, int], *, slope: float, longest: float, shortest: float, rng: Generator
) -> NDArray[np.float32]:
    """Noise made of waves between two lengths.

    Parameters
    ----------
    size : (int, int)
        Width and height.
    slope : float
        How fast the amplitude falls with frequency.
    longest, shortest : float
        Wavelengths in pixels between which it lives; its ends are soft.
    rng : Generator
        Draws it.
    """
    width, height = size
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = 1.0
    gain = frequency**-slope * np.exp(-((frequency * shortest) ** 2) - (1 / (frequency * longest)) ** 2)
    gain[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum * gain, (height, width))
    scale = noise.std()
    soft: NDArray[np.float32] = (noise / scale if scale > 0 else noise).astype(np.float32)
    return soft
