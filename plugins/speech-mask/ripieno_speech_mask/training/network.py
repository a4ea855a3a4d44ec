"""The network, as it is trained and exported."""

import torch
from torch import Tensor, nn

from ..features import BINS, FEATURES

CHANNELS = (16, 24, 32)
CONTEXT = 5
"""Frames that the first convolution sees: the present one and four before."""
UNITS = 288
HIDDEN = 400


class MaskNetwork(nn.Module):
    """Three convolutions over mel bands, two recurrent layers, and a mask for each bin.

    Frames go in one after the other; what is remembered between two calls goes in and comes out. The mask
    belongs to the frame `look_ahead` frames back: that frame's own levels are given to the last layers,
    because what a recurrent layer remembers of them is blurred. One further output, the gate, says whether
    there is speech at all.

    Parameters
    ----------
    look_ahead : int
        Frames, >= 0.

    References
    ----------
    Tan, Wang: A convolutional recurrent neural network for real-time speech enhancement. Interspeech 2018.
    """

    def __init__(self, look_ahead: int) -> None:
        super().__init__()
        self.look_ahead = look_ahead
        self.remembered = max(CONTEXT - 1, look_ahead)
        one, two, three = CHANNELS
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, one, (CONTEXT, 5), stride=(1, 2), padding=(0, 2)),
            nn.ReLU(),
            nn.Conv2d(one, two, (1, 3), stride=(1, 2), padding=(0, 1)),
            nn.ReLU(),
            nn.Conv2d(two, three, (1, 3), stride=(1, 2), padding=(0, 1)),
            nn.ReLU(),
        )
        self.narrowed = nn.Sequential(nn.Linear(three * FEATURES // 8, UNITS), nn.ReLU())
        self.first = nn.GRU(UNITS, UNITS, batch_first=True)
        self.second = nn.GRU(UNITS, UNITS, batch_first=True)
        self.hidden = nn.Sequential(nn.Linear(UNITS + FEATURES, HIDDEN), nn.ReLU())
        self.mask = nn.Linear(HIDDEN, BINS)
        self.gate = nn.Linear(UNITS, 1)

    def states(self, clips: int) -> tuple[Tensor, Tensor, Tensor]:
        """What is remembered at the beginning: nothing."""
        return (
            torch.zeros(clips, self.remembered, FEATURES),
            torch.zeros(1, clips, UNITS),
            torch.zeros(1, clips, UNITS),
        )

    def forward(
        self, features: Tensor, past: Tensor, first: Tensor, second: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Masks of frames, and what is remembered after them.

        Parameters
        ----------
        features : Tensor [clips, frames, 128]
        past : Tensor [clips, remembered, 128]
            Features of the frames before.
        first, second : Tensor [1, clips, units]
            States of the recurrent layers.

        Returns
        -------
        mask : Tensor [clips, frames, 513]
            0 to 1; the i-th belongs to frame i - look_ahead.
        past, first, second : Tensor
        """
        seen = torch.cat([past, features], dim=1)
        frames = features.shape[1]
        heard = self.convolutions(seen[:, self.remembered - CONTEXT + 1 :].unsqueeze(1))
        narrowed = self.narrowed(heard.transpose(1, 2).flatten(2))
        once, first = self.first(narrowed, first)
        twice, second = self.second(once + narrowed, second)
        begun = self.remembered - self.look_ahead
        own = seen[:, begun : begun + frames]
        hidden = self.hidden(torch.cat([once + twice, own], dim=2))
        mask = torch.sigmoid(self.mask(hidden)) * torch.sigmoid(self.gate(twice))
        return mask, seen[:, frames:], first, second
