"""The causal Demucs network, run over a stream: what comes out does not depend on where the stream is cut.

Conventions
-----------
Tensors are [channels, features, samples]; channels never meet, each is an item of the batch. Every layer has
``push(x, last)``: it keeps what later samples will still need, and with `last` gives the rest. Names of weights
are those of the published checkpoints; widths, depth and the kernel are read off their shapes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

STRIDE = 4
"""Samples between the windows of every convolution, and times that the sound is upsampled before them."""
REACH = 56
"""Samples that the sinc filters of the resampling see on either side."""

_LSTM = "lstm.lstm."


class DnsStream:
    """The network at work on one recording.

    Parameters
    ----------
    weights : mapping of str to Tensor
        Of a checkpoint, as `check_weights` takes it.

    References
    ----------
    Défossez, Synnaeve, Adi: Real time speech enhancement in the waveform domain. Interspeech 2020.
    Smith, Gossett: A flexible sampling-rate conversion method. ICASSP 1984.
    """

    def __init__(self, weights: Mapping[str, "Tensor"]) -> None:
        depth = depth_of(weights)
        self._kernel = weights["encoder.0.0.weight"].shape[-1]
        self._depth = depth
        self._taken = 0
        self._up = (_Upsample(), _Upsample())
        self._encoders = [_Encoder(weights, f"encoder.{level}.") for level in range(depth)]
        self._skips = [_Queue() for _ in range(depth)]
        self._lstm = _Recurrent(weights)
        self._decoders = [_Decoder(weights, f"decoder.{level}.") for level in range(depth)]
        self._down = (_Downsample(), _Downsample())

    def push(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        """Take sound, give what is ready.

        Parameters
        ----------
        samples : float32 array [channels, frames]
            At 16 kHz, its standard deviation about 1. At least `least_frames` unless `last`.
        last : bool
            Whether nothing follows; then the rest comes out, the length of all input together.

        Returns
        -------
        float32 array [channels, frames ready]
        """
        import torch

        self._taken += samples.shape[1]
        missing = self._whole_frames() - self._taken if last else 0
        padded = np.pad(samples, [(0, 0), (0, missing)])
        with torch.inference_mode():
            x = torch.from_numpy(padded)[:, None]
            for upsample in self._up:
                x = upsample.push(x, last)
            for encoder, skip in zip(self._encoders, self._skips, strict=True):
                x = encoder.push(x)
                skip.put(x)
            x = self._lstm.push(x)
            for decoder, skip in zip(self._decoders, reversed(self._skips), strict=True):
                x = decoder.push(x + skip.take(x.shape[-1]), last)
            for downsample in self._down:
                x = downsample.push(x, last)
        ready: NDArray[np.float32] = x[:, 0].numpy()
        return ready[:, : ready.shape[1] - missing]

    @property
    def least_frames(self) -> int:
        """Samples after which a push gives something."""
        return _whole(1, kernel=self._kernel, depth=self._depth) // STRIDE + 2 * REACH

    def _whole_frames(self) -> int:
        """The least length, from what was taken on, of which no window leaves a rest."""
        stride: int = STRIDE**self._depth
        first = _whole(1, kernel=self._kernel, depth=self._depth)
        further = max(0, -(-(self._taken * STRIDE - first) // stride))
        return -(-(first + further * stride) // STRIDE)


def check_weights(weights: Mapping[str, "Tensor"], where: str) -> None:
    """Refuse what is no causal Demucs of this shape.

    Raises
    ------
    InputError
        Naming `where` they are from, and what is missing or of another shape.
    """
    expected = _shapes(weights)
    odd = sorted(expected.keys() ^ weights.keys())
    if odd:
        problem = f"{odd[0]} {'is missing' if odd[0] in expected else 'does not belong to it'}"
    else:
        found = {name: tuple(value.shape) for name, value in weights.items()}
        wrong = [name for name, shape in expected.items() if found[name] != shape or 0 in shape]
        problem = f"{wrong[0]} is {found[wrong[0]]}, not {expected[wrong[0]]}" if wrong else ""
    if problem:
        raise InputError(
            f"{where}: no causal Demucs of facebook's denoiser: {problem}. Use dns48, dns64 or master64"
        )


def depth_of(weights: Mapping[str, "Tensor"]) -> int:
    """How many encoders there are, and so decoders."""
    return sum(name.startswith("encoder.") and name.endswith(".0.weight") for name in weights)


def _shapes(weights: Mapping[str, "Tensor"]) -> dict[str, tuple[int, ...]]:
    """Shape of each weight of the network that has these kernels and widths."""
    depth = max(1, depth_of(weights))
    width, kernel = 1, max(STRIDE, _size(weights, "encoder.0.0.weight", 2))
    shapes: dict[str, tuple[int, ...]] = {}
    for level in range(depth):
        wide = _size(weights, f"encoder.{level}.0.weight", 0)
        encoder, decoder = f"encoder.{level}.", f"decoder.{depth - 1 - level}."
        shapes |= {f"{encoder}0.weight": (wide, width, kernel), f"{encoder}0.bias": (wide,)}
        shapes |= {f"{encoder}2.weight": (2 * wide, wide, 1), f"{encoder}2.bias": (2 * wide,)}
        shapes |= {f"{decoder}0.weight": (2 * wide, wide, 1), f"{decoder}0.bias": (2 * wide,)}
        shapes |= {f"{decoder}2.weight": (wide, width, kernel), f"{decoder}2.bias": (width,)}
        width = wide
    for end in ("ih_l0", "hh_l0", "ih_l1", "hh_l1"):
        shapes |= {f"{_LSTM}weight_{end}": (4 * width, width), f"{_LSTM}bias_{end}": (4 * width,)}
    return shapes


def _size(weights: Mapping[str, "Tensor"], name: str, axis: int) -> int:
    """Of a weight along an axis; 0 where there is none."""
    shape = weights[name].shape if name in weights else ()
    return int(shape[axis]) if axis < len(shape) else 0


def _whole(frames: int, *, kernel: int, depth: int) -> int:
    """Samples under `frames` windows of the deepest level."""
    for _ in range(depth):
        frames = (frames - 1) * STRIDE + kernel
    return frames


class _Queue:
    """What an encoder gave, until the decoder beside it has come as far."""

    def __init__(self) -> None:
        self._held: Tensor | None = None

    def put(self, x: "Tensor") -> None:
        self._held = _joined(self._held, x)

    def take(self, count: int) -> "Tensor":
        assert self._held is not None
        taken, self._held = self._held[..., :count], self._held[..., count:]
        return taken


class _Encoder:
    def __init__(self, weights: Mapping[str, "Tensor"], prefix: str) -> None:
        self._window, self._window_bias = weights[f"{prefix}0.weight"], weights[f"{prefix}0.bias"]
        self._mix, self._mix_bias = weights[f"{prefix}2.weight"], weights[f"{prefix}2.bias"]
        self._held: Tensor | None = None

    def push(self, x: "Tensor") -> "Tensor":
        from torch.nn import functional

        x = _joined(self._held, x)
        count = (x.shape[-1] - self._window.shape[-1]) // STRIDE + 1
        self._held = x[..., count * STRIDE :]
        x = functional.conv1d(x, self._window, self._window_bias, stride=STRIDE).relu()
        return functional.glu(functional.conv1d(x, self._mix, self._mix_bias), dim=1)


class _Recurrent:
    """Two layers of LSTM whose memory goes on from push to push."""

    def __init__(self, weights: Mapping[str, "Tensor"]) -> None:
        from torch.nn import LSTM

        width = weights[f"{_LSTM}weight_hh_l0"].shape[1]
        own = {name.removeprefix(_LSTM): weights[name] for name in weights if name.startswith(_LSTM)}
        # On the meta device nothing is drawn or allocated: the weights themselves are put in.
        self._layers = LSTM(width, width, num_layers=2, device="meta")
        self._layers.load_state_dict(own, assign=True)
        self._memory: tuple[Tensor, Tensor] | None = None

    def push(self, x: "Tensor") -> "Tensor":
        steps, self._memory = self._layers(x.permute(2, 0, 1), self._memory)
        turned: Tensor = steps.permute(1, 2, 0)
        return turned


class _Decoder:
    def __init__(self, weights: Mapping[str, "Tensor"], prefix: str) -> None:
        self._mix, self._mix_bias = weights[f"{prefix}0.weight"], weights[f"{prefix}0.bias"]
        self._window, self._window_bias = weights[f"{prefix}2.weight"], weights[f"{prefix}2.bias"]
        # The last one gives sound, of both signs.
        self._is_outermost = self._window.shape[1] == 1
        self._tail: Tensor | None = None

    def push(self, x: "Tensor", last: bool) -> "Tensor":
        from torch.nn import functional

        x = functional.glu(functional.conv1d(x, self._mix, self._mix_bias), dim=1)
        summed = functional.conv_transpose1d(x, self._window, stride=STRIDE)
        if self._tail is not None:
            summed[..., : self._tail.shape[-1]] += self._tail
        ready = summed.shape[-1] if last else x.shape[-1] * STRIDE
        self._tail = summed[..., ready:]
        x = summed[..., :ready] + self._window_bias[:, None]
        return x if self._is_outermost else x.relu()


class _Halfway:
    """Values half-way between neighbouring samples, by a sinc under a Hann window; zeros lie outside."""

    def __init__(self, *, before: int) -> None:
        import torch

        offsets = np.arange(0.5 - REACH, REACH)
        taps = np.sinc(offsets) * np.square(np.cos(np.pi * offsets / (2 * REACH)))
        self._taps = torch.from_numpy(taps.astype(np.float32))[None, None]
        self._before = before
        self._held: Tensor | None = None

    def push(self, x: "Tensor", after: int) -> "Tensor":
        """Values whose `REACH` samples on either side are there, `after` zeros behind `x` included."""
        from torch.nn import functional

        before = self._before if self._held is None else 0
        x = _joined(self._held, functional.pad(x, (before, after)))
        if x.shape[-1] < 2 * REACH:
            self._held = x
            return x[..., :0]
        values = functional.conv1d(x, self._taps)
        self._held = x[..., values.shape[-1] :]
        return values


class _Upsample:
    """Twice the rate: each sample, and what lies half-way to the next."""

    def __init__(self) -> None:
        self._halfway = _Halfway(before=REACH - 1)
        self._samples = _Queue()

    def push(self, x: "Tensor", last: bool) -> "Tensor":
        import torch

        self._samples.put(x)
        between = self._halfway.push(x, REACH if last else 0)
        return torch.stack([self._samples.take(between.shape[-1]), between], dim=-1).flatten(-2)


class _Downsample:
    """Half the rate: the mean of every other sample and of what the samples beside it say it should be."""

    def __init__(self) -> None:
        self._halfway = _Halfway(before=REACH)
        self._even = _Queue()
        self._held: Tensor | None = None

    def push(self, x: "Tensor", last: bool) -> "Tensor":
        x = _joined(self._held, x)
        pairs = x.shape[-1] // 2
        self._held = x[..., 2 * pairs :]
        self._even.put(x[..., : 2 * pairs : 2])
        between = self._halfway.push(x[..., 1 : 2 * pairs : 2], REACH - 1 if last else 0)
        return (self._even.take(between.shape[-1]) + between) / 2


def _joined(held: "Tensor | None", x: "Tensor") -> "Tensor":
    import torch

    return x if held is None else torch.cat([held, x], dim=-1)
