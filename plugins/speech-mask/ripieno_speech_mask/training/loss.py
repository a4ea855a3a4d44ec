"""How far a masked mixture is from the speech in it."""

import torch
from torch import Tensor

COMPRESSION = 0.3
COMPRESSED_SHARE = 4.0
_NEAR_ENOUGH = 1e-3
_SILENT = 1e-4
_FLOOR = 1e-5


def mask_loss(mask: Tensor, mixture: Tensor, speech: Tensor, both: Tensor) -> Tensor:
    """Error of the spectrum in bels against the speech, and of its compressed magnitude; a number a clip.

    A clip whose speech is 40 dB below the mixture has none: its error counts against the mixture.

    Parameters
    ----------
    mask : Tensor [clips, frames, bins]
    mixture, speech : Tensor [clips, frames, bins]
        Powers of the mixture and of the speech, on a scale where the mixture's mean is 1.
    both : Tensor [clips, frames, bins]
        Real part of the speech's spectrum times the mixture's conjugate.

    References
    ----------
    Braun, Tashev: A consolidated view of loss functions for supervised deep learning-based speech
    enhancement. TSP 2021.
    """
    error = (speech - 2 * mask * both + mask.square() * mixture).clamp(min=0).mean(dim=(1, 2))
    level = speech.mean(dim=(1, 2))
    against = torch.where(level > _SILENT, level, torch.ones_like(level))
    bels = torch.log10(error / against + _NEAR_ENOUGH)
    return bels + COMPRESSED_SHARE * (
        _compressed(mask.square() * mixture) - _compressed(speech)
    ).square().mean(dim=(1, 2))


def _compressed(power: Tensor) -> Tensor:
    return (power + _FLOOR).pow(COMPRESSION / 2)
