"""What the networks are blamed for.

References
----------
Goodfellow et al.: Generative adversarial nets. NeurIPS 2014.
Mescheder, Geiger, Nowozin: Which training methods for GANs do actually converge? ICML 2018.
Karras et al.: Analyzing and improving the image quality of StyleGAN. CVPR 2020 (the lazy penalty).
Salimans et al.: Improved techniques for training GANs. NeurIPS 2016 (feature matching).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

SCALES = 4
SURROUNDINGS = 1 / 100
"""Share of a picture that a place of the discriminator sees: some 24 x 24 of 256 x 256 pixels."""
OVERLAP = 5
"""Places that see the same pixel, about."""


def difference(drawn: Tensor, real: Tensor) -> Tensor:
    """Mean absolute error at four scales, and that of the slopes at two."""
    total = torch.zeros((), device=drawn.device)
    for scale in range(SCALES):
        total = total + (drawn - real).abs().mean()
        if scale < 2:
            for axis in (2, 3):
                total = total + (drawn.diff(dim=axis) - real.diff(dim=axis)).abs().mean()
        drawn, real = functional.avg_pool2d(drawn, 2), functional.avg_pool2d(real, 2)
    return total


def colour_difference(drawn: Tensor, real: Tensor) -> Tensor:
    """For RGB: error of chroma, and of the mean saturation, without which colours turn grey on the way."""
    chroma = (_chroma(drawn) - _chroma(real)).abs().mean()
    return chroma + (saturation(drawn).mean() - saturation(real).mean()).abs()


def saturation(rgb: Tensor) -> Tensor:
    """How far the channels are apart, of the largest: that of HSV, [n, h, w]."""
    largest, least = rgb.amax(dim=1), rgb.amin(dim=1)
    return (largest - least) / largest.clamp(min=0.05)


def _chroma(rgb: Tensor) -> Tensor:
    return functional.avg_pool2d(rgb - rgb.mean(dim=1, keepdim=True), 4)


def judged_right(real: Tensor, drawn: Tensor) -> Tensor:
    """Logistic loss of the discriminator over logits [n, places]."""
    return functional.softplus(-real).mean() + functional.softplus(drawn).mean()


def judged_wrong(drawn: Tensor) -> Tensor:
    """Logistic loss of the generator, which does not saturate."""
    return functional.softplus(-drawn).mean()


def r1(logits: Tensor, pictures: Tensor) -> Tensor:
    """Half the square of the slope of a place's logit at real pictures, the mean over places and pictures.

    The slope of the sum of logits stands for those of single places: where these see other pixels the squares add
    up, where they see the same ones the slopes do. A weight that papers give is meant for a judge of whole pictures;
    one who sees a hundredth of the pixels needs a slope ten times as steep for the same verdict. Pictures are 0 to
    1; a step of the -1 to 1 that papers use is twice as long.
    """
    (slopes,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return SURROUNDINGS / OVERLAP * slopes.square().sum(dim=(1, 2, 3)).mean() / (4 * 2 * logits.shape[1])


def mismatch(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of what the discriminator saw, each side beside its own size."""
    parts = [
        (one - other.detach()).abs().mean() / other.detach().abs().mean().clamp(min=1e-3)
        for one, other in zip(seen, wanted, strict=True)
    ]
    return torch.stack(parts).mean()
