"""Demucs's networks, small and at random, saved as Demucs saves its own."""

import io
import json
import os
from fractions import Fraction
from hashlib import sha256

import numpy as np
import torch
import yaml
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from demucs.states import get_state
from safetensors.torch import save_file

from ripieno.contracts import Audio

STEMS = ["drums", "bass", "other", "vocals"]
RATE_HZ = 8000
CLASSES = {"HTDemucs": HTDemucs, "HDemucs": HDemucs, "Demucs": Demucs}
SETTINGS = {
    "HTDemucs": {
        "sources": STEMS,
        "samplerate": RATE_HZ,
        "channels": 4,
        "depth": 4,
        "nfft": 1024,
        "segment": Fraction(6, 5),
        "t_layers": 1,
        "t_heads": 2,
        "bottom_channels": 16,
        "t_hidden_scale": 1.0,
        "dconv_comp": 2,
    },
    "HDemucs": {
        "sources": STEMS,
        "samplerate": RATE_HZ,
        "channels": 8,
        "depth": 4,
        "nfft": 1024,
        "segment": 2,
        "norm_starts": 2,
    },
    "Demucs": {
        "sources": STEMS,
        "samplerate": RATE_HZ,
        "channels": 4,
        "depth": 4,
        "segment": 2,
        "norm_starts": 2,
    },
}


def network(kind, seed=0, **settings):
    """A network of a kind, the same for the same seed."""
    torch.manual_seed(seed)
    built = CLASSES[kind](**{**SETTINGS[kind], **settings})
    # As at the start all stems are nearly alike, and what differs is to be seen.
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return built.eval()


def save_pickle(built, folder, signature):
    """Write ``SIG-DIGITS.th``."""
    args, kwargs = built._init_args_kwargs
    package = {"klass": type(built), "args": args, "kwargs": kwargs, "state": get_state(built, None)}
    buffer = io.BytesIO()
    torch.save({**package, "training_args": {}}, buffer)
    path = folder / f"{signature}-{sha256(buffer.getvalue()).hexdigest()[:8]}.th"
    path.write_bytes(buffer.getvalue())
    return path


def save_safe(built, folder, signature):
    """Write ``SIG.safetensors`` as Demucs 4.1 has them on its hub."""

    def encode(fraction):
        return {"_type": "fraction", "numerator": fraction.numerator, "denominator": fraction.denominator}

    args, kwargs = built._init_args_kwargs
    facts = {
        "klass": f"{type(built).__module__}.{type(built).__qualname__}",
        "args": json.dumps(args, default=encode),
        "kwargs": json.dumps(kwargs, default=encode),
    }
    path = folder / f"{signature}.safetensors"
    save_file(get_state(built, None), path, facts)
    return path


def save_bag(folder, name, signatures, **facts):
    """Write ``NAME.yaml``."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"models": list(signatures), **facts}), encoding="utf-8")
    return path


def song(seconds=3.0, *, rate_hz=RATE_HZ, channels=2, seed=0):
    """Tones and noise that come and go, with a DC offset."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in rng.uniform(80, 3000, 4))
    noise = rng.standard_normal((channels, len(time_s))) * (1 + np.sin(3 * time_s))
    return Audio((0.02 + 0.1 * tones + 0.05 * noise).astype(np.float32), rate_hz)


class Bomb:
    """What makes a folder when it is unpickled."""

    def __init__(self, target):
        self._target = str(target)

    def __reduce__(self):
        return os.mkdir, (self._target,)


def save_bomb(folder, name, target):
    """Write a pickle that makes the folder `target` when it is read."""
    path = folder / name
    torch.save({"klass": Bomb(target), "args": [], "kwargs": {}, "state": {}}, path)
    return path
