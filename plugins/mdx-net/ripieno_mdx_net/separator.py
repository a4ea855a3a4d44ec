"""Vocals and instruments of a recording of any rate, length and number of channels, in bounded memory.

Conventions
-----------
The network hears 44.1 kHz. It gives one stem; the other is the audio less that one, so that the two sum to the
audio. What lies above its band is in the other one.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Asset, Audio, Licence, PluginConfig, PluginRef, Separator, Stems
from ripieno.toolkit.channels import at_rate, audio_at_rate, channel_groups, ungrouped
from ripieno.toolkit.checkpoints import weights_file
from ripieno.toolkit.segments import overlap_add

from .network import MdxNetwork, load_network, samples_of, spectra_of

RATE_HZ = 44100
STEMS = ("vocals", "instrumental")


class MdxNetConfig(PluginConfig):
    """Settings of `MdxNetSeparator`; the defaults are those of UVR-MDX-NET-Inst_HQ_3."""

    weights: Path | PluginRef[Asset] = Field(
        PluginRef("asset/uvr_mdx_net_inst_hq_3"),
        union_mode="left_to_right",
        description="The network: an .onnx on this machine, as its path; not set: the catalogue's.",
    )
    target: Literal["instrumental", "vocals"] = Field(
        "instrumental", description="Which stem the network gives; the other is what it leaves of the audio."
    )
    mode: Literal["direct", "soft_mask"] = Field(
        "direct",
        description="direct: the stem is what the network gives. soft_mask: its magnitude against that of the "
        "rest weighs the audio's own spectrum, so that the phases are the audio's.",
    )
    compensate: float = Field(
        1.022, gt=0, le=4, description="Gain of what the network gives, which is a little too soft."
    )
    overlap: float = Field(
        0.25, ge=0, le=0.95, description="Of neighbouring spans, over which one fades into the next."
    )
    n_fft: int = Field(
        6144,
        ge=16,
        le=65536,
        description="Length of a frame, as the network was trained.",
        json_schema_extra={"unit": "samples"},
    )
    hop: int = Field(
        1024,
        ge=1,
        le=32768,
        description="Between frames, as the network was trained.",
        json_schema_extra={"unit": "samples"},
    )
    dim_f: int = Field(
        3072, ge=1, description="Bins that the network hears, where its file leaves them open."
    )
    dim_t: int = Field(
        256, ge=2, description="Frames that the network sees at a time, where its file leaves them open."
    )
    threads: int = Field(1, ge=1, le=256, description="Threads of the network.")


class MdxNetSeparator(Separator[MdxNetConfig]):
    """Vocals and instruments by an MDX-Net of Ultimate Vocal Remover.

    Any rate and number of channels: the network hears 44.1 kHz, stereo; of 5.1 it hears the front and the surround
    pair as such and the other channels, like mono, as two equal ones.

    References
    ----------
    Kim, Choi, Chung, Lee, Jung: KUIELab-MDX-Net: A two-stream neural network for music demixing. ISMIR MDX
    workshop 2021.
    """

    licences = (
        Licence(
            "MIT",
            credit="Ultimate Vocal Remover, Anjok07 and aufr33",
            source="https://github.com/Anjok07/ultimatevocalremovergui",
        ),
    )

    @classmethod
    def output_names(cls, config: MdxNetConfig) -> tuple[str, ...]:
        return STEMS

    @classmethod
    def assets(cls, config: MdxNetConfig) -> tuple[Path, ...]:
        return () if isinstance(config.weights, PluginRef) else (_file(config),)

    def separate(self, audio: Audio) -> Stems:
        """Vocals and instruments of the audio.

        Parameters
        ----------
        audio : Audio
            Any rate, channels and length.

        Returns
        -------
        Stems
            ``vocals`` and ``instrumental``, which sum to the audio.

        Raises
        ------
        MissingError
            If onnxruntime or the weights are not here.
        InputError
            If the weights are no MDX-Net, or not one of these settings.
        """
        if not audio.frames:
            return Stems(dict.fromkeys(STEMS, audio))
        network = self._network
        with (
            self.context.audio_writer(audio.format) as target,
            self.context.audio_writer(audio.format) as rest,
        ):
            done = 0
            for own in self._blocks(audio, network):
                stop = done + own.shape[1]
                target.write(own)
                rest.write(audio.read(done, stop) - own)
                done = stop
                self.context.progress(done / audio.rate_hz, audio.duration_s, unit="s")
            own_stem, other_stem = target.close(), rest.close()
        return Stems({name: own_stem if name == self.config.target else other_stem for name in STEMS})

    @cached_property
    def _network(self) -> MdxNetwork:
        config = self.config
        return load_network(
            _file(config),
            n_fft=config.n_fft,
            hop=config.hop,
            dim_f=config.dim_f,
            dim_t=config.dim_t,
            threads=config.threads,
            gpu=self.context.device == "cuda",
        )

    def _blocks(self, audio: Audio, network: MdxNetwork) -> Iterator[NDArray[np.float32]]:
        """The network's stem in blocks [channels, frames], at the audio's own rate."""
        heard = audio_at_rate(audio, RATE_HZ, writer=self.context.audio_writer)
        groups = channel_groups(audio.channels, width=2)
        estimates = [estimated(heard, network, channels, self.config) for channels in groups]
        blocks = (ungrouped(parts, groups) for parts in zip(*estimates, strict=True))
        return at_rate(blocks, from_hz=RATE_HZ, to_hz=audio.rate_hz, frames=audio.frames)


def estimated(
    audio: Audio, network: MdxNetwork, channels: tuple[int, ...], config: MdxNetConfig
) -> Iterator[NDArray[np.float32]]:
    """The network's stem of two channels of audio at 44.1 kHz, in blocks [2, frames].

    Spans of what the network sees follow each other at `step` samples; where they overlap, each fades out as the
    next fades in.
    """
    kept, hop = network.geometry.kept, network.geometry.hop
    # Whole hops, so that the frames of all spans are the same.
    step = min(kept, hop * max(1, int(kept * (1 - config.overlap) / hop)))
    spans = (
        _span(audio, network, channels, config, start)[:, : audio.frames - start]
        for start in range(0, max(1, audio.frames - kept + step), step)
    )
    return overlap_add(spans, taper=_fade(kept, overlap=kept - step), hop=step)


def _span(
    audio: Audio, network: MdxNetwork, channels: tuple[int, ...], config: MdxNetConfig, start: int
) -> NDArray[np.float32]:
    """The network's stem [2, kept] from sample `start` on."""
    geometry = network.geometry
    first = start - geometry.margin
    stop = first + geometry.length
    around = (max(0, -first), max(0, stop - audio.frames))
    seen = np.pad(audio.read(max(0, first), stop)[channels, :], [(0, 0), around])
    mix = spectra_of(seen, geometry)
    stem = np.float32(config.compensate) * network.estimate(mix)
    if config.mode == "soft_mask":
        stem = mix * soft_mask(np.abs(stem), np.abs(mix - stem))
    return samples_of(stem, geometry)


def soft_mask(part: NDArray[np.float32], rest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share [0, 1] of the magnitude `part` in part + rest; 0 where both are 0."""
    total = part + rest
    mask: NDArray[np.float32] = np.divide(part, total, out=np.zeros_like(part), where=total > 0)
    return mask


def _fade(length: int, *, overlap: int) -> NDArray[np.float32]:
    """Weights in (0, 1] that rise over the first `overlap` samples and fall over the last ones."""
    rise = (np.arange(length) + 0.5) / max(1, overlap)
    return np.minimum(1, np.minimum(rise, rise[::-1])).astype(np.float32)


def _file(config: MdxNetConfig) -> Path:
    example = "UVR-MDX-NET-Inst_HQ_3.onnx (67 MB, MIT)"
    return weights_file(config.weights, such_as=example, asset="uvr_mdx_net_inst_hq_3")
