# .venv/bin/python examples/train-speech-mask/voices.py FOLDER
"""Joins the recorded voices of Debian's packages, thousands of short files, to one recording a speaker.

It wants asterisk-core-sounds-{en,es,fr,it,ru}-g722, asterisk-prompt-it-menardi-wav,
fillets-ng-data{,-cs,-nl} and klettres-data installed.
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
# Where the sounds lie, and which folder of their path is the speaker's or the language's.
PACKAGES = {
    "asterisk": ("asterisk/sounds/??_??_*/**/*.*", 2),
    "fillets": ("games/fillets-ng/sound/*/??/*.ogg", 4),
    "klettres": ("klettres/*/*/*.ogg", 1),
}


def main(folder: Path, share: Path = SHARE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    speakers = defaultdict(list)
    for package, (pattern, level) in PACKAGES.items():
        for path in sorted(share.glob(pattern)):
            if "silence" not in path.parts:
                speakers[f"{package}-{path.relative_to(share).parts[level]}"].append(path)
    if not speakers:
        sys.exit(f"{share}: no voices there; install the packages that {Path(__file__).name} names")
    for name, files in speakers.items():
        _join(files, folder / f"{name}.flac")


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
