# .venv/bin/python examples/train-speech-mask/recordings.py FOLDER
"""Gathers voices and music of Debian's packages: FOLDER/voices has a recording a speaker, FOLDER/songs one a game.

It takes what is installed of the packages that README.md names.
"""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray
from soundfile import SoundFile

SHARE = Path("/usr/share")
RATE_HZ = 16000
SUFFIXES = {".flac", ".g722", ".mp3", ".ogg", ".opus", ".wav"}
# Naev's music is in the held-out set of the benchmark.
LEFT_OUT = {"silence", "naev"}
# Where the sounds lie, and which folder of their path is the speaker, the language or the game.
PLACES = {
    "voices": {
        "asterisk": ("asterisk/sounds/??_??_*/**/*.*", 2),
        "fillets": ("games/fillets-ng/sound/*/??/*.ogg", 4),
        "klettres": ("klettres/*/*/*.ogg", 1),
    },
    "songs": {"game": ("games/*/**/[Mm]usic/**/*.*", 1)},
}


def main(folder: Path, share: Path = SHARE) -> None:
    for kind, places in PLACES.items():
        recordings = defaultdict(list)
        for place, (pattern, level) in places.items():
            for path in sorted(set(share.glob(pattern))):
                if path.suffix in SUFFIXES and LEFT_OUT.isdisjoint(path.parts):
                    recordings[f"{place}-{path.relative_to(share).parts[level]}"].append(path)
        if not recordings:
            sys.exit(f"{share}: no {kind} there; install the packages that README.md names")
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, files in recordings.items():
            _join(files, folder / kind / f"{name}.flac")


def _join(files: Sequence[Path], target: Path) -> None:
    with (
        SoundFile(target, "w", RATE_HZ, 1, "PCM_16") as joined,
        ThreadPoolExecutor(os.cpu_count()) as decoders,
    ):
        for samples in decoders.map(_samples, files):
            joined.write(samples)


def _samples(path: Path) -> NDArray[np.int16]:
    # One by one: streams of several encoders cannot be decoded as if they were one.
    command = [get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", path, "-ac", "1", "-ar", str(RATE_HZ)]
    decoded = subprocess.run([*command, "-f", "s16le", "-"], check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(decoded, np.int16)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(__file__).name} FOLDER")
    main(Path(sys.argv[1]))
