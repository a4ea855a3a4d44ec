"""How fast the spectrum film is made: 1280 x 720 at 30 frames a second, with its sound, on two cores."""

import os
from collections.abc import Iterator
from pathlib import Path

import soundfile

from .figures import Bar, Row
from .place import Place
from .processes import interleaved

RUNS = 3
CORES = 2
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "first-film" / "song.ogg"
PIPELINE = """ripieno: 1
name: film
inputs:
  song: {kind: audio}
steps:
  film: {uses: renderer/spectrum, in: {audio: song}, with: {size: [1280, 720], fps: 30}}
outputs:
  film: film.mp4
"""


def rows(place: Place) -> Iterator[Row]:
    """``core run --force`` of the renderer alone."""
    song = _song()
    folder = place.room("film")
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    command = place.core(
        "run",
        "pipeline.yaml",
        "--force",
        "--quiet",
        "--input",
        f"song={song}",
        folder=folder,
        site=place.noop,
    )
    duration_s = soundfile.info(song).duration
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everywhere)[:CORES])
    try:
        film = interleaved({"core": command}, runs=RUNS)["core"]
    finally:
        os.sched_setaffinity(0, everywhere)
    yield Row(
        f"spectrum film, 720p30, {CORES} cores",
        [duration_s / wall_s for wall_s in film.wall_s],
        Bar(2, "x real time", at_least=True),
        note=f"{duration_s:.0f} s of {song.stem}, CPU {film.cpu_s:.0f} s",
    )


def _song() -> Path:
    data = Path(os.environ.get("RIPIENO_DATA") or ROOT.parent / "shared" / "data")
    song = (data / "music" / "kevin_macleod_vibe_ace.ogg").resolve()
    return song if song.exists() else EXAMPLE
