"""Segments of a film: each drawn and encoded by itself, in whatever worker is free."""

from collections.abc import Iterator, Mapping
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Context, atomic_path

from .encoding import encoder, segment_command
from .frames import frames_of
from .journal import Journal
from .reel import Reel
from .yuv import new_planes, to_planes

Encoding = Mapping[str, Any]


def render_segments(
    reel: Reel, context: Context, *, encoding: Encoding, keep_frames: Path | None = None
) -> list[Path]:
    """The files of all segments, in order; those that an earlier run finished are not made again.

    Parameters
    ----------
    encoding : mapping
        ``codec``, ``crf`` and ``threads``, as `segment_command` takes them.
    keep_frames : Path, optional
        A folder for every frame as PNG; each film has a folder of its own in it.
    """
    journal = Journal(context.checkpoint)
    journal.sweep()
    counts = [stop - start for start, stop in map(reel.span, range(reel.segments))]
    missing = [
        segment for segment, frames in enumerate(counts) if not journal.is_finished(segment, frames=frames)
    ]
    done = reel.frames - sum(counts[segment] for segment in missing)
    shared = {
        "reel": reel.to_json(),
        "encoding": dict(encoding),
        # The films of an album have one setting, and each its own checkpoint.
        "keep_frames": keep_frames and str(keep_frames.absolute() / context.checkpoint.name[:12]),
    }
    # Several for each worker, so that few wait at the end of a round; more rounds tell more of the progress.
    at_once = 4 * (cpu_count() or 1)
    context.progress(done, reel.frames, unit="frames")
    for begin in range(0, len(missing), at_once):
        some = missing[begin : begin + at_once]
        context.map(render_segment, [{**shared, "segment": segment} for segment in some])
        done += sum(counts[segment] for segment in some)
        context.progress(done, reel.frames, unit="frames")
    return [journal.path(segment) for segment in range(reel.segments)]


def render_segment(job: Mapping[str, Any], context: Context) -> int:
    """Draw and encode one segment; how many frames it has."""
    reel, segment = Reel.from_json(job["reel"]), int(job["segment"])
    journal = Journal(context.checkpoint)
    start, stop = reel.span(segment)
    frames = frames_of(reel, start, stop)
    if job["keep_frames"]:
        frames = _kept(frames, Path(job["keep_frames"]), start)
    # The film's last frame stays for less than the others: it must be the last that is decoded too.
    key = stop - start - 1 if stop == reel.frames else None
    with atomic_path(journal.path(segment)) as part:
        command = segment_command(part, size=reel.size, rate=reel.rate, key=key, **job["encoding"])
        with encoder(command, folder=journal.folder) as pipe:
            for planes in planes_of(frames, size=reel.size):
                pipe.write(planes)
    journal.finish(segment, frames=stop - start)
    return stop - start


def planes_of(frames: Iterator[NDArray[np.uint8]], *, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Frames as encoders take them, each in the same buffer."""
    planes = new_planes(size)
    for frame in frames:
        to_planes(frame, planes)
        yield planes


def _kept(frames: Iterator[NDArray[np.uint8]], folder: Path, first: int) -> Iterator[NDArray[np.uint8]]:
    """Frames as they pass, each written as PNG."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, first):
        png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1]
        (folder / f"{number:06}.png").write_bytes(png.tobytes())
        yield frame
