"""Plugins and processes that fail: one clear message, the rest goes on, nothing is left half done."""

import json
import os
import select
import signal
from pathlib import Path

import pytest

ITEMS = ("ant", "bee", "cat")
SAID = {
    "refuses": "this text is not for me",
    "raises": "ZeroDivisionError: a bug in a plugin",
    "partial": "OSError: the second half is missing",
    "exits": "its process died (exit status 7)",
    "leaves": "I have had enough",
    "segfaults": "its process died (signal SIGSEGV",
    "hangs": "it did not end within its timeout of 5 s and was stopped",
    "wrong": "joiner/faulty returned scores, its signature says text",
}
BUGS = {"raises", "partial"}


@pytest.fixture
def animals(bench):
    for name in ITEMS:
        bench.write(f"words/{name}.txt", name)
    return bench


@pytest.fixture
def doomed(bench):
    """A list with an item for each fault, and two that are well."""
    faults = ["none", *SAID, "prints"]
    rows = [{"src": f"{name}.txt", "with": {"work": {"fault": name}}} for name in faults]
    bench.write("words/list.json", json.dumps(rows))
    for name in faults:
        bench.write(f"words/{name}.txt", name)
    return bench


def faulty(bench, fault="none", *, uses="joiner/faulty", items=False, timeout=None):
    """A pipeline whose second item, or each as its list says, meets a fault."""
    limit = f", timeout: {timeout}" if timeout else ""
    listed = ", items: words/list.json" if items else ""
    return bench.pipeline(f"""
inputs:
  words: {{kind: text, path: words/*.txt{listed}}}
steps:
  work: {{uses: {uses}, in: {{text: words}}, with: {{fault: {fault}, word: {"''" if items else "bee"}}}{limit}}}
  after: {{uses: joiner/shout, in: {{text: work}}}}
outputs:
  after: "{{item}}.txt"
""")


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_fault_of_a_plugin_fails_one_item_with_one_line(doomed, jobs):
    ran = doomed.run(faulty(doomed, items=True, timeout=5), "--jobs", jobs, code=1)
    well = {"none": "done", "prints": "done"}
    assert ran.statuses("work") == {**well, **dict.fromkeys(SAID, "failed")}
    assert ran.statuses("after") == {**well, **dict.fromkeys(SAID, "skipped")}
    assert sorted(path.name for path in ran.folder.glob("*.txt")) == ["none.txt", "prints.txt"]
    assert ran.text("none.txt") == "NONE SURVIVED!"
    told = [(event["step"], event["item"], event["error"]) for event in ran.named("step_failed")]
    assert sorted(told) == sorted(("work", fault, ran.error("work", fault)) for fault in SAID)
    assert all(said in ran.error("work", fault) for fault, said in SAID.items())
    count = len(SAID)
    # Read, work, after and written, for each item.
    summary = f"{count} of {4 * (count + 2)} tasks failed, {2 * count} were skipped"
    assert ran.messages.splitlines()[-1] == summary
    # A bug shows its traceback once; a mistake, a crash and a hang have none.
    assert ran.messages.count("Traceback (most recent call last)") == len(BUGS)
    assert ran.messages.count("faults.py") == 2 * len(BUGS)
    assert {row["item"] for row in ran.manifest["steps"] if row["traceback"]} == BUGS


def test_each_fault_in_a_job_of_a_map_fails_its_step(doomed):
    pipeline = faulty(doomed, uses="joiner/spread-faulty", items=True, timeout=5)
    ran = doomed.run(pipeline, "--jobs", 2, code=1)
    harmless = {"none", "prints", "wrong"}
    assert {item for item, status in ran.statuses("work").items() if status == "done"} == harmless
    assert ran.messages.count("ZeroDivisionError: a bug in a plugin") >= 1 and "in commit" in ran.messages
    assert SAID["refuses"] in ran.error("work", "refuses")
    assert {row["item"] for row in ran.manifest["steps"] if row["traceback"]} == BUGS


def test_what_a_lone_plugin_prints_does_not_mix_with_events(bench):
    bench.write("words/bee.txt", "bee")
    assert bench.run(faulty(bench, "prints")).manifest["ok"]


def test_a_lone_step_that_takes_the_run_with_it_is_named_by_the_next_run(bench):
    bench.write("word.txt", "bee")
    pipeline = bench.pipeline("""
inputs:
  word: {kind: text, path: word.txt}
steps:
  work: {uses: joiner/faulty, in: {text: word}, with: {fault: segfaults}}
""")
    bench.core("run", pipeline, code=-signal.SIGSEGV)
    ran = bench.run(pipeline, "--set", "work.fault=none")
    (warned,) = ran.named("warned")
    assert 'while step "work" (joiner/faulty) was being done' in warned["message"]
    assert bench.run(pipeline, "--set", "work.fault=none").named("warned") == []


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


@pytest.fixture
def unmeasured(monkeypatch):
    """Coverage's tracer holds a lock that an interrupt may never free: it stays out of what is interrupted."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)


@linux
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_ends_all_workers_and_the_next_run_goes_on(animals, jobs):
    pipeline = faulty(animals, "hangs")
    process = animals.start("run", pipeline, "--json", "--jobs", jobs)
    done = 0
    while done < len(ITEMS):
        event = json.loads(process.stdout.readline())
        done += event["event"] == "step_finished" and event["step"] == "words"
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
@pytest.mark.usefixtures("unmeasured")
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
