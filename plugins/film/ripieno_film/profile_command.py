"""``core film profile``: what each stage of a film costs on this machine."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.contracts import Audio, ConfigError, Host, Trajectory

from .config import LatentFilmConfig
from .installed import installed_effects, shipped
from .profile import Profile, measure
from .renderer import reel_of

PIPELINE = """ripieno: 1
name: film-profile
inputs:
  song: {kind: audio}
steps:
  features: {uses: frontend/librosa, in: {audio: song}}
  dream: {uses: controller/latent, in: {features: features}}
outputs:
  dream: dream.npz
"""
RATE_HZ = 44_100


def profile_lines(
    host: Host,
    song: Path,
    *,
    preset: str,
    weights: str,
    size: str,
    fps: float,
    codec: str,
    seconds: float,
) -> list[str]:
    """What `core film profile` says of the film of a song; its parameters are the options."""
    config = film_config(host, weights=weights, size=size, fps=fps, codec=codec)
    with tempfile.TemporaryDirectory(prefix="ripieno-profile-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        steering = {"preset": preset, "fps": fps}
        if weights:
            steering["weights"] = weights
        trajectory, before_ms = steered(host, song, steering, folder=folder)
        sound = Audio(np.zeros((1, round(len(trajectory.rows) / fps * RATE_HZ)), np.float32), RATE_HZ)
        reel = reel_of(config, trajectory, sound, generator=config.weights.plugin.path, folder=folder)
        encoding = {"codec": config.codec, "crf": config.crf, "threads": config.encoder_threads}
        found = measure(reel, encoding=encoding, frames=max(1, round(seconds * fps)), folder=folder)
    return table(found, before_ms=before_ms)


def film_config(host: Host, *, weights: str, size: str, fps: float, codec: str) -> LatentFilmConfig:
    """The renderer's settings, with the generator and the effects that are installed.

    Raises
    ------
    ConfigError
        If one of them is not what it should be.
    """
    from pydantic import ValidationError

    width, times, height = size.partition("x")
    if not (times and width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size {size}: write width and height as 1920x1080")
    uses = weights or LatentFilmConfig.model_fields["weights"].default.uses
    try:
        return LatentFilmConfig.model_validate(
            {
                "size": (int(width), int(height)),
                "fps": fps,
                "codec": codec,
                "weights": shipped(host, uses),
                "effects": installed_effects(),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"--{first['loc'][0]}: {first['msg']}") from error


def steered(
    host: Host, song: Path, steering: dict[str, Any], *, folder: Path
) -> tuple[Trajectory, dict[str, float]]:
    """The trajectory of a song, and milliseconds a frame that features and controller took."""
    from ripieno.contracts.codecs import TrajectoryFile

    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    settings = {f"dream.{name}": value for name, value in steering.items()}
    run = host.run(str(pipeline), {"song": str(song)}, settings, ())
    trajectory = TrajectoryFile().read(run / "dream.npz")
    assert isinstance(trajectory, Trajectory)
    steps = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["steps"]
    seconds = {step["step"]: step["seconds"] for step in steps}
    frames = max(1, len(trajectory.rows))
    names = {"features": "features", "controller": "dream"}
    return trajectory, {name: 1000 * seconds[step] / frames for name, step in names.items()}


def table(found: Profile, *, before_ms: dict[str, float]) -> list[str]:
    """The figures as lines."""
    stages = {**before_ms, **found.stages_ms}
    lines = [f"{name:12}{ms:8.2f} ms a frame" for name, ms in stages.items()]
    total_ms = sum(stages.values())
    reachable_fps = 1000 * found.cores / total_ms
    on = f"frames a second on {found.cores} cores"
    return [
        *lines,
        f"{'sum':12}{total_ms:8.2f} ms a frame: {reachable_fps:.1f} {on} at most",
        f"the encoder alone: {found.encoder_fps:.1f} {on}, of which that is {reachable_fps / found.encoder_fps:.2f}",
    ]
