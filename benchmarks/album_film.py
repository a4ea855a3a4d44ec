"""How fast films are made, beside the encoder alone on the same frames; what they take of memory; what a kill costs.

The film is that of the default preset, steered by a piece of the example that is played on for as long as a song
lasts, on two cores. The limit is FFmpeg alone: the frames of the piece raw from a file, the same codec, as many
threads as it likes.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ripieno.toolkit.ffmpeg import Pipe, file_url

from .figures import Bar, Row
from .film import CORES, ROOT
from .place import Place
from .processes import Command, measure, measure_memory

SONG = ROOT / "examples" / "album-film" / "album" / "faultline.ogg"
RUNS = 3
FPS = 30
SONG_S = 120
LONG_S = 600
STEERED = """ripieno: 1
name: steered
seed: 42
inputs:
  song: {kind: audio}
steps:
  features: {uses: frontend/librosa, in: {audio: song}}
  dream: {uses: controller/latent, in: {features: features}, with: {fps: FPS}}
outputs:
  dream: dream.npz
"""
FILM = """ripieno: 1
name: film
seed: 42
inputs:
  song: {kind: audio}
  dream: {kind: trajectory}
steps:
  film: {uses: renderer/latent_film, in: {trajectory: dream, audio: song}}
outputs:
  film: film.mp4
"""
STAGES = Path(__file__).with_name("album_film_stages.py")


@dataclass(frozen=True)
class Setting:
    """A film to be measured: its name, size, and the frames a second that it should reach."""

    name: str
    size: tuple[int, int]
    fps: float


SETTINGS = (Setting("1080p30", (1920, 1080), 30), Setting("720p30", (1280, 720), 60))


def rows(place: Place) -> Iterator[Row]:
    """Every row of films; half an hour on two cores."""
    with _two_cores():
        folder = place.room("album-film")
        (folder / "film.yaml").write_text(FILM, encoding="utf-8")
        for setting in SETTINGS:
            yield from _speed(place, folder, setting)
        _steer(place, folder, SONG, fps=FPS)
        yield from _workers(place, folder)
        yield from _kill(place, folder)
        yield from _memory(place, folder)
        yield _sixty(place, folder)


def _speed(place: Place, folder: Path, setting: Setting) -> Iterator[Row]:
    song = _repeated(SONG, folder / "song.flac", seconds=SONG_S)
    _steer(place, folder, song, fps=FPS)
    command, frames = _film(place, folder, size=setting.size, song=song), SONG_S * FPS
    films, stages = [], []
    for _ in range(RUNS):
        stages.append(_stages(place, folder, setting.size))
        films.append(frames / measure(command).wall_s)
    of_encoder = [fps / found["encoder_fps"] for fps, found in zip(films, stages, strict=True)]
    of_sum = [fps / found["reachable_fps"] for fps, found in zip(films, stages, strict=True)]
    first = stages[-1]
    shown = ", ".join(f"{name} {ms:.1f}" for name, ms in first["stages_ms"].items())
    yield Row(
        f"album film {setting.name}, x264 veryfast crf 20, {CORES} cores", films,
        Bar(setting.fps, "frames/s", at_least=True), note=f"the whole of core run; {frames} frames",
    )  # fmt: skip
    yield Row(
        f"album film {setting.name}, of the encoder alone", of_encoder, Bar(0.60, "", at_least=True),
        note=f"the encoder {first['encoder_fps']:.1f} frames/s",
    )  # fmt: skip
    yield Row(
        f"album film {setting.name}, of {CORES} cores / sum of the stages", of_sum, Bar(0.90, "", at_least=True),
        note=f"ms: {shown}",
    )  # fmt: skip
    if setting.size[1] == 1080:
        posts = [found["stages_ms"]["post"] for found in stages]
        draws = [1000 / found["draw_ms"] for found in stages]
        yield Row("film effects at 1080p, one core", posts, Bar(8, "ms"), note="default preset")
        yield Row("generator, 256 x 256, one core", draws, Bar(60, "frames/s", at_least=True))


def _workers(place: Place, folder: Path) -> Iterator[Row]:
    hashes = []
    for jobs in (1, 2):
        measure(_film(place, folder, size=(640, 360), jobs=jobs))
        hashes.append(_frames_sha256(_newest(folder)))
    yield Row(
        "album film: other number of workers, same decoded frames", [float(hashes[0] == hashes[1])],
        Bar(1, "", at_least=True), note=hashes[0][:16],
    )  # fmt: skip


def _kill(place: Place, folder: Path) -> Iterator[Row]:
    """Kill the run and all that it started halfway; count the segments that are made twice."""
    undisturbed = hashlib.sha256((_newest(folder) / "film.mp4").read_bytes()).hexdigest()
    command = _film(place, folder, size=(640, 360), jobs=1, store=folder / "killed")
    process = subprocess.Popen(
        command.arguments, cwd=command.folder, env={**os.environ, **command.environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while len(_records(folder)) < 3 or not _begun(folder):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    begun = len(_begun(folder))
    measure(command)
    again = hashlib.sha256((_newest(folder) / "film.mp4").read_bytes()).hexdigest()
    yield Row(
        "album film killed and run again: segments lost", [float(begun)], Bar(1, "segments"),
        note="bit-identical film" if again == undisturbed else "ANOTHER FILM",
    )  # fmt: skip


def _records(folder: Path) -> list[Path]:
    return list((folder / "killed").glob("checkpoints/*/segments/[0-9]*.json"))


def _begun(folder: Path) -> list[Path]:
    return list((folder / "killed").glob("checkpoints/*/segments/.*.mp4"))


def _memory(place: Place, folder: Path) -> Iterator[Row]:
    """Ten minutes at 1920 x 1080; the first minute of it for comparison."""
    peaks = {}
    for seconds in (60, LONG_S):
        song = _repeated(SONG, folder / f"{seconds}.flac", seconds=seconds)
        _steer(place, folder, song, fps=24)
        command = _film(place, folder, size=(1920, 1080), song=song)
        peaks[seconds] = measure_memory(command)[1]
    yield Row(
        "album film of ten minutes, 1080p: memory", [peaks[LONG_S].process_mb], Bar(900, "MB"),
        note=f"of one minute {peaks[60].process_mb:.0f} MB; all processes with FFmpeg {peaks[LONG_S].tree_mb:.0f} MB",
    )  # fmt: skip


def _sixty(place: Place, folder: Path) -> Row:
    """Five minutes at 60 frames a second."""
    song = _repeated(SONG, folder / "300.flac", seconds=300)
    _steer(place, folder, song, fps=60)
    usage = measure(_film(place, folder, size=(1920, 1080), song=song))
    return Row(
        f"album film of five minutes, 1080p60, {CORES} cores", [usage.wall_s / 60], Bar(20, "min"),
        note="reported; on a GPU 2.5 min are asked for",
    )  # fmt: skip


def _film(
    place: Place,
    folder: Path,
    *,
    size: tuple[int, int],
    jobs: int = CORES,
    song: Path = SONG,
    store: Path | None = None,
) -> Command:
    command = place.core(
        "run", "film.yaml", "--force", "--quiet", "--jobs", jobs,
        "--input", f"song={song}", "--input", "dream=dream.npz", "--set", f"film.size={json.dumps(size)}",
        folder=folder, site=place.noop,
    )  # fmt: skip
    if store is None:
        return command
    return Command(command.arguments, command.folder, {**command.environment, "RIPIENO_STORE": str(store)})


def _steer(place: Place, folder: Path, song: Path, *, fps: int) -> None:
    """Put the trajectory of a song into the folder."""
    (folder / "steered.yaml").write_text(STEERED.replace("FPS", str(fps)), encoding="utf-8")
    measure(
        place.core(
            "run", "steered.yaml", "--quiet", "--input", f"song={song}", folder=folder, site=place.noop
        )
    )
    shutil.copyfile(_newest(folder) / "dream.npz", folder / "dream.npz")


def _stages(place: Place, folder: Path, size: tuple[int, int]) -> dict[str, object]:
    """What `album_film_stages` says, in a process whose libraries have one thread."""
    command = place.core(folder=folder, site=place.noop)
    width, height = map(str, size)
    done = subprocess.run(
        [sys.executable, str(STAGES), str(folder / "dream.npz"), width, height],
        env={**os.environ, **command.environment, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _repeated(song: Path, target: Path, *, seconds: int) -> Path:
    """A song played again and again for so long."""
    again = ["-stream_loop", "-1", "-i", file_url(song), "-t", str(seconds), "-y", file_url(target)]
    with Pipe(["ffmpeg", *again], mode="read") as pipe:
        pipe.read()
    return target


def _newest(folder: Path) -> Path:
    return max((folder / "runs").iterdir(), key=lambda run: run.stat().st_mtime_ns)


def _frames_sha256(run: Path) -> str:
    digest = hashlib.sha256()
    raw = ["-i", file_url(run / "film.mp4"), "-f", "rawvideo", "-fps_mode", "passthrough", "pipe:"]
    with Pipe(["ffmpeg", *raw], mode="read") as pipe:
        for block in pipe.blocks(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _two_cores() -> Iterator[None]:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everywhere)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)
