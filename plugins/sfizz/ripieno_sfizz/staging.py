"""The copy of a library that is played: complete in memory, and with nothing left to chance.

Conventions
-----------
sfizz streams samples from disk unless ``hint_ram_based=1`` stands under ``<control>``; an offline render
runs ahead of the disk and then loses notes, others in each run. The copy has the hint. It asks for round
robins, which sfizz draws (``lorand``) or counts (``seq_position``), by controllers, so that one note alone
sounds as it does in a row of them, and drops what sfizz would draw by itself (``pitch_random``).
Samples lie beside the copy as links, or as copies where the disk has none, under names without surprises.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ripieno.contracts import InputError, StepError

from .sfz import LEVELS, Region, Sfz

TURNS = 128
"""Values of a controller, over which the turns of a round robin are spread."""

_DRAWN = re.compile(r"(amp|pitch|delay|offset|fil\d*|pan|position)_random|(delay|offset|volume)_randomcc\d+")
_TURN_OPCODES = ("lorand", "hirand", "seq_length", "seq_position")
_CONTROL_OPCODES = ("default_path", "hint_ram_based")
_FREE_CONTROLLERS = range(102, 120)
_BEND_OPCODES = ("bend_up", "bend_down", "bendup", "benddown", "bend_step", "bend_smooth")


@dataclass(frozen=True)
class Staged:
    """A library ready to be played.

    Parameters
    ----------
    path : Path
        The SFZ file.
    turn_controllers : tuple of int
        MIDI controllers whose value, 0 to 127, says which turn of a round robin is played.
    """

    path: Path
    turn_controllers: tuple[int, int]


def stage(sfz: Sfz, folder: Path, *, gain_db: float = 0.0, pitch_bend_cents: float = 0.0) -> Staged:
    """Write the copy of a library.

    Parameters
    ----------
    sfz : Sfz
        As read.
    folder : Path
        Where to; it must exist.
    gain_db : float
        Added to every region.
    pitch_bend_cents : float
        What the bend wheel does at either end; 0 leaves that to the library.

    Raises
    ------
    InputError
        If a sample is missing or lies outside the library, or it leaves no controllers free.
    StepError
        If the copy cannot be written.
    """
    controllers = _free_controllers(sfz)
    changes = _Changes(controllers, gain_db, pitch_bend_cents)
    try:
        names = _link_samples(sfz, folder)
        lines = _lines(sfz, names, changes)
        path = folder / "library.sfz"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise StepError(f"{folder}: cannot hold a copy of {sfz.path.name}: {error.strerror}") from error
    return Staged(path, controllers)


def turn_range(low: float, high: float) -> tuple[int, int]:
    """Values of a controller for the share [low, high) of a round robin."""
    return ceil(low * TURNS), max(ceil(high * TURNS), ceil(low * TURNS) + 1) - 1


def takes_turn(region: Region, turn: int) -> bool:
    """Whether a region plays where the controllers of its round robin have this value."""
    return all(low <= turn <= high for low, high in (_drawn(region), _counted(region)))


@dataclass(frozen=True)
class _Changes:
    controllers: tuple[int, int]
    gain_db: float
    pitch_bend_cents: float

    def opcodes(self, region: Region, sample: str) -> dict[str, str]:
        """All that the region has in the copy."""
        kept = {opcode.name: opcode.value for opcode in region.opcodes.values() if self.keeps(opcode.name)}
        return {**kept, **dict(self.added(region)), "sample": sample}

    def added(self, region: Region) -> Iterator[tuple[str, str]]:
        drawn, counted = self.controllers
        if "lorand" in region.opcodes or "hirand" in region.opcodes:
            yield from _turn(drawn, _drawn(region))
        if "seq_length" in region.opcodes:
            yield from _turn(counted, _counted(region))
        if self.pitch_bend_cents:
            yield "bend_up", f"{self.pitch_bend_cents:g}"
            yield "bend_down", f"{-self.pitch_bend_cents:g}"
        if self.gain_db:
            yield "volume", f"{region.number('volume', region.number('gain', 0)) + self.gain_db:g}"

    def keeps(self, name: str) -> bool:
        bends = _BEND_OPCODES if self.pitch_bend_cents else ()
        return name not in ("sample", *_TURN_OPCODES, *bends) and not _DRAWN.fullmatch(name)


def _drawn(region: Region) -> tuple[int, int]:
    return turn_range(region.number("lorand", 0), region.number("hirand", 1))


def _counted(region: Region) -> tuple[int, int]:
    length, position = region.number("seq_length", 1), region.number("seq_position", 1)
    return turn_range((position - 1) / length, position / length)


def _turn(controller: int, values: tuple[int, int]) -> Iterator[tuple[str, str]]:
    yield f"locc{controller}", str(values[0])
    yield f"hicc{controller}", str(values[1])


def _lines(sfz: Sfz, names: dict[Path, str], changes: _Changes) -> Iterator[str]:
    """The copy: each region with all that it inherits, so that nothing depends on what stands above it."""
    yield from ("<control>", "hint_ram_based=1")
    regions = {region.header: region for region in sfz.regions}
    for index, header in enumerate(sfz.headers):
        if index in regions:
            region = regions[index]
            sample = names[region.sample] if region.sample else region.opcodes["sample"].value
            yield "<region>"
            yield from (f"{name}={value}" for name, value in changes.opcodes(region, sample).items())
        elif header.name not in LEVELS:
            yield f"<{header.name}>"
            kept = (opcode for opcode in header.opcodes if opcode.name not in _CONTROL_OPCODES)
            yield from (f"{opcode.name}={opcode.value}" for opcode in kept)


def _link_samples(sfz: Sfz, folder: Path) -> dict[Path, str]:
    """Put the samples beside the copy; their names there."""
    samples = sorted({region.sample for region in sfz.regions if region.sample is not None})
    names = {sample: f"{index:05d}{sample.suffix}" for index, sample in enumerate(samples)}
    for sample, name in names.items():
        _link(sample, folder / name)
    return names


def _link(sample: Path, link: Path) -> None:
    try:
        os.link(sample.resolve(), link)
    except OSError:
        shutil.copyfile(sample, link)


def _free_controllers(sfz: Sfz) -> tuple[int, int]:
    """Two of the controllers that MIDI leaves free, of which the library does not speak."""
    names = " ".join(opcode.name for header in sfz.headers for opcode in header.opcodes)
    used = {int(number) for number in re.findall(r"cc(\d+)", names)}
    free = [number for number in reversed(_FREE_CONTROLLERS) if number not in used]
    if len(free) < 2:
        raise InputError(f"{sfz.path}: uses all controllers from 102 to 119: two are needed for round robins")
    return free[0], free[1]
