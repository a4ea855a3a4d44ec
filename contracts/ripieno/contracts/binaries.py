"""Programs that plugins run, found on PATH or in a wheel that carries them."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import MissingError


@dataclass(frozen=True)
class Binary:
    """A program that a plugin needs.

    Parameters
    ----------
    name : str
        Name on PATH, without suffix.
    cure : str
        The command that brings it, shown when it is missing.
    wheel_glob : str, optional
        Where an installed wheel carries it, below a folder of the module search path.
    """

    name: str
    cure: str
    wheel_glob: str = ""

    def find(self) -> Path | None:
        """Path of the program: PATH first, then the wheel; None where it is in neither."""
        on_path = shutil.which(self.name)
        if on_path:
            return Path(on_path)
        if not self.wheel_glob:
            return None
        carried = (found for folder in sys.path if folder for found in Path(folder).glob(self.wheel_glob))
        return next((path for path in carried if path.is_file() and os.access(path, os.X_OK)), None)

    def require(self) -> Path:
        """Path of the program.

        Raises
        ------
        MissingError
            If it is not on this machine; the message says what brings it.
        """
        path = self.find()
        if path is None:
            raise MissingError(f"the program {self.name} is not on PATH. Run: {self.cure}")
        return path


FFMPEG = Binary("ffmpeg", cure="pip install imageio-ffmpeg", wheel_glob="imageio_ffmpeg/binaries/ffmpeg-*")
