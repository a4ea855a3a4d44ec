"""The example of an album: its pieces and covers, and films of parts of them, small, killed and gone on with."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from ripieno.toolkit.ffmpeg import ffmpeg_path, probe
from ripieno.toolkit.loudness import LoudnessMeter

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("ripieno_film")
pytest.importorskip("ripieno_album")
pytest.importorskip("ripieno_film_effects")

FOLDER = Path(__file__).parents[1] / "examples" / "album-film"
PIPELINE = FOLDER / "pipeline.yaml"
ALBUM = json.loads((FOLDER / "album" / "tracklist.json").read_text(encoding="utf-8"))
TRACKS = ALBUM["tracks"]
IDS = [track["id"] for track in TRACKS]
FPS = 24
SMALL = (
    *("--set", "film.size=[320, 180]", "--set", f"dream.fps={FPS}", "--set", "film.segment_s=0.5"),
    *(
        "--set",
        "extras.gif_s=0.5",
        "--set",
        "extras.previews=1",
        "--input",
        "album.items=album/tracklist.json",
    ),
)
PARTS = {"low-tide": [6.0, 9.0], "faultline": [3.4, 6.43]}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("album_film_compose", FOLDER / "compose.py")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def heard(path):
    samples, rate_hz = soundfile.read(path, always_2d=True, dtype="float32")
    return samples, rate_hz


@pytest.mark.parametrize("name", IDS)
def test_a_piece_is_short_stereo_and_as_loud_as_a_master(name):
    path = FOLDER / "album" / f"{name}.ogg"
    samples, rate_hz = heard(path)
    assert (samples.shape[1], rate_hz) == (2, 44_100)
    assert 20 < len(samples) / rate_hz < 30
    assert path.stat().st_size < 600_000
    meter = LoudnessMeter(rate_hz, channels=2)
    meter.push(samples.T)
    assert meter.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert meter.true_peak_dbtp < -1


@pytest.mark.parametrize("name", IDS)
def test_a_piece_has_parts_of_its_own(script, name):
    (piece,) = [piece for piece in script.PIECES if piece.name == name]
    samples, rate_hz = heard(FOLDER / "album" / f"{name}.ogg")
    bar = round(16 * 60 / piece.bpm / 4 * rate_hz)
    levels_db = [
        10 * np.log10(np.mean(samples[place : place + bar] ** 2)) for place in range(0, piece.bars * bar, bar)
    ]
    assert levels_db[0] < max(levels_db) - 6
    assert 10 * np.log10(np.mean(samples[-rate_hz // 100 :] ** 2) + 1e-12) < -50


@pytest.mark.slow
def test_the_script_makes_the_pieces_that_are_there(script):
    for piece in script.PIECES:
        mix = script.compose(piece)
        samples, _ = heard(FOLDER / "album" / f"{piece.name}.ogg")
        assert samples.shape == mix.shape
        noise = samples - mix
        # Vorbis leaves less than a fiftieth of the energy.
        assert np.sum(noise**2) < 0.02 * np.sum(mix**2)


def test_covers_are_square_and_the_track_list_names_all(script):
    for track, piece in zip(TRACKS, script.PIECES, strict=True):
        cover = probe(FOLDER / "album" / track["art"])
        assert (cover.width, cover.height) == (1000, 1000)
        assert (track["id"], track["bpm"]) == (piece.name, piece.bpm)
    assert {path.name for path in (FOLDER / "album").iterdir()} == {
        "tracklist.json",
        *(track[name] for track in TRACKS for name in ("src", "art")),
    }


def test_the_pipeline_is_well_and_names_what_is_wrong_with_a_list(bench):
    assert "all well" in bench.core("check", PIPELINE).stdout
    place_album(bench, preset="noctrune")
    said = bench.fails("check", PIPELINE, *SMALL)
    assert "item 'low-tide': with.dream" in said and re.search("Did you mean .*nocturne", said)
    bench.write("album/tracklist.json", '[{"src": "low-tide.ogg"}, {"src": "gone.ogg"}]')
    (said,) = bench.fails("check", PIPELINE, *SMALL).splitlines()
    assert re.search(r"tracklist\.json:1:35: item 2: `src`: no file .*gone\.ogg", said)
    refused = bench.fails("check", PIPELINE, "--set", "film.codec=vp9").splitlines()
    assert [line.rpartition(". ")[2] for line in refused] == ["Write films/{item}.webm", "Write album.webm"]


def place_album(bench, *, preset="nocturne"):
    """Two tracks, of each three seconds, in the folder of a test."""
    (bench.folder / "album").mkdir(exist_ok=True)
    rows = []
    for track in TRACKS:
        if track["id"] not in PARTS:
            continue
        for name in (track["src"], track["art"]):
            shutil.copy(FOLDER / "album" / name, bench.folder / "album" / name)
        rows.append({**track, "trim": PARTS[track["id"]]})
    rows[0]["with"] = {"dream": {"preset": preset}}
    bench.write("album/tracklist.json", json.dumps({**ALBUM, "tracks": rows}))


def frames_sha256(path):
    command = [ffmpeg_path(), "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    return hashlib.sha256(raw).hexdigest(), len(raw) // (320 * 180 * 3 // 2)


def chapters(path):
    told = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", path, "-f", "ffmetadata", "-"], capture_output=True, check=True
    ).stdout.decode()
    found = re.findall(r"TIMEBASE=1/(\d+)\nSTART=(\d+)\nEND=(\d+)\ntitle=(.*)", told)
    return [(int(start) / int(base), int(end) / int(base), title) for base, start, end, title in found]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, bench_in):
    """A run of two workers that nobody disturbs."""
    bench = bench_in(tmp_path_factory.mktemp("undisturbed"))
    place_album(bench)
    return bench, bench.run(PIPELINE, *SMALL, "--jobs", "2")


@pytest.mark.slow
def test_tracks_become_films_an_album_and_a_page(undisturbed):
    _, ran = undisturbed
    lengths_s = [end_s - start_s for start_s, end_s in PARTS.values()]
    for name, length_s in zip(PARTS, lengths_s, strict=True):
        card = json.loads(ran.text(f"extras/{name}/meta.json"))
        film = ran.folder / "films" / f"{name}.mp4"
        sha256, frames = frames_sha256(film)
        assert frames == ceil(length_s * FPS - 1e-6)
        assert card["film"]["frames_sha256"] == sha256
        assert card["film"]["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
        assert card["film"]["duration_s"] == pytest.approx(length_s, abs=0.001)
        (source,) = card["sources"]
        assert source["sha256"] == hashlib.sha256((FOLDER / "album" / f"{name}.ogg").read_bytes()).hexdigest()
        settings = {step["step"]: step["settings"] for step in card["steps"]}
        assert settings["dream"]["preset"]["from"] == "track list"
        assert settings["film"]["size"] == {"value": [320, 180], "from": "run"}
        assert settings["film"]["loudness_lufs"]["from"] == "pipeline"
        with np.load(ran.folder / "extras" / name / "latents.npz") as latents:
            assert len(latents["coefficients"]) == pytest.approx(frames, abs=FPS)
    starts_s = [0, lengths_s[0], sum(lengths_s)]
    found = chapters(ran.folder / "album.mp4")
    assert [title for *_, title in found] == ["Low Tide", "Faultline"]
    assert [start_s for start_s, *_ in found] == pytest.approx(starts_s[:2], abs=0.01)
    assert found[-1][1] == pytest.approx(starts_s[2], abs=0.05)
    page = ran.text("page/index.html")
    assert all(title in page for title in ("Three Pieces", "Low Tide", "Faultline", "Ripieno"))
    assert (ran.folder / "page/album.mp4").read_bytes() == (ran.folder / "album.mp4").read_bytes()
    assert ran.text("page/chapters.txt") == "0:00 Low Tide\n0:03 Faultline\n"


@pytest.mark.slow
def test_what_was_done_is_not_done_again(undisturbed):
    bench, ran = undisturbed
    again = bench.run(PIPELINE, *SMALL, "--jobs", "1")
    assert {row["status"] for row in again.manifest["steps"]} == {"cached"}
    assert again.digests == ran.digests


@pytest.mark.slow
def test_another_number_of_workers_changes_no_byte(bench, undisturbed):
    place_album(bench)
    assert bench.run(PIPELINE, *SMALL, "--jobs", "1").digests == undisturbed[1].digests


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills a process group")
def test_a_run_that_is_killed_in_the_middle_of_a_film_keeps_its_segments_and_ends_the_same(
    bench, undisturbed
):
    place_album(bench)
    process = bench.start("run", PIPELINE, *SMALL, "--jobs", "2", "--quiet")
    finished = bench.store.glob
    while not list(finished("checkpoints/*/segments/*.json")):
        # Until a segment is whole; a run that ends before is a failure of the test.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
            pytest.fail(f"ended by itself: {process.stderr.read()[-500:]}")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = list(finished("checkpoints/*/segments/*.json"))
    ran = bench.run(PIPELINE, *SMALL, "--jobs", "2")
    assert ran.digests == undisturbed[1].digests
    begun = [event["done"] for event in ran.named("step_progress") if event["step"] == "film"]
    assert kept and max(begun[:2]) >= FPS // 2
