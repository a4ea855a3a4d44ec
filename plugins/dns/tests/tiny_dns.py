"""Small random networks, and a causal Demucs that sees the whole file at once, written as the paper describes it."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch.nn import LSTM, functional

KERNEL, STRIDE = 8, 4


def random_weights(hidden: int = 4, depth: int = 5, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of a network whose width doubles from level to level, large enough to change the sound."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> torch.Tensor:
        fan = np.prod(shape[1:]) if len(shape) > 1 else 100
        return torch.from_numpy((rng.standard_normal(shape) * 1.5 / np.sqrt(fan)).astype(np.float32))

    weights, width = {}, 1
    for level in range(depth):
        wide, encoder, decoder = hidden * 2**level, f"encoder.{level}.", f"decoder.{depth - 1 - level}."
        weights |= {f"{encoder}0.weight": draw(wide, width, KERNEL), f"{encoder}0.bias": draw(wide)}
        weights |= {f"{encoder}2.weight": draw(2 * wide, wide, 1), f"{encoder}2.bias": draw(2 * wide)}
        weights |= {f"{decoder}0.weight": draw(2 * wide, wide, 1), f"{decoder}0.bias": draw(2 * wide)}
        weights |= {f"{decoder}2.weight": draw(wide, width, KERNEL), f"{decoder}2.bias": draw(width)}
        width = wide
    for end in ("ih_l0", "hh_l0", "ih_l1", "hh_l1"):
        weights[f"lstm.lstm.weight_{end}"] = draw(4 * width, width)
        weights[f"lstm.lstm.bias_{end}"] = draw(4 * width)
    return weights


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


@cache
def tiny_checkpoint(hidden: int = 4) -> Path:
    """A file of random weights, as torch writes it."""
    path = Path(_folder().name) / f"tiny{hidden}.th"
    torch.save(random_weights(hidden), path)
    return path


def whole_file(samples: np.ndarray, weights: dict[str, torch.Tensor]) -> np.ndarray:
    """The network's output for samples [channels, frames] at 16 kHz, all levels computed for all of the time."""
    depth = sum(name.startswith("encoder.") for name in weights) // 4
    level = samples.std(axis=1, ddof=1, keepdims=True)
    whole = 1
    while (length := _length(whole, depth)) < STRIDE * samples.shape[1]:
        whole += 1
    padded = np.pad(samples / (1e-3 + level), [(0, 0), (0, -(-length // STRIDE) - samples.shape[1])])
    x = torch.from_numpy(_doubled(_doubled(padded)))[:, None]
    skips = []
    for at in range(depth):
        x = functional.conv1d(x, *_pair(weights, f"encoder.{at}.0"), stride=STRIDE).relu()
        x = functional.glu(functional.conv1d(x, *_pair(weights, f"encoder.{at}.2")), dim=1)
        skips.append(x)
    lstm = LSTM(x.shape[1], x.shape[1], num_layers=2)
    lstm.load_state_dict(
        {name[10:]: value for name, value in weights.items() if name.startswith("lstm.lstm.")}
    )
    with torch.no_grad():
        x = lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)
    for at in range(depth):
        x = functional.glu(functional.conv1d(x + skips.pop(), *_pair(weights, f"decoder.{at}.0")), dim=1)
        x = functional.conv_transpose1d(x, *_pair(weights, f"decoder.{at}.2"), stride=STRIDE)
        x = x if at == depth - 1 else x.relu()
    return level * _halved(_halved(x[:, 0].numpy()))[:, : samples.shape[1]]


def _pair(weights: dict[str, torch.Tensor], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _length(frames: int, depth: int) -> int:
    for _ in range(depth):
        frames = (frames - 1) * STRIDE + KERNEL
    return frames


def _taps() -> np.ndarray:
    """A half-band filter: the sinc of half the rate under a Hann window of 225 samples, 1 in its middle."""
    return np.sinc(np.arange(-112, 113) / 2) * np.hanning(225)


def _doubled(samples: np.ndarray) -> np.ndarray:
    stuffed = np.zeros((len(samples), 2 * samples.shape[1]))
    stuffed[:, ::2] = samples
    return np.stack([np.convolve(row, _taps())[112:-112] for row in stuffed]).astype(np.float32)


def _halved(samples: np.ndarray) -> np.ndarray:
    filtered = [np.convolve(row, _taps())[112:-112] for row in samples]
    return np.stack(filtered)[:, ::2].astype(np.float32) / 2
