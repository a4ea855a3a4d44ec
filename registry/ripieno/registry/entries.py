"""The entry points of what is installed, read without importing any of it.

Conventions
-----------
A distribution is a ``.dist-info`` folder on the module search path; its name and version are read off the
folder's name, and the first on the path hides later ones of the same name. Names of distributions are
normalised (lower case, ``-``). Only ``entry_points.txt`` is opened here.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_IRREGULAR = {"pipelines": "recipe", "sample_libraries": "sample_library"}
_VALUE = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*)(:(?P<attribute>[^\W\d]\w*(\.[^\W\d]\w*)*))?")


@dataclass(frozen=True)
class Entry:
    """One entry point.

    Parameters
    ----------
    group : str
        ``ripieno.separators``.
    name : str
        ``hpss``.
    value : str
        ``ripieno_librosa.separation:HarmonicPercussive``.
    distribution : str
        ``ripieno-librosa``.
    version : str
        Of the distribution.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str

    @property
    def prefix(self) -> str:
        """The group's singular, ``separator``."""
        plural = self.group.removeprefix("ripieno.")
        return _IRREGULAR.get(plural) or plural.removesuffix("s")

    @property
    def uses(self) -> str:
        """As a pipeline names it, ``separator/hpss``."""
        return f"{self.prefix}/{self.name}"

    @property
    def malformed(self) -> bool:
        """Whether `value` is not ``module`` or ``module:attribute``."""
        return _VALUE.fullmatch(self.value) is None

    @property
    def module(self) -> str:
        """The module to import."""
        return self.value.partition(":")[0]

    @property
    def attribute(self) -> str:
        """What is taken from the module; empty for the module itself."""
        return self.value.partition(":")[2]

    def __str__(self) -> str:
        return f"{self.uses} of {self.distribution} {self.version}"


@dataclass(frozen=True)
class Distribution:
    """One installed distribution.

    Parameters
    ----------
    name, version : str
        From its folder's name.
    metadata : Path
        The folder.
    """

    name: str
    version: str
    metadata: Path

    @cached_property
    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """What its ``METADATA`` says, by lower-case field; empty where there is none."""
        found: dict[str, tuple[str, ...]] = {}
        for line in _text(self.metadata / "METADATA").partition("\n\n")[0].splitlines():
            field, colon, value = line.partition(":")
            if colon and not field.startswith((" ", "\t")):
                found[field.lower()] = (*found.get(field.lower(), ()), value.strip())
        return found

    @cached_property
    def is_editable(self) -> bool:
        """Whether it is installed from a folder in which it may be edited (PEP 660)."""
        return '"editable":true' in _text(self.metadata / "direct_url.json").replace(" ", "")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Index:
    """What is installed on a module search path.

    Parameters
    ----------
    distributions : mapping of str to Distribution
        By normalised name.
    entries : tuple of Entry
        Of every group ``ripieno.*``, sorted by what a pipeline calls them.
    """

    distributions: Mapping[str, Distribution]
    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, path: Iterable[str]) -> "Index":
        """Read the folders of a module search path, once."""
        distributions: dict[str, Distribution] = {}
        entries: list[Entry] = []
        for folder in dict.fromkeys(path):
            for distribution in _distributions(folder or os.curdir):
                if distributions.setdefault(distribution.name, distribution) is distribution:
                    entries += _entries(distribution)
        entries.sort(key=lambda entry: (entry.uses, entry.distribution))
        return cls(distributions, tuple(entries))

    @cached_property
    def state(self) -> str:
        """What tells apart two states of what is installed: names, versions, and when a folder changed."""
        folders = {distribution.metadata.parent for distribution in self.distributions.values()}
        changed = sorted((str(folder), folder.stat().st_mtime_ns) for folder in folders)
        names = sorted(map(str, self.distributions.values()))
        return hashlib.sha256(repr((sys.version_info[:3], names, changed)).encode()).hexdigest()

    @cached_property
    def by_uses(self) -> Mapping[str, tuple[Entry, ...]]:
        """Entries by what a pipeline calls them; more than one where distributions conflict."""
        found: dict[str, tuple[Entry, ...]] = {}
        for entry in self.entries:
            found[entry.uses] = (*found.get(entry.uses, ()), entry)
        return found

    def version(self, name: str) -> str:
        """Installed version of a distribution; empty where it is not installed."""
        name = normalised(name)
        if name in self.distributions:
            return self.distributions[name].version
        # Eggs, zip files and import hooks bring distributions that are no such folder on the path.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version(name)
        except PackageNotFoundError:
            return ""


def normalised(name: str) -> str:
    """A distribution's name in lower case with ``-`` (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _distributions(folder: str) -> list[Distribution]:
    """The distributions in a folder; of two versions the later-sorted first."""
    try:
        files = sorted(os.listdir(folder), reverse=True)
    except OSError:
        return []
    found = []
    for file in files:
        # pip on Windows puts aside what it cannot remove, with a tilde for the first letter.
        if file.endswith(".dist-info") and not file.startswith("~"):
            name, _, version = file.removesuffix(".dist-info").partition("-")
            found.append(Distribution(normalised(name), version, Path(folder, file)))
    return found


def _entries(distribution: Distribution) -> list[Entry]:
    text = _text(distribution.metadata / "entry_points.txt")
    if "[ripieno." not in text:
        return []
    found: dict[tuple[str, str], Entry] = {}
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif line and line[0] not in "#;" and group.startswith("ripieno."):
            name, _, value = (part.strip() for part in line.partition("="))
            found[group, name] = Entry(group, name, value, distribution.name, distribution.version)
    return list(found.values())


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
