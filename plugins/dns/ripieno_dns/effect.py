"""Speech freed from noise at 16 kHz, whatever rate and channels come in.

Conventions
-----------
Each channel is freed on its own, its level taken from the whole recording: a first pass resamples and measures,
a second one runs the network. Both work on blocks, so that an hour needs no more memory than a minute.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ripieno.contracts import Asset, Audio, Effect, Licence, PluginConfig, PluginRef, Resources
from ripieno.toolkit.channels import at_rate, audio_at_rate
from ripieno.toolkit.checkpoints import weights_file
from ripieno.toolkit.torch import torch_threads

from .checkpoint import read_weights

if TYPE_CHECKING:
    from torch import Tensor

RATE_HZ = 16000
BLOCK_FRAMES = 1 << 14
FLOOR = 1e-3
"""Added to the level that a channel is divided by, so that silence stays silence."""
TERMS = Licence(
    "CC-BY-NC-4.0",
    credit="denoiser, A. Défossez, G. Synnaeve, Y. Adi, Facebook AI Research, 2020",
    commercial=False,
    source="https://github.com/facebookresearch/denoiser",
)


class DenoiseConfig(PluginConfig):
    """Settings of `Denoise`."""

    model: Literal["dns48", "dns64", "master64"] = Field(
        "dns64", description="Which of the published networks, where `weights` names no other."
    )
    weights: Path | PluginRef[Asset] = Field(
        PluginRef("asset/denoiser_dns64"),
        union_mode="left_to_right",
        description="A checkpoint on this machine, as its path; not set: the catalogue's, which follows from `model`.",
    )
    dry: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the input in the output: 0 is the network alone, 1 the input as it is.",
    )
    threads: int = Field(
        1, ge=1, le=256, description="Threads of torch; another number may change the last bits."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_weights(cls, settings: Any) -> Any:
        if not isinstance(settings, Mapping) or settings.get("weights") is not None:
            return settings
        return {**settings, "weights": {"uses": f"asset/denoiser_{settings.get('model', 'dns64')}"}}


class Denoise(Effect[DenoiseConfig]):
    """Speech enhancement in the waveform domain by a causal Demucs: facebook's dns48, dns64 or master64.

    The result is that of the network over the whole file, though it is computed in blocks. It has nothing above
    8 kHz but the share of the input that `dry` keeps.

    References
    ----------
    Défossez, Synnaeve, Adi: Real time speech enhancement in the waveform domain. Interspeech 2020.
    """

    licences = (TERMS,)
    resources = Resources(memory_mb=800)

    @classmethod
    def assets(cls, config: DenoiseConfig) -> tuple[Path, ...]:
        return () if isinstance(config.weights, PluginRef) else (_file(config),)

    def process(self, audio: Audio) -> Audio:
        """The audio with less noise.

        Parameters
        ----------
        audio : Audio
            Any rate, channels and length.

        Returns
        -------
        Audio
            Of the same rate, channels and length.

        Raises
        ------
        MissingError
            If torch or the weights are not here.
        InputError
            If the weights are damaged, or of another network.
        """
        if not audio.frames:
            return audio
        # Before anything is computed, so that weights which cannot be read cost no time.
        weights = self._weights
        dry = np.float32(self.config.dry)
        with torch_threads(self.config.threads), self.context.audio_writer(audio.format) as writer:
            heard = audio_at_rate(audio, RATE_HZ, writer=self.context.audio_writer)
            blocks = denoised(heard, weights)
            done = 0
            for wet in at_rate(blocks, from_hz=RATE_HZ, to_hz=audio.rate_hz, frames=audio.frames):
                stop = done + wet.shape[1]
                writer.write(dry * audio.read(done, stop) + (1 - dry) * wet)
                done = stop
                self.context.progress(done / audio.rate_hz, audio.duration_s, unit="s")
            return writer.close()

    @cached_property
    def _weights(self) -> "dict[str, Tensor]":
        return read_weights(_file(self.config))


def denoised(audio: Audio, weights: "dict[str, Tensor]") -> Iterator[NDArray[np.float32]]:
    """What the network makes of audio at 16 kHz, in blocks [channels, frames] whose lengths vary.

    Each channel is divided by its standard deviation before, and multiplied by it after.
    """
    from .network import DnsStream

    level = channel_levels(audio)[:, None]
    stream = DnsStream(weights)
    starts = range(0, max(1, audio.frames - BLOCK_FRAMES + 1), BLOCK_FRAMES)
    for start in starts:
        # The last block takes what is left along: by itself it could be too short for a window.
        last = start == starts[-1]
        block = audio.read(start, audio.frames if last else start + BLOCK_FRAMES)
        yield level * stream.push(block / (np.float32(FLOOR) + level), last=last)


def channel_levels(audio: Audio) -> NDArray[np.float32]:
    """Standard deviation of each channel, float32 [channels], by n - 1; 0 for a single sample."""
    total, squares = np.zeros(audio.channels), np.zeros(audio.channels)
    for block in audio.blocks(BLOCK_FRAMES):
        total += block.sum(axis=1, dtype=np.float64)
        squares += np.square(block, dtype=np.float64).sum(axis=1)
    variance = (squares - total**2 / max(1, audio.frames)) / max(1, audio.frames - 1)
    return np.sqrt(np.maximum(0, variance)).astype(np.float32)


def _file(config: DenoiseConfig) -> Path:
    example = "dns64-a7761ff99a7d5bb6.th (134 MB, CC-BY-NC-4.0)"
    return weights_file(config.weights, such_as=example, asset="denoiser_dns64")
