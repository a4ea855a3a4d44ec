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

from ripieno.contracts import (
    Asset,
    Audio,
    AudioFormat,
    Licence,
    MissingError,
    PluginConfig,
    PluginRef,
    Separator,
    Stems,
)
from ripieno.toolkit.resampling import SoxrResampler

from .network import MdxNetwork, load_network, samples_of, spectra_of

RATE_HZ = 44100
BLOCK_FRAMES = 1 << 16
STEMS = ("vocals", "instrumental")
_GROUPS = {2: ((0, 1),), 6: ((0, 1), (2,), (3,), (4, 5))}
"""Channels that the network hears together; of other layouts each by itself."""


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
        if isinstance(config.weights, PluginRef):
            return ()
        _require_file(config.weights)
        return (config.weights,)

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
            for estimated in self._at_rate_of(audio, network):
                stop = min(done + estimated.shape[1], audio.frames)
                own = estimated[:, : stop - done]
                target.write(own)
                rest.write(audio.read(done, stop) - own)
                done = stop
                self.context.progress(done / audio.rate_hz, audio.duration_s, unit="s")
            own_stem, other_stem = target.close(), rest.close()
        return Stems({name: own_stem if name == self.config.target else other_stem for name in STEMS})

    @cached_property
    def _network(self) -> MdxNetwork:
        config = self.config
        path = config.weights.plugin.path if isinstance(config.weights, PluginRef) else config.weights
        _require_file(path)
        return load_network(
            path,
            n_fft=config.n_fft,
            hop=config.hop,
            dim_f=config.dim_f,
            dim_t=config.dim_t,
            threads=config.threads,
            gpu=self.context.device == "cuda",
        )

    def _at_rate_of(self, audio: Audio, network: MdxNetwork) -> Iterator[NDArray[np.float32]]:
        """The network's stem in blocks [channels, frames], at the audio's own rate."""
        heard = self._resampled(audio)
        groups = _GROUPS.get(audio.channels, tuple((channel,) for channel in range(audio.channels)))
        estimates = [estimated(heard, network, channels, self.config) for channels in groups]
        blocks = (np.concatenate(parts) for parts in zip(*estimates, strict=True))
        if audio.rate_hz == RATE_HZ:
            yield from blocks
            return
        back = SoxrResampler(RATE_HZ, audio.rate_hz, channels=audio.channels)
        for block in blocks:
            yield back.push(block)
        yield back.flush()

    def _resampled(self, audio: Audio) -> Audio:
        if audio.rate_hz == RATE_HZ:
            return audio
        resampler = SoxrResampler(audio.rate_hz, RATE_HZ, channels=audio.channels)
        with self.context.audio_writer(AudioFormat(RATE_HZ, audio.channels)) as writer:
            for block in audio.blocks(BLOCK_FRAMES):
                writer.write(resampler.push(block))
            writer.write(resampler.flush())
            return writer.close()


def estimated(
    audio: Audio, network: MdxNetwork, channels: tuple[int, ...], config: MdxNetConfig
) -> Iterator[NDArray[np.float32]]:
    """The network's stem of one or two channels of audio at 44.1 kHz, in blocks [channels, frames].

    Spans of what the network sees follow each other at `step` samples; where they overlap, each fades out as the
    next fades in.
    """
    kept, hop = network.geometry.kept, network.geometry.hop
    # Whole hops, so that the frames of all spans are the same.
    step = min(kept, hop * max(1, int(kept * (1 - config.overlap) / hop)))
    fade = _fade(kept, overlap=kept - step)
    summed = np.zeros((len(channels), kept), np.float32)
    weight = np.zeros(kept, np.float32)
    starts = range(0, max(1, audio.frames - kept + step), step)
    for start in starts:
        summed += fade * _span(audio, network, channels, config, start)
        weight += fade
        ready = audio.frames - start if start == starts[-1] else step
        yield summed[:, :ready] / weight[:ready]
        summed = np.pad(summed[:, step:], [(0, 0), (0, step)])
        weight = np.pad(weight[step:], (0, step))


def _span(
    audio: Audio, network: MdxNetwork, channels: tuple[int, ...], config: MdxNetConfig, start: int
) -> NDArray[np.float32]:
    """The network's stem [channels, kept] from sample `start` on."""
    geometry = network.geometry
    first = start - geometry.margin
    stop = first + geometry.length
    around = (max(0, -first), max(0, stop - audio.frames))
    seen = np.pad(audio.read(max(0, first), stop)[list(channels)], [(0, 0), around])
    mix = spectra_of(np.broadcast_to(seen, (2, geometry.length)), geometry)
    stem = np.float32(config.compensate) * network.estimate(mix)
    if config.mode == "soft_mask":
        stem = mix * soft_mask(np.abs(stem), np.abs(mix - stem))
    samples = samples_of(stem, geometry)
    return samples if len(channels) == 2 else samples.mean(axis=0, keepdims=True)


def soft_mask(part: NDArray[np.float32], rest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share [0, 1] of the magnitude `part` in part + rest; 0 where both are 0."""
    total = part + rest
    mask: NDArray[np.float32] = np.divide(part, total, out=np.zeros_like(part), where=total > 0)
    return mask


def _fade(length: int, *, overlap: int) -> NDArray[np.float32]:
    """Weights in (0, 1] that rise over the first `overlap` samples and fall over the last ones."""
    rise = (np.arange(length) + 0.5) / max(1, overlap)
    return np.minimum(1, np.minimum(rise, rise[::-1])).astype(np.float32)


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    said = "is a folder, weights are one file" if path.is_dir() else "no such file"
    raise MissingError(
        f"{path}: {said}, such as UVR-MDX-NET-Inst_HQ_3.onnx (67 MB, MIT). "
        "For its address run: core models show uvr_mdx_net_inst_hq_3"
    )
