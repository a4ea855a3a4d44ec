"""Writes clips as WAV and .beats: ``python -m benchmarks.beats FOLDER`` the twelve, with ``--varied`` others.

A line of a .beats file is a time in seconds, a tab, and the beat's position in its bar.
"""

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .clips import Clip, twelve
from .varied import varied


def main() -> None:
    """Write what is asked for, and name each clip as it is done."""
    parser = ArgumentParser(prog="python -m benchmarks.beats", description="Write clips with exact beats.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--varied", type=int, metavar="COUNT", help="this many drawn clips, not the twelve")
    parser.add_argument("--seed", type=int, default=7, help="of the drawn clips (7)")
    parser.add_argument("--metres", type=int, nargs="+", default=(2, 3, 4), help="beats a bar (2 3 4)")
    parser.add_argument("--rate", type=int, default=22_050, metavar="HZ", help="of the files (22050)")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    clips = varied(asked.varied, asked.seed, metres=asked.metres) if asked.varied else twelve()
    for clip in clips:
        write(clip, asked.folder, rate_hz=asked.rate)
        print(f"{clip.name}  {len(clip.beats.times_s)} beats  {clip.tempo_bpm:.1f} BPM", flush=True)


def write(clip: Clip, folder: Path, *, rate_hz: int) -> None:
    """One clip as NAME.wav, 16 bits, and NAME.beats."""
    sound = soxr.resample(clip.audio.samples[0], clip.audio.rate_hz, rate_hz)
    soundfile.write(folder / f"{clip.name}.wav", np.clip(sound, -1, 1), rate_hz, subtype="PCM_16")
    rows = zip(clip.beats.times_s, clip.beats.positions, strict=True)
    lines = "".join(f"{time_s:.6f}\t{position}\n" for time_s, position in rows)
    (folder / f"{clip.name}.beats").write_text(lines, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
