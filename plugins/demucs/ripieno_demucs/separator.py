"""Parts of a recording, as Demucs's networks hear them."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ripieno.contracts import (
    Asset,
    Audio,
    ConfigError,
    Licence,
    PluginConfig,
    PluginRef,
    Provenance,
    Resources,
    Separator,
    Stems,
)
from ripieno.toolkit.channels import Block, at_rate, audio_at_rate
from ripieno.toolkit.checkpoints import name_and_digits, weights_file

from .checkpoints import check_trust, load_network
from .estimates import Member, estimates
from .models import (
    LONGEST_S,
    SHORTEST_S,
    Bag,
    bag_in,
    check_weights,
    checkpoint_in,
    stems_in,
    zoo_bag,
    zoo_models,
    zoo_stems,
)
from .passes import Network, is_transformer, torch_settings

if TYPE_CHECKING:
    from torch.nn import Module

_LONGEST_SHIFT_S = 0.5

Weights = Annotated[Path | PluginRef[Asset], Field(union_mode="left_to_right")]


class DemucsConfig(PluginConfig):
    """Settings of `DemucsSeparator`."""

    model: str = Field(
        "htdemucs",
        min_length=1,
        description="Name of a model of Demucs's zoo, of a bag in `folder`, or of one network.",
    )
    folder: Path | None = Field(
        None,
        description="Folder that holds the model: NAME.yaml and SIG.safetensors, or SIG-DIGITS.th. Not set: the "
        "catalogue's files.",
    )
    weights: tuple[Weights, ...] = Field(
        (),
        description="Files on this machine, as their paths, one for each network that is needed; not set: the "
        "catalogue's, which follow from `model` and `two_stems`.",
    )
    trust: bool = Field(
        False, description="Read pickled checkpoints (.th), which can run any code when they are read."
    )
    two_stems: str | None = Field(
        None, description="Give this stem, and all else as no_STEM; not set: give all stems."
    )
    consistent: bool = Field(
        True,
        description="Where all stems are given: spread what the networks leave out evenly over them, so that they "
        "sum to the audio. If false, they are the networks' own.",
    )
    shifts: int = Field(
        0,
        ge=0,
        le=1000,
        description="Average over so many random shifts in time of up to 0.5 s; 0: no shift.",
    )
    overlap: float = Field(0.25, ge=0, le=0.99, description="Of neighbouring segments.")
    segment_s: float | None = Field(
        None,
        ge=SHORTEST_S,
        le=LONGEST_S,
        description="What the networks see at a time; not set: what the model says.",
        json_schema_extra={"unit": "s"},
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="Of products; bf16 is faster on processors that have it, and less exact."
    )
    threads: int = Field(
        1, ge=1, le=256, description="Threads of torch; another number may change the last bits."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_weights(cls, settings: Any) -> Any:
        if not isinstance(settings, Mapping) or settings.get("folder") is not None:
            return settings
        given = {"model": "htdemucs", "two_stems": None, **settings}
        if not isinstance(given["model"], str) or given.get("weights"):
            return settings
        bag = zoo_bag(given["model"])
        if bag is None:
            raise ConfigError(
                f"model: there is no {given['model']} in Demucs's zoo: {', '.join(zoo_models())}. "
                "Name the `folder` of one that is your own"
            )
        wanted = _wanted(zoo_stems(given["model"]), given["two_stems"])
        signatures = [bag.signatures[index] for index in bag.members(wanted)]
        return {
            **settings,
            "weights": [{"uses": f"asset/demucs_{name}"} for name in dict.fromkeys(signatures)],
        }

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.folder is not None and self.weights:
            raise ValueError("`weights` are files and `folder` names others: leave one of them out")
        return self


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
        stem, stems = config.two_stems, _stems(config)
        _wanted(stems, stem)
        return stems if stem is None else (stem, f"no_{stem}")

    @classmethod
    def assets(cls, config: DemucsConfig) -> tuple[Path, ...]:
        paths = _own_files(config)
        for path in paths:
            check_trust(path, trust=config.trust)
        definition = config.folder and config.folder / f"{config.model}.yaml"
        return (definition, *paths) if definition and definition.is_file() else paths

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
        stems = {name: Audio(np.zeros((audio.channels, 0), np.float32), audio.rate_hz) for name in names}
        if audio.frames:
            with torch_settings(threads=self.config.threads):
                stems = dict(zip(names, self._separated(audio), strict=True))
        return Stems(stems, provenance=Provenance(licences=_licences(self.config)))

    def _separated(self, audio: Audio) -> list[Audio]:
        members = self._members()
        network = members[0].network
        context = self.context
        blocks = estimates(
            audio_at_rate(audio, network.rate_hz, writer=context.audio_writer),
            members,
            stems=_wanted(network.stems, self.config.two_stems),
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
        bag, stems = _bag(self.config), _stems(self.config)
        wanted = _wanted(stems, self.config.two_stems)
        networks = {index: self._network(path, bag) for index, path in _files(self.config)}
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


def _bag(config: DemucsConfig) -> Bag:
    bag = zoo_bag(config.model) if config.folder is None else bag_in(config.folder, config.model)
    assert bag is not None  # the settings were checked
    return bag


def _stems(config: DemucsConfig) -> tuple[str, ...]:
    """Stems of the model, as far as names and files tell: a pickle is taken to give the usual ones."""
    if config.folder is not None:
        for signature in _bag(config).signatures:
            path = config.folder / f"{signature}.safetensors"
            if path.is_file():
                return stems_in(path)
    return zoo_stems(config.model)


def _wanted(stems: tuple[str, ...], stem: str | None) -> tuple[int, ...]:
    if stem is None:
        return tuple(range(len(stems)))
    if stem not in stems:
        raise ConfigError(f"two_stems: the model gives {', '.join(stems)}, not {stem}")
    return (stems.index(stem),)


def _files(config: DemucsConfig) -> tuple[tuple[int, Path], ...]:
    """Number and file of each network that is needed."""
    bag, stems = _bag(config), _stems(config)
    check_weights(bag, stems)
    members = bag.members(_wanted(stems, config.two_stems))
    signatures = list(dict.fromkeys(bag.signatures[index] for index in members))
    if config.folder is None:
        if len(config.weights) != len(signatures):
            needed = f"{config.model} needs {', '.join(signatures)}"
            raise ConfigError(f"weights: {needed}. Name a file for each, or leave `weights` out")
        paths = [_file(weights) for weights in config.weights]
    else:
        paths = [checkpoint_in(config.folder, signature) for signature in signatures]
    of = dict(zip(signatures, paths, strict=True))
    return tuple((index, of[bag.signatures[index]]) for index in members)


def _file(weights: Path | PluginRef[Asset]) -> Path:
    example = "955717e8.safetensors (84 MB, for scientific purposes)"
    return weights_file(weights, such_as=example, asset="demucs_955717e8")


def _own_files(config: DemucsConfig) -> tuple[Path, ...]:
    """Files of the networks that are needed, but for the catalogue's."""
    if config.folder is not None:
        return tuple(path for _, path in _files(config))
    return tuple(_file(weights) for weights in config.weights if isinstance(weights, Path))


def _licences(config: DemucsConfig) -> tuple[Licence, ...]:
    """Of checkpoints of the zoo that are one's own files; those of the catalogue bring theirs."""
    from . import zoo

    names = (f"demucs_{name_and_digits(path)[0]}" for path in _own_files(config))
    assets = (getattr(zoo, name, None) for name in names)
    return tuple(dict.fromkeys(asset.terms for asset in assets if asset is not None))
