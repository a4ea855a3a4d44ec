"""What tests of films need: music, trajectories as a controller gives them, films taken apart."""

from pathlib import Path

import numpy as np

from ripieno.contracts import Asset, Audio, Context, PluginRef, Trajectory
from ripieno.contracts.context import call_in
from ripieno.toolkit.ffmpeg import Pipe, file_url
from ripieno.toolkit.latents import columns
from ripieno_film import assets
from ripieno_film.config import LatentFilmConfig
from ripieno_film.renderer import LatentFilm

ANCHORS = (3, 20, 41, 60)
LOOK = {"anchors": list(ANCHORS), "palette": ["#0b1e4f", "#1f6feb", "#ffd166", "#b5179e"]}
SMALL = {"size": (96, 64), "effects": ()}


def cppn():
    """The generator that this package ships, as a run would put it in."""
    return PluginRef[Asset].of(assets.cppn.at(Path(assets.__file__).with_name("cppn.onnx")))


def settings(**given):
    return LatentFilmConfig(**{**SMALL, "weights": cppn(), **given})


def film(trajectory, audio, *, model=None, **given):
    return LatentFilm(settings(**given)).render(trajectory, audio, model=model)


def trajectory(seconds, *, fps=30.0, flash=None, look=LOOK):
    """Anchors one after the other, all else gently moving; `flash` is a row of values."""
    names = columns(anchors=len(look["anchors"]), axes=2)
    time_s = np.arange(max(1, int(np.ceil(seconds * fps - 1e-9)))) / fps
    turns = time_s[:, None] / 6 - np.arange(len(look["anchors"])) / len(look["anchors"])
    weights = np.exp(2 * np.cos(2 * np.pi * turns))
    values = {name: 0.1 * np.sin(time_s + place) for place, name in enumerate(names)}
    values |= {
        f"anchor_{place}": row for place, row in enumerate((weights / weights.sum(1, keepdims=True)).T)
    }
    values |= {"energy": np.full(len(time_s), 0.5), "zoom": np.ones(len(time_s))}
    values |= {"pulse": np.zeros(len(time_s)), "flash": np.zeros(len(time_s)) if flash is None else flash}
    rows = np.stack([values[name] for name in names], axis=1).astype(np.float32)
    return Trajectory(rows, fps, names, look=look)


def tone(seconds, *, rate_hz=48000, channels=2):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = (0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
    return Audio(np.tile(wave, (channels, 1)), rate_hz)


def decoded_frames(video):
    """Frames uint8 [n, height, width, 3]."""
    raw = ["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:"]
    command = ["ffmpeg", "-i", file_url(video.path), *raw]
    with Pipe(command, mode="read") as pipe:
        return np.frombuffer(pipe.read(), np.uint8).reshape(-1, video.height, video.width, 3)


def decoded_sound(video, *, rate_hz=48000):
    """The left channel [frames]."""
    command = ["ffmpeg", "-i", file_url(video.path), "-f", "f32le", "-ac", "2", "-ar", str(rate_hz), "pipe:"]
    with Pipe(command, mode="read") as pipe:
        return np.frombuffer(pipe.read(), np.float32)[::2]


def frame_times(video):
    """When each frame begins, in seconds, and when the last one ends."""
    command = ["ffmpeg", "-i", file_url(video.path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "pipe:"]
    with Pipe(command, mode="read") as pipe:
        lines = pipe.read().decode().splitlines()
    tick = next(line for line in lines if line.startswith("#tb")).split()[-1].split("/")
    packets = sorted(tuple(map(int, line.split(",")[2:4])) for line in lines if not line.startswith("#"))
    scale = int(tick[0]) / int(tick[1])
    return np.array([shown for shown, _ in packets]) * scale, (packets[-1][0] + packets[-1][1]) * scale


def work(checkpoint, function, job):
    """One job of a map, done in a process of its own."""
    return call_in(Context(checkpoint, checkpoint), function, job)
