"""Plugins and processes that fail: one clear message, the rest goes on, nothing is left half done."""

import json
import os
import select
import signal
from pathlib import Path

import pytest

ITEMS = ("ant", "bee", "cat")


@pytest.fixture
def animals(bench):
    for name in ITEMS:
        bench.write(f"words/{name}.txt", name)
    return bench


def faulty(bench, fault, *, word="bee", timeout=None, uses="joiner/faulty"):
    limit = f", timeout: {timeout}" if timeout else ""
    return bench.pipeline(f"""
inputs:
  words: {{kind: text, path: words/*.txt}}
steps:
  work: {{uses: {uses}, in: {{text: words}}, with: {{fault: {fault}, word: {word}}}{limit}}}
  after: {{uses: joiner/shout, in: {{text: work}}}}
outputs:
  after: "{{item}}.txt"
""")


def others_went_on(ran):
    assert ran.statuses("work") == {"ant": "done", "bee": "failed", "cat": "done"}
    assert ran.statuses("after") == {"ant": "done", "bee": "skipped", "cat": "done"}
    assert ran.text("ant.txt") == "ANT SURVIVED!" and not (ran.folder / "bee.txt").exists()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refuses", "this text is not for me"),
        ("exits", "its process died (exit status 7)"),
        ("leaves", "I have had enough"),
        ("segfaults", "its process died (signal SIGSEGV"),
        ("wrong", "joiner/faulty returned scores, its signature says text"),
    ],
)
def test_a_plugin_that_fails_fails_one_item_with_one_line(animals, fault, said):
    ran = animals.run(faulty(animals, fault), "--jobs", 2, code=1)
    others_went_on(ran)
    assert said in ran.error("work", "bee")
    assert [line for line in ran.messages.splitlines() if line.startswith("step")] == [
        f'step "work", item "bee": {ran.error("work", "bee")}'
    ]
    assert "Traceback" not in ran.messages


@pytest.mark.parametrize("fault", ["raises", "partial"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_in_a_plugin_shows_its_traceback_once(animals, fault, jobs):
    ran = animals.run(faulty(animals, fault), "--jobs", jobs, code=1)
    others_went_on(ran)
    assert ran.messages.count("Traceback (most recent call last)") == 1
    assert "faults.py" in ran.messages
    assert ran.error("work", "bee") in ran.messages


def test_a_plugin_that_hangs_is_stopped_by_its_timeout(animals):
    ran = animals.run(faulty(animals, "hangs", timeout=1.5), "--jobs", 2, code=1)
    others_went_on(ran)
    assert "did not end within its timeout of 1.5 s" in ran.error("work", "bee")


def test_what_a_plugin_prints_does_not_mix_with_events(animals):
    ran = animals.run(faulty(animals, "prints"), "--jobs", 2)
    assert ran.manifest["ok"]


def test_what_a_lone_plugin_prints_does_not_mix_with_events(bench):
    bench.write("words/bee.txt", "bee")
    ran = bench.run(faulty(bench, "prints"))
    assert ran.manifest["ok"]


@pytest.mark.parametrize(("fault", "code"), [("exits", 7), ("segfaults", -signal.SIGSEGV)])
def test_a_lone_step_that_takes_the_run_with_it_is_named_by_the_next_run(bench, fault, code):
    bench.write("word.txt", "bee")
    pipeline = bench.pipeline(f"""
inputs:
  word: {{kind: text, path: word.txt}}
steps:
  work: {{uses: joiner/faulty, in: {{text: word}}, with: {{fault: {fault}}}}}
""")
    bench.core("run", pipeline, code=code)
    ran = bench.run(pipeline, "--set", "work.fault=none")
    (warned,) = ran.named("warned")
    assert 'while step "work" (joiner/faulty) was being done' in warned["message"]
    assert bench.run(pipeline, "--set", "work.fault=none").named("warned") == []


@pytest.mark.parametrize("fault", ["raises", "refuses", "exits", "segfaults"])
def test_a_job_of_a_map_that_fails_fails_its_step(animals, fault):
    ran = animals.run(faulty(animals, fault, uses="joiner/spread-faulty"), "--jobs", 2, code=1)
    assert set(ran.statuses("work").values()) == {"failed"}
    assert ran.error("work", "bee")
    if fault == "raises":
        assert "ZeroDivisionError" in ran.messages and "in commit" in ran.messages
    else:
        assert "Traceback" not in ran.messages


def test_a_map_whose_job_hangs_is_stopped_by_the_step_s_timeout(bench):
    bench.write("words/bee.txt", "bee")
    pipeline = faulty(bench, "hangs", uses="joiner/spread-faulty", timeout=1.5)
    ran = bench.run(pipeline, "--jobs", 2, code=1)
    assert "did not end within its timeout" in ran.error("work", "bee")


def children(pid):
    """All processes that a process started, and those that they did."""
    found = []
    for task in os.listdir("/proc"):
        if task.isdigit():
            try:
                stat = Path(f"/proc/{task}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[1]) == pid:
                found += [int(task), *children(int(task))]
    return found


def ended(pid):
    """Wait for the end of a process that is nobody's child here."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 20)[0])
    finally:
        os.close(handle)


def until_started(process, step):
    for line in process.stdout:
        if (event := json.loads(line))["event"] == "step_started" and event["step"] == step:
            return
    raise AssertionError(process.stderr.read())


linux = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")


@linux
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_ends_all_workers_and_the_next_run_goes_on(animals, jobs):
    pipeline = faulty(animals, "hangs")
    process = animals.start("run", pipeline, "--json", "--jobs", jobs)
    done = 0
    while done < 3:  # the inputs and the first other word are stored by then
        event = json.loads(process.stdout.readline())
        done += event["event"] == "step_finished"
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == "interrupted: what was finished is kept; run again to go on"
    assert workers and all(ended(pid) for pid in workers)
    assert animals.leftovers() == []
    ran = animals.run(pipeline, "--set", "work.fault=none", "--jobs", jobs)
    assert set(ran.statuses("words").values()) == {"cached"}


@linux
def test_an_interrupt_of_a_lone_step_cleans_up(bench):
    bench.write("word.txt", "bee")
    pipeline = bench.pipeline("""
inputs: {word: {kind: text, path: word.txt}}
steps: {work: {uses: joiner/faulty, in: {text: word}, with: {fault: hangs}}}
""")
    process = bench.start("run", pipeline, "--json")
    until_started(process, "work")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


@linux
def test_workers_end_when_the_run_is_killed_and_the_next_run_clears_what_it_left(animals):
    pipeline = faulty(animals, "hangs")
    process = animals.start("run", pipeline, "--json", "--jobs", 2)
    until_started(process, "work")
    workers = children(process.pid)
    process.kill()
    process.communicate(timeout=20)
    assert all(ended(pid) for pid in workers)
    animals.run(pipeline, "--set", "work.fault=none")
