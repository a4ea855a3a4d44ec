"""Measures the stages of a film in a process of its own: ``album_film_stages.py DREAM.npz WIDTH HEIGHT``."""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ripieno.contracts import Audio
from ripieno.contracts.codecs import TrajectoryFile
from ripieno.core.host import CoreHost
from ripieno_film.generator import load
from ripieno_film.profile import measure
from ripieno_film.profile_command import film_config
from ripieno_film.renderer import reel_of

FRAMES = 800
DRAWN = 60


def main() -> None:
    """Print the figures as JSON."""
    trajectory = TrajectoryFile().read(Path(sys.argv[1]))
    config = film_config(
        CoreHost(), weights="", size=f"{sys.argv[2]}x{sys.argv[3]}", fps=trajectory.fps, codec="x264"
    )
    sound = Audio(np.zeros((1, round(len(trajectory.rows) / trajectory.fps * 8000)), np.float32), 8000)
    with tempfile.TemporaryDirectory() as folder:
        reel = reel_of(config, trajectory, sound, generator=config.weights.plugin.path, folder=Path(folder))
        found = measure(
            reel,
            encoding={"codec": "x264", "crf": config.crf, "threads": 1},
            frames=FRAMES,
            folder=Path(folder),
        )
    figures = {
        "stages_ms": found.stages_ms,
        "encoder_fps": found.encoder_fps,
        "reachable_fps": found.reachable_fps,
        "draw_ms": _draw_ms(config.weights.plugin.path),
    }
    print(json.dumps(figures))


def _draw_ms(path: Path) -> float:
    """CPU of one picture of the generator."""
    generator = load(str(path), gpu=False)
    codes = generator.card.anchors.reshape(-1, *generator.card.latent_shape)
    generator.draw(codes[0])
    began = time.process_time()
    for number in range(DRAWN):
        generator.draw(codes[number % len(codes)])
    return 1000 * (time.process_time() - began) / DRAWN


if __name__ == "__main__":
    main()
