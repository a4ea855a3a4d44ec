"""What the separator is set to, and which files it needs for that: known before any network is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ripieno.contracts import Asset, ConfigError, Licence, PluginConfig, PluginRef
from ripieno.toolkit.checkpoints import name_and_digits, weights_file

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
        wanted = wanted_stems(zoo_stems(given["model"]), given["two_stems"])
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


def bag_of(config: DemucsConfig) -> Bag:
    """The model's networks; see `bag_in` for its errors."""
    bag = zoo_bag(config.model) if config.folder is None else bag_in(config.folder, config.model)
    assert bag is not None  # the settings were checked
    return bag


def stems_of(config: DemucsConfig) -> tuple[str, ...]:
    """Stems of the model, as far as names and files tell: a pickle is taken to give the usual ones."""
    if config.folder is not None:
        for signature in bag_of(config).signatures:
            path = config.folder / f"{signature}.safetensors"
            if path.is_file():
                return stems_in(path)
    return zoo_stems(config.model)


def wanted_stems(stems: tuple[str, ...], stem: str | None) -> tuple[int, ...]:
    """Which of the networks' stems are asked for: one, or all where it is None.

    Raises
    ------
    ConfigError
        If the model has no such stem.
    """
    if stem is None:
        return tuple(range(len(stems)))
    if stem not in stems:
        raise ConfigError(f"two_stems: the model gives {', '.join(stems)}, not {stem}")
    return (stems.index(stem),)


def needed_files(config: DemucsConfig) -> tuple[tuple[int, Path], ...]:
    """Number and file of each network that is needed.

    Raises
    ------
    ConfigError, MissingError, InputError
        If the files are not those of the model, or not there.
    """
    bag, members, signatures = _needed(config)
    if config.folder is None:
        paths = [_file(weights) for weights in config.weights]
    else:
        paths = [checkpoint_in(config.folder, signature) for signature in signatures]
    of = dict(zip(signatures, paths, strict=True))
    return tuple((index, of[bag.signatures[index]]) for index in members)


def own_files(config: DemucsConfig) -> tuple[Path, ...]:
    """Files of the networks that are needed, but for the catalogue's; see `needed_files` for its errors."""
    if config.folder is not None:
        return tuple(path for _, path in needed_files(config))
    _needed(config)
    return tuple(_file(weights) for weights in config.weights if isinstance(weights, Path))


def _needed(config: DemucsConfig) -> tuple[Bag, tuple[int, ...], tuple[str, ...]]:
    """The bag, the numbers of its networks that are needed, and whose they are."""
    bag, stems = bag_of(config), stems_of(config)
    check_weights(bag, stems)
    members = bag.members(wanted_stems(stems, config.two_stems))
    signatures = tuple(dict.fromkeys(bag.signatures[index] for index in members))
    if config.folder is None and len(config.weights) != len(signatures):
        needed = f"{config.model} needs {', '.join(signatures)}"
        raise ConfigError(f"weights: {needed}. Name a file for each, or leave `weights` out")
    return bag, members, signatures


def licences_of(config: DemucsConfig) -> tuple[Licence, ...]:
    """Of checkpoints of the zoo that are one's own files; those of the catalogue bring theirs."""
    from . import zoo

    names = (f"demucs_{name_and_digits(path)[0]}" for path in own_files(config))
    assets = (getattr(zoo, name, None) for name in names)
    return tuple(dict.fromkeys(asset.terms for asset in assets if asset is not None))


def _file(weights: Path | PluginRef[Asset]) -> Path:
    example = "955717e8.safetensors (84 MB, for scientific purposes)"
    return weights_file(weights, such_as=example, asset="demucs_955717e8")
