"""A store that is damaged, full, killed or shared: found, said, made again."""

import json
import os
import random
import resource
import subprocess
import sys

import numpy as np
import pytest
import soundfile

CHAIN = """
inputs:
  words: {kind: text, path: words/*.txt}
steps:
  loud: {uses: joiner/shout, in: {text: words}}
  dice: {uses: joiner/dice, in: {text: loud}}
  spread: {uses: joiner/spread, in: {text: dice}, with: {jobs: 3}}
  all: {uses: joiner/gather, in: {texts: dice}}
outputs:
  loud: "{item}.txt"
  all: all.txt
"""
SOUND = """
inputs: {song: {kind: audio, path: a.wav}}
steps:
  soft: {uses: effect/gain, in: {audio: song}, with: {gain: 0.5}}
  softer: {uses: effect/gain, in: {audio: soft}, with: {gain: 0.5}}
outputs: {softer: softer.wav}
"""


@pytest.fixture
def chain(bench):
    for name in ("ah", "be", "ce", "de"):
        bench.write(f"words/{name}.txt", name)
    return bench.pipeline(CHAIN)


@pytest.fixture
def sound(bench):
    big_sound(bench, 4000)
    return bench.pipeline(SOUND)


def big_sound(bench, frames):
    """Four bytes a frame of noise."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, frames)
    soundfile.write(bench.folder / "a.wav", samples, 8000, "FLOAT")


def flip(path, *, keep_time):
    """Change a bit of a file behind the store's back."""
    facts = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    if keep_time:
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def file_of(bench, ran, step, name):
    digest = next(digest for (made, _, _), digest in ran.digests.items() if made == step)
    return bench.store / "objects" / digest[:2] / digest / name


@pytest.mark.parametrize(("name", "keep_time"), [("0.f32", True), ("0.f32", False), ("artifact.json", True)])
def test_a_flipped_bit_is_found_said_and_made_again(bench, sound, keep_time, name):
    first = bench.run(sound)
    flip(file_of(bench, first, "soft", name), keep_time=keep_time)
    # Something new reads it, so that it is not only trusted.
    again = bench.run(sound, "--set", "softer.gain=0.25", "--jobs", 2)
    assert again.status("soft") == "done" and again.digests["soft", "", ""] == first.digests["soft", "", ""]
    (said,) = again.named("artifact_damaged")
    assert said["path"].endswith(name)
    assert bench.run(sound).digests == first.digests


@pytest.mark.parametrize("disturb", ["removed", "touched"])
def test_a_flipped_bit_of_what_is_written_out_is_found(bench, sound, disturb):
    first = bench.run(sound)
    written = first.folder / "softer.wav"
    right = written.read_bytes()
    flip(file_of(bench, first, "softer", "0.f32"), keep_time=True)
    # An output that stands is copied, and what it was made of is not read.
    second = bench.run(sound)
    assert (second.folder / "softer.wav").read_bytes() == right
    for ran in (first, second):
        if disturb == "removed":
            (ran.folder / "softer.wav").unlink()
        else:
            os.utime(ran.folder / "softer.wav", (1, 1))
    third = bench.run(sound)
    assert len(third.named("artifact_damaged")) == 1 and third.digests == first.digests
    assert third.status("softer") == "done" and (third.folder / "softer.wav").read_bytes() == right


def test_verify_reads_all_and_drops_what_is_damaged(bench, sound):
    first = bench.run(sound)
    assert bench.core("runs", "verify").stdout == "3 artifacts read, 0 damaged\n"
    flip(file_of(bench, first, "soft", "0.f32"), keep_time=True)
    done = bench.core("runs", "verify", code=1)
    assert "0.f32: damaged; dropped" in done.stdout and done.stdout.endswith("3 artifacts read, 1 damaged\n")
    assert bench.run(sound).digests == first.digests


def test_a_key_or_an_object_that_is_lost_is_made_again(bench, chain):
    first = bench.run(chain)
    lost = random.Random(0).sample(sorted((bench.store / "objects").glob("*/*/*")), 5)
    cut = random.Random(0).sample(sorted((bench.store / "keys").glob("*/*.json")), 5)
    for path in lost:
        path.unlink()
    for path in cut:
        path.write_bytes(path.read_bytes()[:50])
    assert bench.run(chain).digests == first.digests


def test_cleaning_removes_all_or_nothing_and_runs_go_on(bench, chain):
    first = bench.run(chain)
    assert bench.core("runs", "gc").stdout.startswith("0 results and 0 artifacts removed")
    assert "FAILED" not in bench.core("runs", "list").stdout
    bench.core("runs", "gc", "--older-than", "0s")
    assert not [*(bench.store / "objects").glob("*/*"), *(bench.store / "keys").glob("*/*")]
    assert bench.run(chain).digests == first.digests


def test_cleaning_spares_what_a_run_is_working_on(bench, chain):
    hang = "  work: {uses: joiner/faulty, in: {text: all}, with: {fault: hangs}, timeout: 100}\n"
    pipeline = bench.pipeline(CHAIN.replace("outputs:", f"{hang}outputs:"))
    process = bench.start("run", pipeline, "--json", "--jobs", 2)
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step_progress" and event["step"] == "work":
            break
    rooms = set((bench.store / "scratch").iterdir())
    bench.core("runs", "gc", "--older-than", "0s")
    assert rooms & set((bench.store / "scratch").iterdir())
    os.killpg(process.pid, 2)
    process.communicate(timeout=20)
    assert process.returncode == 130
    (folder,) = bench.run_folders()
    assert not json.loads((folder / "manifest.json").read_text("utf-8"))["ok"]


def test_two_runs_at_once_share_a_store(bench, chain):
    runs = [bench.start("run", chain, "--json", "--jobs", 2, "--runs", f"runs/{n}") for n in range(3)]
    for process in runs:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    manifests = [json.loads(path.read_text("utf-8")) for path in bench.folder.glob("runs/*/*/manifest.json")]
    digests = [[row["outputs"] for row in manifest["steps"]] for manifest in manifests]
    assert len(manifests) == 3 and digests[0] == digests[1] == digests[2]


def test_runs_of_one_second_have_folders_of_their_own(bench, chain):
    runs = [bench.start("run", chain, "--only", "loud") for _ in range(3)]
    for process in runs:
        assert process.communicate(timeout=60) and process.returncode == 0
    assert len(bench.run_folders()) == 3


def test_a_file_that_cannot_grow_is_said_in_one_line(bench, sound):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    big_sound(bench, 100_000)
    done = bench.core("run", sound, preexec_fn=limit, code=1)
    assert "Traceback" not in done.stderr
    assert [line.partition(": ")[0] for line in done.stderr.splitlines() if "FAILED" in line] == ["song"]
    assert done.stderr.splitlines()[-1] == "1 of 4 tasks failed, 3 were skipped"
    assert "too large" in done.stderr and "RIPIENO_STORE" in done.stderr
    bench.run(sound)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
@pytest.mark.parametrize("place", ["store", "runs"])
def test_a_full_disk_is_said_in_one_line_and_the_next_run_goes_on(bench, small_disk, sound, place):
    big_sound(bench, 60_000)
    right = bench.store
    args = []
    if place == "store":
        bench.store = small_disk / "store"
    else:
        args = ["--runs", small_disk / "runs"]
    done = bench.core("run", sound, *args, code=1)
    assert "no space left on device" in done.stderr and "Traceback" not in done.stderr
    assert bench.leftovers() == [] and bench.damaged() == []
    bench.store = right
    assert bench.run(sound).manifest["ok"]


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_disk_too_full_for_a_copy_of_what_was_written_before_is_said_in_one_line(bench, small_disk, sound):
    big_sound(bench, 60_000)
    first = bench.run(sound)
    done = bench.core("run", sound, "--quiet", "--runs", small_disk / "runs", code=1)
    failed, summary = done.stderr.splitlines()
    assert failed.startswith("output softer: FAILED: ") and "no space left on device" in failed
    assert summary == "1 of 4 tasks failed, 0 were skipped"
    (folder,) = (small_disk / "runs").iterdir()
    assert {path.name for path in folder.iterdir()} <= {"manifest.json", "report.html"}
    again = bench.run(sound)
    assert (again.folder / "softer.wav").read_bytes() == (first.folder / "softer.wav").read_bytes()


def test_a_store_that_cannot_be_used_is_said_in_one_line(bench, chain):
    bench.env["RIPIENO_STORE"] = "/dev/null/store"
    assert "RIPIENO_STORE" in bench.fails("run", chain)


def test_a_step_goes_on_from_its_checkpoint(bench):
    bench.write("word.txt", "word")
    pipeline = bench.pipeline("""
inputs: {word: {kind: text, path: word.txt}}
steps: {slow: {uses: joiner/patient, in: {text: word}, with: {rounds: 6, pause_s: 0.05}}}
outputs: {slow: slow.txt}
""")
    process = bench.start("run", pipeline, "--json")
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step_progress" and event["done"] == 3:
            break
    os.killpg(process.pid, 9)
    process.communicate(timeout=20)
    ran = bench.run(pipeline)
    (went_on,) = [event["message"] for event in ran.named("warned") if "went on" in event["message"]]
    assert int(went_on.split()[-1]) >= 3
    assert ran.text("slow.txt") == "word 6"
    assert list((bench.store / "checkpoints").iterdir()) == []


@pytest.mark.slow
def test_a_run_killed_at_any_moment_goes_on_as_if_nothing_had_been(bench, chain):
    undisturbed = bench.run(chain, "--jobs", 2)
    bench.core("runs", "gc", "--older-than", "0s")
    rng = random.Random(20)
    finished: set[str] = set()
    for count in range(50):
        if count % 10 == 0:
            bench.core("runs", "gc", "--older-than", "0s")
            finished = set()
        process = bench.start("run", chain, "--json", "--jobs", 1 + count % 2)
        for _ in range(rng.randrange(1, 60)):
            line = process.stdout.readline()
            if not line:
                break
            event = json.loads(line)
            if event["event"] == "step_finished":
                place = f"{event['step']} {event['item']}"
                assert place not in finished
                finished.add(place)
        os.killpg(process.pid, 9)
        process.communicate(timeout=20)
    ran = bench.run(chain, "--jobs", 2)
    assert ran.digests == undisturbed.digests
    assert not finished & {f"{event['step']} {event['item']}" for event in ran.named("step_finished")}


@pytest.mark.parametrize("jobs", [1, 2])
def test_damage_that_many_steps_meet_at_once_is_made_good_once(bench, sound, jobs):
    flip(file_of(bench, bench.run(sound, "--only", "soft"), "soft", "0.f32"), keep_time=True)
    more = "".join(
        f"  g{i}: {{uses: effect/gain, in: {{audio: soft}}, with: {{gain: 0.{i}}}}}\n" for i in range(1, 8)
    )
    text = SOUND.replace("outputs:", f"{more}  late: {{uses: effect/gain, in: {{audio: g7}}}}\noutputs:")
    ran = bench.run(bench.pipeline(text), "--jobs", jobs)
    assert ran.manifest["ok"] and ran.status("soft") == "done"
    assert len([event for event in ran.named("step_finished") if event["step"] == "soft"]) == 1
