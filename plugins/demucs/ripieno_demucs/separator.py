"""Parts of a recording, as Demucs's networks hear them."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Audio, ConfigError, Licence, Provenance, Resources, Separator, Stems
from ripieno.toolkit.channels import Block, at_rate, audio_at_rate

from .checkpoints import check_trust, load_network
from .estimates import Member, estimates
from .models import Bag
from .passes import Network, is_transformer, torch_settings
from .settings import DemucsConfig, bag_of, licences_of, needed_files, own_files, stems_of, wanted_stems

if TYPE_CHECKING:
    from torch.nn import Module

_LONGEST_SHIFT_S = 0.5


class DemucsSeparator(Separator[DemucsConfig]):
    """Demucs's networks, in bounded memory: the stems of Demucs's own command, but for shifts that are seeded.

    Any rate and number of channels: the networks hear 44.1 kHz, stereo; of 5.1 they hear the front and the surround
    pair as such and the other channels, like mono, as two equal ones. The stems are brought back to the audio's
    rate, channels and length. `no_STEM` is the audio less the stem. Networks that a stem does not come from are
    neither loaded nor run.

    References
    ----------
    Rouard, Massa, Défossez: Hybrid transformers for music source separation. ICASSP 2023.
    Défossez: Hybrid spectrogram and waveform source separation. ISMIR MDX workshop 2021.
    Wisdom et al.: Differentiable consistency constraints for improved deep speech enhancement. ICASSP 2019.
    """

    random = True
    resources = Resources(memory_mb=1300)
    licences = (
        Licence(
            "MIT",
            credit="Demucs, Meta Platforms, Inc. and affiliates",
            source="https://github.com/adefossez/demucs",
        ),
    )

    def __init__(self, config: DemucsConfig | None = None) -> None:
        super().__init__(config)
        self._modules: dict[Path, Module] = {}

    @classmethod
    def output_names(cls, config: DemucsConfig) -> tuple[str, ...]:
        stem, stems = config.two_stems, stems_of(config)
        wanted_stems(stems, stem)
        return stems if stem is None else (stem, f"no_{stem}")

    @classmethod
    def assets(cls, config: DemucsConfig) -> tuple[Path, ...]:
        paths = own_files(config)
        for path in paths:
            check_trust(path, trust=config.trust)
        definition = config.folder and config.folder / f"{config.model}.yaml"
        return (definition, *paths) if definition and definition.is_file() else paths

    @classmethod
    def terms(cls, config: DemucsConfig) -> tuple[Licence, ...]:
        return licences_of(config)

    def separate(self, audio: Audio) -> Stems:
        """Stems of the audio.

        Parameters
        ----------
        audio : Audio
            Any rate and channels.

        Returns
        -------
        Stems
            The model's, or ``STEM`` and ``no_STEM``; they sum to the audio unless `consistent` is false.

        Raises
        ------
        RefusedError, InputError, MissingError
            If the networks cannot be loaded; see `load_network`.
        ConfigError
            If the networks are others than the settings say.
        """
        names = self.output_names(self.config)
        stems = dict.fromkeys(names, audio)
        if audio.frames:
            with torch_settings(threads=self.config.threads):
                stems = dict(zip(names, self._separated(audio), strict=True))
        return Stems(stems, provenance=Provenance(licences=licences_of(self.config)))

    def _separated(self, audio: Audio) -> list[Audio]:
        members = self._members()
        network = members[0].network
        context = self.context
        blocks = estimates(
            audio_at_rate(audio, network.rate_hz, writer=context.audio_writer),
            members,
            stems=wanted_stems(network.stems, self.config.two_stems),
            overlap=self.config.overlap,
            new_file=lambda: context.new_file(".sums"),
            progress=lambda done, total: context.progress(
                done / network.rate_hz, total / network.rate_hz, unit="s"
            ),
        )
        with ExitStack() as open_files:
            names = self.output_names(self.config)
            writers = [open_files.enter_context(context.audio_writer(audio.format)) for _ in names]
            written = 0
            for block in at_rate(blocks, from_hz=network.rate_hz, to_hz=audio.rate_hz, frames=audio.frames):
                mix = audio.read(written, written + block.shape[-1])
                written += block.shape[-1]
                for writer, part in zip(writers, self._adding_up(block, mix), strict=True):
                    writer.write(part)
            return [writer.close() for writer in writers]

    def _adding_up(self, parts: Block, mix: NDArray[np.float32]) -> Block:
        """The stems that are given [stems, channels, frames], of those that were estimated."""
        left = mix - parts.sum(axis=0)
        if self.config.two_stems is not None:
            return np.stack([parts[0], left])
        return parts + left / np.float32(len(parts)) if self.config.consistent else parts

    def _members(self) -> tuple[Member, ...]:
        """The networks that are needed, and how each is run."""
        bag, stems = bag_of(self.config), stems_of(self.config)
        wanted = wanted_stems(stems, self.config.two_stems)
        networks = {index: self._network(path, bag) for index, path in needed_files(self.config)}
        for index, network in networks.items():
            if network.stems != stems:
                raise ConfigError(
                    f"model: {bag.signatures[index]} gives {', '.join(network.stems)}, expected was "
                    f"{', '.join(stems)}. Run: core demucs convert, as a safetensors file says what it gives"
                )
        if len({(network.rate_hz, network.channels) for network in networks.values()}) > 1:
            raise ConfigError(f"model: the networks of {self.config.model} differ in rate or channels")
        starts = self._starts(len(bag.signatures), next(iter(networks.values())).rate_hz)
        return tuple(
            Member(network, tuple(bag.weight(index, stem) for stem in wanted), starts[index])
            for index, network in networks.items()
        )

    def _network(self, path: Path, bag: Bag) -> Network:
        """A network of the bag; loaded when it is needed first, then kept."""
        if path not in self._modules:
            module: Any = load_network(path, trust=self.config.trust)
            if bag.segment_s is not None and (not is_transformer(module) or bag.segment_s <= module.segment):
                module.segment = bag.segment_s
            self._modules[path] = module
        device = self.context.device
        module = self._modules[path].to(device)
        return Network(module, self.config.segment_s, device, self.config.precision == "bf16")

    def _starts(self, networks: int, rate_hz: int) -> tuple[tuple[int, ...], ...]:
        """Where the passes of each network begin, those of networks that are left out included.

        So a stem is the same whether others are asked for or not.
        """
        if not self.config.shifts:
            return ((0,),) * networks
        longest = int(_LONGEST_SHIFT_S * rate_hz)
        drawn = self.context.rng.integers(0, longest, (networks, self.config.shifts), endpoint=True)
        return tuple(tuple(-int(shift) for shift in row) for row in drawn)
