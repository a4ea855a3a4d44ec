"""Renders a film in a process of its own: ``python render_film.py FOLDER SECONDS [MOST_BYTES]``.

The checkpoint and the film stand in FOLDER; no file may grow beyond MOST_BYTES.
"""

import shutil
import sys
from pathlib import Path

from making_films import film, tone, trajectory

from ripieno.contracts import RipienoError
from ripieno.contracts.context import new_context, use_context

SEGMENT_S = 0.5


def render(folder, seconds):
    """A film whose checkpoint outlives the process."""
    context = new_context()
    checkpoint = Path(folder) / "checkpoint"
    checkpoint.mkdir(exist_ok=True)
    object.__setattr__(context, "checkpoint", checkpoint)
    with use_context(context):
        return film(trajectory(seconds), tone(seconds), size=(320, 180), segment_s=SEGMENT_S)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        shutil.copyfile(render(sys.argv[1], float(sys.argv[2])).path, Path(sys.argv[1]) / "film.mp4")
    except RipienoError as error:
        sys.exit(f"{type(error).__name__}: {error}")
