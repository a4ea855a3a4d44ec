import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from making_films import decoded_frames, film, tone, trajectory, work
from render_film import SEGMENT_S

from ripieno.contracts.context import new_context, use_context
from ripieno_film.journal import Journal

SECONDS = 4.0
COUNT = int(SECONDS / SEGMENT_S)
SCRIPT = Path(__file__).with_name("render_film.py")


def started(folder, *more, **options):
    command = [sys.executable, str(SCRIPT), str(folder), str(SECONDS), *map(str, more)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


def finished(folder):
    """When the record of each finished segment was written."""
    records = (folder / "checkpoint" / "segments").glob("[0-9]*.json")
    return {path.stem: path.stat().st_mtime_ns for path in records}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    process = started(folder)
    assert process.wait() == 0, process.stderr.read()
    return (folder / "film.mp4").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, COUNT // 2])
def test_a_killed_run_goes_on_and_gives_the_same_film(undisturbed, tmp_path, after):
    process = started(tmp_path, start_new_session=True)
    while len(finished(tmp_path)) < after and process.poll() is None:
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    kept = finished(tmp_path)
    assert after <= len(kept) < COUNT
    again = started(tmp_path)
    assert again.wait() == 0, again.stderr.read()
    assert (tmp_path / "film.mp4").read_bytes() == undisturbed
    # What was finished is not made again: it is the segment in the making that was lost.
    assert kept.items() <= finished(tmp_path).items()


def test_a_full_disk_is_one_line_and_finished_segments_stay(tmp_path, monkeypatch):
    # Coverage could not write what it counted either, and would say so.
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)
    process = started(tmp_path, 12_000)
    _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith("InputError: ")
    assert "no space left for the film" in said
    assert said.count("\n") == 1
    assert not list((tmp_path / "checkpoint" / "segments").glob(".*"))


def test_a_damaged_segment_is_made_again(tmp_path):
    context = new_context()
    with use_context(context):
        first = film(trajectory(1.0), tone(1.0), segment_s=0.5)
        whole = first.path.read_bytes()
        Journal(context.checkpoint).path(1).write_bytes(b"damaged")
        assert film(trajectory(1.0), tone(1.0), segment_s=0.5).path.read_bytes() == whole


def test_two_workers_give_the_frames_of_one():
    alone = frames_sha256(new_context())
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as workers:
        context = new_context()
        object.__setattr__(context, "on_map", partial(map_on, workers, context.checkpoint))
        assert frames_sha256(context) == alone


def frames_sha256(context):
    with use_context(context):
        frames = decoded_frames(film(trajectory(1.6), tone(1.6), segment_s=0.5, supersample=2))
    return hashlib.sha256(frames.tobytes()).hexdigest()


def map_on(workers, checkpoint, function, jobs):
    return list(workers.map(partial(work, checkpoint, function), jobs))
