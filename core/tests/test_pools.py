"""Worker processes: jobs go out and come back, maps are spread, and deaths and hangs are survived."""

import json
import os
import signal
import time
from dataclasses import asdict

import pytest

from ripieno.contracts import Text
from ripieno.core.jobs import Job, Taken
from ripieno.core.pool import Pool


@pytest.fixture
def heard():
    return []


@pytest.fixture
def pool(store, heard):
    """Two workers."""
    pool = Pool(
        store.folder,
        [],
        size=2,
        on_progress=lambda job, *facts: heard.append((job.step, *facts)),
        on_warning=heard.append,
    )
    yield pool
    pool.close()
    assert not pool.busy


@pytest.fixture
def job(store):
    digest = store.put(Text("word")).digest
    keys = iter(range(100))

    def job(uses="faulty", timeout_s=None, **settings):
        return Job(
            "call", f"s{next(keys)}", "", f"joiner/{uses}", settings, {"text": asdict(Taken(digest))},
            key=f"{next(keys):064}", timeout_s=timeout_s,
        )  # fmt: skip

    return job


def ended(pool, *jobs, once_heard=0):
    """Everything that becomes of jobs that are begun at once, in the order of the jobs.

    The pool hears nothing before its workers have said `once_heard` things.
    """
    for job in jobs:
        pool.start(job)
    while pool._inbox.qsize() < once_heard:
        time.sleep(0.01)
    found = {}
    while pool.busy:
        found.update({one.job.step: one for one in pool.wait()})
    return [found[job.step] for job in jobs]


def text_of(store, registry, done):
    return store.get(done.result["outputs"][""]["digest"], registry.kind).text


def test_jobs_are_done_on_as_many_workers_as_there_are_jobs_at_once(pool, store, registry, job):
    assert pool.free == 2
    done = ended(pool, job("shout"), job("shout", mark="?"))
    assert [text_of(store, registry, one) for one in done] == ["WORD!", "WORD?"]
    assert (pool.free, len(pool._workers)) == (2, 2)
    ended(pool, job("shout", mark="1"))
    assert len(pool._workers) == 2


def test_what_a_plugin_says_is_heard_and_what_it_prints_is_not_the_protocol(pool, heard, job):
    (one,) = ended(pool, job(fault="prints"))
    assert one.result is not None
    assert heard == [f"{one.job.step}: a plugin that warns", (one.job.step, 1, 2, "words")]


def test_failures_of_every_kind_end_a_job_and_not_the_pool(pool, store, registry, job):
    jobs = [job(fault=fault) for fault in ("raises", "refuses", "wrong", "garbled")]
    raises, refuses, wrong, garbled = (ended(pool, one)[0] for one in jobs)
    assert raises.failure["error"] == "ZeroDivisionError: a bug in a plugin"
    assert "in fail\n" in raises.failure["traceback"]
    assert refuses.failure == {"error": "this text is not for me"}
    assert wrong.failure == {"error": "joiner/faulty returned scores, its signature says text"}
    assert garbled.failure["error"] == "ValueError: half a character: ?"
    assert len(pool._workers) == 1


def test_a_worker_that_dies_is_told_with_its_last_words(pool, job):
    died, fine = ended(pool, job(fault="exits"), job("shout"))
    assert died.failure == {"error": "its process died (exit status 7: I have had enough)"}
    assert fine.result is not None
    assert ended(pool, job("shout"))[0].result is not None


def test_a_worker_that_is_killed_is_told_by_its_signal(pool, job):
    pool.start(job(fault="hangs"))
    os.kill(pool._workers[0].process.pid, signal.SIGTERM)
    found = []
    while pool.busy:
        found += pool.wait()
    assert found[0].failure == {"error": "its process died (signal SIGTERM)"}


def test_an_idle_worker_that_dies_is_replaced(pool, job):
    ended(pool, job("shout"))
    pool._workers[0].kill()
    assert pool.wait() == []
    assert ended(pool, job("shout"))[0].result is not None


def test_a_job_that_hangs_is_stopped_in_time(pool, job):
    late, fine = ended(pool, job(fault="hangs", timeout_s=0.5), job("shout"))
    assert late.failure == {"error": "it did not end within its timeout of 0.5 s and was stopped"}
    assert fine.result is not None


def test_a_map_is_spread_and_its_results_are_in_order(pool, store, registry, job):
    first, second = job("spread", faults=["none"] * 7), job("spread", faults=["none"] * 7)
    done = ended(pool, first, second, once_heard=2)
    texts = [json.loads(text_of(store, registry, one)) for one in done]
    assert len(set(texts[0])) == 7
    # The seed of a job is that of its place, whoever does it.
    assert texts[0] == texts[1]
    # Both asked before either was answered: both wait, and two work.
    assert len(pool._workers) == 4


def test_a_map_of_nothing_is_nothing(pool, store, registry, job):
    assert text_of(store, registry, *ended(pool, job("spread"))) == "[]"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("raises", "ZeroDivisionError: a bug in a plugin"),
        ("refuses", "this text is not for me"),
        ("exits", "its process died (exit status 7: I have had enough)"),
    ],
)
def test_a_job_of_a_map_that_fails_fails_the_step(pool, job, fault, message):
    faults = ["none", fault, *["none"] * 6]
    (one,) = ended(pool, job("spread", faults=faults))
    assert message in one.failure["error"] + one.failure.get("traceback", "")
    assert ("traceback" in one.failure) == (fault == "raises")
    assert not pool._queued
    assert ended(pool, job("shout"))[0].result is not None


def test_a_step_that_is_stopped_takes_its_map_with_it(pool, job):
    late, fine = ended(pool, job("spread", faults=["hangs"] * 5, timeout_s=2), job("shout"))
    assert "timeout of 2 s" in late.failure["error"]
    assert fine.result is not None
    assert not pool._queued


def test_half_a_line_of_a_worker_that_dies_is_no_message(store):
    pool = Pool(store.folder, [], size=1, on_progress=print, on_warning=print)
    pool.command = [
        pool.command[0],
        "-c",
        "import sys; sys.stdin.readline(); sys.stdout.write('{\"do'); sys.exit(3)",
    ]
    pool.start(Job("call", "s", "", "joiner/shout"))
    found = []
    while pool.busy:
        found += pool.wait()
    assert found[0].failure == {"error": "its process died (exit status 3)"}
    pool.close()


def test_a_worker_that_cannot_start_says_why(store):
    pool = Pool(store.folder / "none" / "\0", [], size=1, on_progress=print, on_warning=print)
    pool.command = [pool.command[0], "-c", "raise SystemExit('no store here')"]
    (one,) = ended(pool, Job("call", "s", "", "joiner/shout"))
    assert one.failure == {"error": "its process died (exit status 1: no store here)"}
    pool.close()
