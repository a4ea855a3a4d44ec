"""The network, as it is trained and exported."""

import torch
from torch import Tensor, nn

from ..features import BINS, FEATURES

WIDTH = 256
KERNEL = 3
DILATIONS = (1, 2, 4, 8, 16, 32, 64)


class MaskNetwork(nn.Module):
    """Dilated causal convolutions over mel bands, and a mask for each bin.

    Frames go in one after the other; what is remembered between two calls goes in and comes out. A frame is
    heard with the four seconds before it. The mask belongs to the frame `look_ahead` frames back, whose own
    levels are given to the last layer beside what was heard. One further output, the gate, says whether there
    is speech at all.

    Convolutions and not recurrent layers, written as products of matrices: a training step of many frames is
    a few large ones, which a CPU does in half the time.

    Parameters
    ----------
    look_ahead : int
        Frames, >= 0.

    References
    ----------
    Bai, Kolter, Koltun: An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling. 2018.
    Zhang, Sennrich: Root mean square layer normalization. NeurIPS 2019.
    """

    def __init__(self, look_ahead: int) -> None:
        super().__init__()
        self.look_ahead = look_ahead
        self.heard = nn.Linear(FEATURES, WIDTH)
        self.layers = nn.ModuleList(Layer(dilation) for dilation in DILATIONS)
        self.last = Scale()
        self.own = nn.Linear(FEATURES, WIDTH)
        self.mask = nn.Linear(WIDTH, BINS)
        self.gate = nn.Linear(WIDTH, 1)

    def states(self, clips: int) -> list[Tensor]:
        """What is remembered at the beginning: nothing. First features, then of each layer."""
        layers = [torch.zeros(clips, layer.remembered, WIDTH) for layer in self._layers()]
        return [torch.zeros(clips, self.look_ahead, FEATURES), *layers] if self.look_ahead else layers

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Masks of frames, and what is remembered after them.

        Parameters
        ----------
        features : Tensor [clips, frames, 128]
        *states : Tensor
            As `states` or the call before gave them.

        Returns
        -------
        mask : Tensor [clips, frames, 513]
            0 to 1; the i-th belongs to frame i - look_ahead.
        *states : Tensor
        """
        before = list(states)
        after = []
        # About zero mean and unit variance.
        levels = features * 3 + 1.5
        own = levels
        if self.look_ahead:
            kept = torch.cat([before.pop(0), levels], dim=1)
            own, past = kept[:, : levels.shape[1]], kept[:, -self.look_ahead :]
            after.append(past)
        signal = torch.relu(self.heard(levels))
        for layer, past in zip(self._layers(), before, strict=True):
            signal, past = layer(signal, past)
            after.append(past)
        signal = self.last(signal)
        mask = torch.sigmoid(self.mask(torch.relu(signal + self.own(own)))) * torch.sigmoid(self.gate(signal))
        return (mask, *after)

    def _layers(self) -> "list[Layer]":
        return [layer for layer in self.layers if isinstance(layer, Layer)]


class Layer(nn.Module):
    """A causal convolution whose result is added to what it heard.

    Parameters
    ----------
    dilation : int
        Frames between those that it joins, > 0.
    """

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.remembered = dilation * (KERNEL - 1)
        self.scale = Scale()
        self.dilation = dilation
        self.joined = nn.Linear(KERNEL * WIDTH, WIDTH)

    def forward(self, signal: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """The signal [clips, frames, 256], and what is remembered of it [clips, remembered, 256]."""
        heard = torch.cat([past, self.scale(signal)], dim=1)
        frames = signal.shape[1]
        taps = [heard[:, tap * self.dilation : tap * self.dilation + frames] for tap in range(KERNEL)]
        return signal + torch.relu(self.joined(torch.cat(taps, dim=2))), heard[:, -self.remembered :]


class Scale(nn.Module):
    """Each frame divided by its root mean square, each channel times a learned gain."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(WIDTH))

    def forward(self, signal: Tensor) -> Tensor:
        """The signal [clips, frames, 256], scaled."""
        return signal * torch.rsqrt(signal.square().mean(dim=2, keepdim=True) + 1e-4) * self.gain
