"""Where the time of a film goes: CPU of each stage alone, beside what the encoder could do without us.

Conventions
-----------
Times are milliseconds of CPU a frame, of this process and of FFmpeg where it takes part. The limit is
FFmpeg alone: the same frames, raw from a file, the same codec, as many threads as it likes.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError
from ripieno.contracts.context import new_context, use_context
from ripieno.toolkit.ffmpeg import Pipe, ffmpeg_path, file_url

from .chain import Chain
from .encoding import segment_command
from .frames import paint
from .generator import fields_of, load
from .reel import Reel
from .segments import planes_of
from .yuv import new_planes

T = TypeVar("T")
WARM_UP = 4


@dataclass(frozen=True)
class Profile:
    """What was measured.

    Parameters
    ----------
    stages_ms : mapping of str to float
        CPU a frame by stage, in order.
    encoder_fps : float
        Frames a second by the clock of the encoder alone, on all cores.
    cores : int
        That this process may use.
    """

    stages_ms: Mapping[str, float]
    encoder_fps: float
    cores: int

    @property
    def sum_ms(self) -> float:
        """CPU a frame of all stages."""
        return sum(self.stages_ms.values())

    @property
    def reachable_fps(self) -> float:
        """Frames a second if all cores were busy with these stages and nothing else."""
        return 1000 * self.cores / self.sum_ms


def measure(reel: Reel, *, encoding: Mapping[str, Any], frames: int, folder: Path) -> Profile:
    """Measure each stage alone over the first frames of a film.

    Parameters
    ----------
    encoding : mapping
        ``codec``, ``crf`` and ``threads`` of a segment's encoder.
    frames : int
        > 0; at most those of the film.
    folder : Path
        Takes the raw frames: 3.1 MB each at 1920 x 1080.
    """
    with use_context(new_context()):
        return _measured(reel, encoding, min(frames, reel.frames), folder)


def _measured(reel: Reel, encoding: Mapping[str, Any], frames: int, folder: Path) -> Profile:
    _drain(_through(reel, Clock(), frames=min(frames, WARM_UP)))
    clock = Clock()
    raw = folder / "frames.yuv"
    with raw.open("wb") as file:
        for planes in _through(reel, clock, frames=frames):
            file.write(planes.data)
    piped = _piped_ms(raw, reel, frames)
    command = segment_command(folder / "alone.mp4", size=reel.size, rate=reel.rate, **encoding)
    encode_s, _ = _run(_from_file(command, raw))
    free = segment_command(folder / "free.mp4", size=reel.size, rate=reel.rate, **{**encoding, "threads": 0})
    _, limit_s = _run(_from_file(free, raw))
    raw.unlink()
    stages = {name: 1000 * seconds / frames for name, seconds in clock.exclusive().items()}
    stages |= {"pipe": stages.pop("convert") + piped, "encode": 1000 * encode_s / frames}
    return Profile(stages, frames / limit_s, cores())


class Clock:
    """CPU of this process by stage, where each stage asks the one before it for its next item."""

    def __init__(self) -> None:
        self._inclusive: dict[str, float] = {}

    def of(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items as they are, the time of making each counted."""
        iterator = iter(items)
        self._inclusive.setdefault(stage, 0.0)
        while True:
            began = time.process_time()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._inclusive[stage] += time.process_time() - began
            yield item

    def exclusive(self) -> dict[str, float]:
        """Seconds of each stage without those of the stages before it, from first to last."""
        names = sorted(self._inclusive, key=self._inclusive.__getitem__)
        before = [0.0, *(self._inclusive[name] for name in names)]
        return {name: self._inclusive[name] - earlier for name, earlier in zip(names, before, strict=False)}


def cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _through(reel: Reel, clock: Clock, *, frames: int) -> Iterator[NDArray[np.uint8]]:
    """The planes of the first frames, by the stages that a segment goes through."""
    pictures = reel.pictures(0, frames)
    fields = clock.of("decode", fields_of(reel, load(reel.generator, gpu=reel.gpu), pictures))
    painted = clock.of("paint", paint(reel, fields, pictures))
    chain = Chain(reel.effects, fps=float(reel.fps))
    finished = clock.of("post", chain.run(painted, start=0, first=0))
    return clock.of("convert", planes_of(finished, size=reel.size))


def _drain(items: Iterable[object]) -> None:
    for _ in items:
        pass


def _piped_ms(raw: Path, reel: Reel, frames: int) -> float:
    """What it costs to hand a frame over; reading it is in the encoder's own time."""
    command = segment_command(Path("-"), codec="x264", crf=0, threads=1, size=reel.size, rate=reel.rate)
    command = [*command[: command.index("pipe:") + 1], "-f", "null", "-"]
    size = len(new_planes(reel.size))
    own_s = 0.0
    with raw.open("rb") as file, Pipe(command, mode="write") as pipe:
        while planes := file.read(size):
            began = time.process_time()
            pipe.write(planes)
            own_s += time.process_time() - began
    return 1000 * own_s / frames


def _from_file(command: list[str], raw: Path) -> list[str]:
    place = command.index("pipe:")
    return [*command[:place], file_url(raw), *command[place + 1 :]]


def _run(command: list[str]) -> tuple[float, float]:
    """CPU and clock seconds of a command."""
    import resource

    quiet = [ffmpeg_path(), "-nostats", "-loglevel", "quiet", *command[1:]]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if subprocess.run(quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode:
        raise InputError("FFmpeg failed while it was measured: run the film itself to see why")
    lasted_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, lasted_s
