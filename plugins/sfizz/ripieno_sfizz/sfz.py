"""SFZ files: read into headers and opcodes, with the file and line of each.

Conventions
-----------
``#include`` is put in its place and ``#define`` applied, as the players do; both and all samples must lie
in the folder of the library, which is that of the main file. An opcode's value runs to the next opcode, the
next header or the end of its line. A region has the opcodes of its global, master and group headers too.

References
----------
The SFZ format: https://sfzformat.com/
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath

from ripieno.contracts import InputError

DEEPEST_INCLUDE = 16
LEVELS = ("global", "master", "group", "region")
"""Headers whose opcodes the regions below them inherit, the widest first."""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r'#define\s+(\$\w+)\s+(\S+)|#include\s+"([^"\n]*)"')
_NAME = r"[A-Za-z_]\w*"
_TOKEN = re.compile(rf"<(\w+)>|(?<![^\s>])({_NAME})=(.*?)(?=\s+{_NAME}=|\s*<\w+>|\s*$)", re.MULTILINE)
_NOTE = re.compile(r"([a-gA-G])([#b]?)(-?\d+)")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Opcode:
    """One setting."""

    name: str
    value: str
    place: Place


@dataclass(frozen=True)
class Header:
    """A header and the opcodes that stand under it, in their order."""

    name: str
    opcodes: tuple[Opcode, ...] = ()


@dataclass(frozen=True)
class Region:
    """A sample and when it plays.

    Parameters
    ----------
    opcodes : mapping of str to Opcode
        Its own and those that it inherits.
    sample : Path, optional
        The file; None for a generator of the player: ``*sine``.
    header : int
        Which of the headers of the file it is.
    """

    opcodes: Mapping[str, Opcode] = field(repr=False)
    sample: Path | None
    header: int

    def number(self, name: str, default: float) -> float:
        """The value of an opcode.

        Raises
        ------
        InputError
            If it is not a number.
        """
        opcode = self.opcodes.get(name)
        if opcode is None:
            return default
        try:
            return float(opcode.value)
        except ValueError as error:
            raise InputError(f"{opcode.place}: {name}={opcode.value} is not a number") from error

    def key(self, name: str, default: int | None) -> int | None:
        """The value of an opcode that names a key, as a number or as a note: ``c4`` is 60; None for none.

        Raises
        ------
        InputError
            If it is neither.
        """
        opcode = self.opcodes.get(name)
        if opcode is None:
            return default
        note = _NOTE.fullmatch(opcode.value)
        if note:
            letter, sign, octave = note.groups()
            return _SEMITONES[letter.lower()] + {"#": 1, "b": -1}.get(sign, 0) + 12 * (int(octave) + 1)
        number = int(self.number(name, -1))
        return number if number >= 0 else None

    @cached_property
    def keys(self) -> range:
        """Keys that play it; none for a region that is played by other means."""
        whole = self.key("key", None)
        low = self.key("lokey", 0 if whole is None else whole)
        high = self.key("hikey", 127 if whole is None else whole)
        return range(0) if low is None or high is None else range(low, high + 1)

    @cached_property
    def velocities(self) -> range:
        """Velocities that play it."""
        return range(int(self.number("lovel", 0)), int(self.number("hivel", 127)) + 1)

    @cached_property
    def is_attack(self) -> bool:
        """Whether pressing a key plays it: not letting go, not a controller."""
        trigger = self.opcodes.get("trigger")
        by_controller = any(name.startswith(("on_locc", "on_hicc")) for name in self.opcodes)
        return (trigger is None or trigger.value in ("attack", "first", "legato")) and not by_controller

    def switched_on(self, key_switch: int | None) -> bool:
        """Whether it plays after this key switch was pressed; None: after none."""
        wanted = self.key("sw_last", None)
        low, high = self.key("sw_lolast", wanted), self.key("sw_hilast", wanted)
        if low is None or high is None:
            return True
        last = self.key("sw_default", None) if key_switch is None else key_switch
        return last is not None and low <= last <= high


@dataclass(frozen=True)
class Sfz:
    """An SFZ file with all that it includes.

    Parameters
    ----------
    path : Path
        The main file, in the true folder of the library; a file of the library may be a link to another in it.
    headers : tuple of Header
        In their order.
    """

    path: Path
    headers: tuple[Header, ...] = field(repr=False)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Every region, as it plays.

        Raises
        ------
        InputError
            If a sample is not there or lies outside the folder; the message has file and line.
        """
        return tuple(_regions(self))

    def playing(self, key: int, *, velocity: int, key_switch: int | None = None) -> tuple[Region, ...]:
        """Regions that a key plays; several where they sound together or take turns."""
        return tuple(
            region
            for region in self.regions
            if region.is_attack
            and key in region.keys
            and velocity in region.velocities
            and region.switched_on(key_switch)
        )


def read_sfz(path: Path) -> Sfz:
    """Read an SFZ file and what it includes.

    Raises
    ------
    InputError
        If a file cannot be read, includes itself or leads out of the folder; the message has file and line.
    """
    headers: list[tuple[str, list[Opcode]]] = []
    path = path.parent.resolve() / path.name
    for place, name, value in _tokens(path, folder=path.parent, defines={}, around=()):
        if value is None:
            headers.append((name, []))
        elif not headers:
            raise InputError(f"{place}: {name}= stands before the first header")
        else:
            headers[-1][1].append(Opcode(name, value, place))
    if not any(name == "region" for name, _ in headers):
        raise InputError(f"{path}: no <region>: this is no SFZ file")
    return Sfz(path, tuple(Header(name, tuple(opcodes)) for name, opcodes in headers))


def _tokens(
    path: Path, *, folder: Path, defines: dict[str, str], around: tuple[Path, ...]
) -> Iterator[tuple[Place, str, str | None]]:
    """Headers (value None) and opcodes in the order in which a player meets them."""
    text = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), _text(path))
    for number, line in enumerate(text.split("\n"), start=1):
        place = Place(path, number)
        rest = line.strip()
        while directive := _DIRECTIVE.search(rest):
            yield from _line(rest[: directive.start()], place, defines)
            name, value, included = directive.groups()
            if included is None:
                defines[name] = value
            else:
                inner = _included(_expanded(included, defines), place, folder=folder, around=(*around, path))
                yield from _tokens(inner, folder=folder, defines=defines, around=(*around, path))
            rest = rest[directive.end() :]
        yield from _line(rest, place, defines)


def _line(text: str, place: Place, defines: Mapping[str, str]) -> Iterator[tuple[Place, str, str | None]]:
    for header, name, value in _TOKEN.findall(_expanded(text, defines)):
        yield (place, header, None) if header else (place, name, value)


def _expanded(text: str, defines: Mapping[str, str]) -> str:
    """The text with names replaced, the longest first: ``$KEYS`` is not ``$KEY`` and an S."""
    for name in sorted(defines, key=len, reverse=True):
        text = text.replace(name, defines[name])
    return text


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if b"\0" in data:
        raise InputError(f"{path}: not text: this is no SFZ file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _included(name: str, place: Place, *, folder: Path, around: tuple[Path, ...]) -> Path:
    path = _inside(name, place, folder=folder, what="#include")
    if path in around or len(around) > DEEPEST_INCLUDE:
        raise InputError(f"{place}: #include of {name} goes round in a circle")
    if not path.is_file():
        raise InputError(f"{place}: #include of {name}: no such file")
    return path


def _inside(name: str, place: Place, *, folder: Path, what: str) -> Path:
    """A file of the library by its name in the SFZ, which may be written for Windows."""
    path = Path(os.path.normpath(folder / name.replace("\\", "/")))
    outside = PureWindowsPath(name).anchor or not path.resolve().is_relative_to(folder)
    if outside:
        raise InputError(f"{place}: {what} of {name} leads out of the library's folder {folder}")
    return path


def _regions(sfz: Sfz) -> Iterator[Region]:
    inherited: dict[str, dict[str, Opcode]] = {}
    folder, samples_at = sfz.path.parent, ""
    for index, header in enumerate(sfz.headers):
        opcodes = {opcode.name: opcode for opcode in header.opcodes}
        if header.name == "control" and "default_path" in opcodes:
            samples_at = opcodes["default_path"].value
        if header.name not in LEVELS:
            continue
        level = LEVELS.index(header.name)
        inherited = {name: inherited.get(name, {}) for name in LEVELS[:level]} | {header.name: opcodes}
        if header.name != "region":
            continue
        together = {name: opcode for named in inherited.values() for name, opcode in named.items()}
        if "sample" in together:
            named = together["sample"]
            yield Region(together, _sample(samples_at, named, folder=folder), index)


def _sample(samples_at: str, named: Opcode, *, folder: Path) -> Path | None:
    if named.value.startswith("*"):
        return None
    path = _inside(samples_at + named.value, named.place, folder=folder, what="sample")
    if not path.is_file():
        raise InputError(f"{named.place}: sample={named.value}: there is no {path}")
    return path
