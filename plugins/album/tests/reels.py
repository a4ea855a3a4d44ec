"""Small films to test with: coloured frames, each a little different, and a tone."""

import json
import zlib
from pathlib import Path

import numpy as np

from ripieno.contracts import Audio, Bundle, Trajectory, Video
from ripieno.contracts.context import new_context, use_context
from ripieno.toolkit.ffmpeg import Pipe, file_url, run

FPS = 12
RATE_HZ = 16_000


def frames(seconds, *, size=(64, 36), seed=0):
    """RGB frames: a gradient whose colour moves, and a bright square that walks."""
    width, height = size
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 1, 3)
    _, x = np.mgrid[:height, :width]
    made = []
    for index in range(round(seconds * FPS)):
        turns = x / width + index / 24
        frame = np.stack([127 + 120 * np.sin(2 * np.pi * (turns + shift)) for shift in phase], axis=-1)
        at = 2 + index * 2 % (width - 12)
        frame[height // 3 : height // 3 + 8, at : at + 8] = 255
        made.append(frame.astype(np.uint8))
    return made


def film(folder, seconds=2.0, *, size=(64, 36), seed=0, name="film", suffix=".mp4"):
    """A film with a tone."""
    import ffmpeg

    folder = Path(folder)
    path = folder / f"{name}{suffix}"
    silent, sound = folder / f"{name}-silent.mkv", folder / f"{name}.f32"
    picture = ffmpeg.input(
        "pipe:", format="rawvideo", pix_fmt="rgb24", s="{}x{}".format(*size), framerate=FPS
    )
    coded = picture.output(file_url(silent), vcodec="libx264", crf=18, pix_fmt="yuv420p", g=6, threads=1)
    with Pipe(ffmpeg.compile(coded), mode="write") as pipe:
        for frame in frames(seconds, size=size, seed=seed):
            pipe.write(frame)
    tone(seconds, seed=seed).samples.T.astype("<f4").tofile(sound)
    heard = ffmpeg.input(file_url(sound), format="f32le", ar=RATE_HZ, ac=1)
    codecs = (
        {"vcodec": "copy", "acodec": "aac"}
        if suffix == ".mp4"
        else {"vcodec": "libvpx-vp9", "acodec": "libopus"}
    )
    joined = ffmpeg.output(
        ffmpeg.input(file_url(silent))["v:0"],
        heard,
        file_url(path),
        movflags="+faststart",
        threads=1,
        **codecs,
    )
    run(ffmpeg.compile(joined))
    return Video(path, *size, FPS, seconds)


def tone(seconds=2.0, *, seed=0):
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Audio(0.3 * np.sin(2 * np.pi * (220 + 40 * seed) * times_s)[None].astype(np.float32), RATE_HZ)


def trajectory(seconds=2.0):
    rng = np.random.default_rng(1)
    return Trajectory(
        rng.random((round(seconds * FPS), 3)).astype(np.float32), FPS, ("anchor_0", "hue", "zoom")
    )


def extras(folder, facts, *, palette=("#102030", "#e0a050"), without=()):
    """What `FilmExtras` leaves, as far as the page reads it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    look = {"value": {"palette": list(palette)}}
    (folder / "meta.json").write_text(json.dumps({"track": facts, "look": look}), encoding="utf-8")
    for name in ("poster.jpg", "contact-sheet.jpg", "preview.gif", "cover.jpg", "latents.npz"):
        if name not in without:
            (folder / name).write_bytes(picture())
    return Bundle({path.name: path for path in folder.iterdir()})


def picture():
    """A PNG of one pixel; browsers look at the content, not at the suffix."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (1).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    pixels = zlib.compress(b"\x00\x30\x60\x90")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def in_context(call, **facts):
    """A call of a verb in a context of these facts."""
    with use_context(new_context(**facts)):
        return call()
