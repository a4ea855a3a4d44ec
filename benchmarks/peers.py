"""Other programs that run pipelines, each in an environment of its own in the user's cache folder."""

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from platformdirs import user_cache_path

from .figures import spread
from .processes import Command, Usages


@dataclass(frozen=True)
class Peer:
    """A program from the package index; installed when it is first asked for."""

    name: str

    @cached_property
    def folder(self) -> Path:
        """The folder of its programs."""
        environment: Path = user_cache_path("ripieno-benchmarks", appauthor=False) / self.name
        programs = environment / "bin"
        if not (programs / self.name).exists():
            venv.create(environment, with_pip=True, clear=True)
            subprocess.run([programs / "pip", "install", "-qq", self.name], check=False)
        return programs

    @property
    def is_installed(self) -> bool:
        """Whether it is there after all."""
        return (self.folder / self.name).exists()

    @cached_property
    def version(self) -> str:
        """Of the installed program."""
        asked = f"from importlib.metadata import version; print(version({self.name!r}))"
        done = subprocess.run(
            [self.folder / "python", "-c", asked], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def command(self, *arguments: str, folder: Path, prepare: Callable[[], object] = lambda: None) -> Command:
        """One of its commands, which reports to nobody."""
        environment = {
            "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
            "DO_NOT_TRACK": "1",
            "KEDRO_DISABLE_TELEMETRY": "1",
            "DVC_NO_ANALYTICS": "1",
        }
        return Command((str(self.folder / self.name), *arguments), folder, environment, prepare)


DVC, KEDRO, SNAKEMAKE = PEERS = tuple(map(Peer, ("dvc", "kedro", "snakemake")))


def installed() -> list[Peer]:
    """The peers that are there."""
    return [peer for peer in PEERS if peer.is_installed]


def shown(found: Mapping[str, Usages]) -> str:
    """``kedro 1.0 0.61 [0.60, 0.65] s``, and who is missing."""
    figures = [
        f"{peer.name} {peer.version}: {spread(found[peer.name].wall_s)} s"
        for peer in PEERS
        if peer.name in found
    ]
    missing = [
        f"{peer.name}: not installable on Python {sys.version_info[0]}.{sys.version_info[1]}"
        for peer in PEERS
        if not peer.is_installed
    ]
    return "; ".join((*figures, *missing))
