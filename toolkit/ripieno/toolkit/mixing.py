"""Change of the number of channels."""

import numpy as np
from numpy.typing import NDArray

_HALF_POWER = 0.5**0.5
# Left and right of L R C, L R C Ls Rs, L R C LFE Ls Rs and L R C LFE with two pairs of surrounds.
_STEREO_OF = {
    3: ((1, 0, _HALF_POWER), (0, 1, _HALF_POWER)),
    5: ((1, 0, _HALF_POWER, _HALF_POWER, 0), (0, 1, _HALF_POWER, 0, _HALF_POWER)),
    6: ((1, 0, _HALF_POWER, 0, _HALF_POWER, 0), (0, 1, _HALF_POWER, 0, 0, _HALF_POWER)),
    8: (
        (1, 0, _HALF_POWER, 0, _HALF_POWER, 0, _HALF_POWER, 0),
        (0, 1, _HALF_POWER, 0, 0, _HALF_POWER, 0, _HALF_POWER),
    ),
}


def mix_gains(channels: int, wanted: int) -> NDArray[np.float64]:
    """Gains from one number of channels to another, channels in the order of WAV.

    Parameters
    ----------
    channels, wanted : int
        Numbers of channels, > 0.

    Returns
    -------
    float64 array [wanted, channels]

    Notes
    -----
    Mono is the mean of all channels, and is copied to as many as are wanted. 3, 5, 6 or 8 channels become
    stereo by BS.775, without the low-frequency channel and without scaling: a loud mix may pass full scale.
    Otherwise output i is the mean of channels i, i + wanted, …, and silence where there are none.

    References
    ----------
    ITU-R BS.775-3: Multichannel stereophonic sound system with and without accompanying picture. 2012.
    """
    if channels == 1:
        return np.ones((wanted, 1))
    if wanted == 2 and channels in _STEREO_OF:
        return np.array(_STEREO_OF[channels])
    gains = np.zeros((wanted, channels))
    gains[np.arange(channels) % wanted, np.arange(channels)] = 1
    gains /= np.maximum(gains.sum(axis=1, keepdims=True), 1)
    return gains


def mix(samples: NDArray[np.float32], *, gains: NDArray[np.float64]) -> NDArray[np.float32]:
    """Apply gains [outputs, channels] to samples [channels, frames]; a block's bits do not depend on its size."""
    # Not a matrix product: its last bits depend on its size, and so on the blocks.
    mixed = np.zeros((len(gains), samples.shape[1]))
    for output, weights in zip(mixed, gains, strict=True):
        for channel in np.flatnonzero(weights):
            output += weights[channel] * samples[channel].astype(np.float64)
    return mixed.astype(np.float32)
