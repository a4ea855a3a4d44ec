# .venv/bin/python examples/train-speech-mask/voices.py FOLDER
"""Joins the recorded voices of Debian's packages, thousands of short files, to one recording a speaker.

It wants asterisk-core-sounds-{en,es,fr,it,ru}-g722, fillets-ng-data and fillets-ng-data-nl installed.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from imageio_ffmpeg import get_ffmpeg_exe

SHARE = Path("/usr/share")
PROMPTS = "asterisk/sounds/??_??_*/**/*.g722"
DIALOGUES = "games/fillets-ng/sound/*/{}/*.ogg"
LANGUAGES = "en", "nl"


def main(folder: Path, share: Path = SHARE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    speakers = dict(_by(share, PROMPTS, level=2))
    for language in LANGUAGES:
        speakers |= _by(share, DIALOGUES.format(language), level=4)
    if not speakers:
        sys.exit(f"{share}: no voices there; install the packages that {Path(__file__).name} names")
    for name, files in speakers.items():
        _join(files, folder / f"{name}.flac")


def _by(share: Path, pattern: str, *, level: int) -> Mapping[str, Sequence[Path]]:
    """Files by the folder `level` below the share: a speaker or a language."""
    groups = defaultdict(list)
    for path in sorted(share.glob(pattern)):
        if "silence" not in path.parts:
            groups[path.relative_to(share).parts[level]].append(path)
    return groups


def _join(files: Sequence[Path], target: Path) -> None:
    with TemporaryDirectory() as scratch:
        listed = Path(scratch) / "files.txt"
        listed.write_text("".join(f"file '{path.resolve()}'\n" for path in files), encoding="utf-8")
        source = ["-f", "concat", "-safe", "0", "-i", listed]
        form = ["-ac", "1", "-ar", "16000", "-sample_fmt", "s16"]
        command = [get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *source, *form, target]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(__file__).name} FOLDER")
    main(Path(sys.argv[1]))
