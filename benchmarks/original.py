"""BeatNet as its authors published it, in an environment of its own in the user's cache folder."""

import json
import subprocess
import sys
import venv
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from platformdirs import user_cache_path

from ripieno.contracts import Beats

from .beats.__main__ import write
from .beats.clips import Clip
from .place import PROJECTS
from .processes import CommandFailed

VERSION = "1.1.3"
RATE_HZ = 22050
CONSTRAINTS = PROJECTS / "beatnet" / "constraints.txt"
LISTEN = PROJECTS / "beatnet" / "listen.py"
# madmom's build imports what comes first; BeatNet asks for a library of microphones, which nothing here needs.
INSTALL = (
    ("numpy", "cython", "setuptools", "wheel"),
    ("--no-build-isolation", "madmom"),
    ("librosa", "torch"),
    ("--no-deps", f"BeatNet=={VERSION}"),
)


class Original:
    """BeatNet with the first set of weights, one thread and a fixed seed; installed when it is first asked for.

    Parameters
    ----------
    folder : Path
        Where it gets its WAV files.
    clips : tuple of Clip
        What it listens to.
    """

    def __init__(self, folder: Path, clips: tuple[Clip, ...]) -> None:
        self._folder = folder
        self._clips = clips

    def beside(self, measured: Callable[[], str], *, recorded: str = "") -> str:
        """What is measured of it here, or the figure once recorded where it cannot be installed."""
        if self._python:
            return f"BeatNet {VERSION}: {measured()}"
        missing = f"BeatNet {VERSION}: not installable on Python {sys.version_info[0]}.{sys.version_info[1]}"
        return f"{missing}; recorded: {recorded}" if recorded else missing

    @cached_property
    def online(self) -> dict[str, Beats]:
        """Beats of each clip by its particle filter, which knows downbeats from other beats only."""
        return self._beats("online", "PF")

    @cached_property
    def offline(self) -> dict[str, Beats]:
        """Beats of each clip by its offline decoder."""
        return self._beats("offline", "DBN")

    def hops_ms(self, sound: NDArray[np.float32]) -> NDArray[np.float64]:
        """Cost of each hop of sound [frames] at 22 050 Hz in its real-time mode, which waits for no clock."""
        path = self._folder / "hops.wav"
        soundfile.write(path, np.clip(sound, -1, 1), RATE_HZ, subtype="PCM_16")
        return 1e3 * np.array(self._listen("hops", path))

    def song_s(self, path: Path) -> float:
        """Seconds from a file to its beats, found offline."""
        return float(self._listen("song", path))

    def _beats(self, mode: str, decoder: str) -> dict[str, Beats]:
        for clip in self._clips:
            write(clip, self._folder, rate_hz=RATE_HZ)
        found = self._listen(
            "beats", mode, decoder, *(self._folder / f"{clip.name}.wav" for clip in self._clips)
        )
        return {
            clip.name: Beats(*np.reshape(rows, (-1, 2)).T)
            for clip, rows in zip(self._clips, found, strict=True)
        }

    def _listen(self, *arguments: object) -> Any:
        command = [str(self._python), "-I", str(LISTEN), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise CommandFailed(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    @cached_property
    def _python(self) -> Path | None:
        """The interpreter of its environment, none where it cannot be installed."""
        environment: Path = user_cache_path("ripieno-benchmarks", appauthor=False) / "beatnet"
        python, complete = environment / "bin" / "python", environment / f"{VERSION}.complete"
        if not complete.exists():
            venv.create(environment, with_pip=True, clear=True)
            if not _installed(python):
                return None
            complete.touch()
        return python


def _installed(python: Path) -> bool:
    """Whether all of it could be installed, and starts."""
    pip = (python, "-m", "pip", "install", "-qq", "-c", CONSTRAINTS)
    start = (python, "-I", LISTEN, "beats", "online", "PF")
    commands = (*((*pip, *arguments) for arguments in INSTALL), start)
    return all(
        subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands
    )
