"""An hour of stereo at 48 kHz: the memory it takes to decode, change and encode it, and the time to find it again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .figures import Bar, Row
from .place import Place, python_command
from .processes import measure_memory

RATE_HZ = 48_000
HOUR_S = 3600
RUNS = 11
PIPELINE = """ripieno: 1
name: hour
inputs:
  hour: {kind: audio, path: hour.flac}
steps:
  loud: {uses: effect/loudness, in: {audio: hour}}
outputs:
  loud: loud.flac
"""


def rows(place: Place) -> Iterator[Row]:
    """``core run`` with loudness and its limiter; then the stored result, as Python gets it."""
    folder = place.room("hour")
    write_hour(folder / "hour.flac")
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    command = place.core("run", "pipeline.yaml", "--quiet", folder=folder, site=place.noop)
    usage, peak = measure_memory(command)
    yield Row(
        "an hour of stereo: decode, loudness, encode",
        [peak.process_mb],
        Bar(400, "MB"),
        note=f"all processes {peak.tree_mb:.0f} MB; {usage.wall_s:.0f} s, {HOUR_S / usage.wall_s:.0f} x real time",
    )
    yield Row(
        "an hour of stereo: found in the store",
        [_loaded_ms(place, folder) for _ in range(RUNS)],
        Bar(50, "ms"),
        note="modules imported before",
    )


def write_hour(path: Path) -> None:
    """Write an hour of two tones that swell and fade, in blocks of a second."""
    seconds = np.arange(RATE_HZ) / RATE_HZ
    tones = np.sin(2 * np.pi * np.outer(seconds, (220, 330)))
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "PCM_16") as file:
        for second in range(HOUR_S):
            file.write(tones * (0.1 + 0.8 * np.sin(np.pi * second / 60) ** 2))


def _loaded_ms(place: Place, folder: Path) -> float:
    (manifest,) = folder.glob("runs/*/manifest.json")
    steps = json.loads(manifest.read_text(encoding="utf-8"))["steps"]
    (key,) = (step["key"] for step in steps if step["step"] == "loud")
    command = python_command(
        sys.executable, "-m", f"{__package__}.loading", str(place.store), key,
        folder=Path(__file__).parents[1], site=place.noop, store=place.store,
    )  # fmt: skip
    done = subprocess.run(
        command.arguments, cwd=command.folder, env={**os.environ, **command.environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)
