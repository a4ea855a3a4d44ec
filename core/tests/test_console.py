"""What a run says: as JSON, as lines, and as bars on a terminal."""

import io
import json
import os
import sys

import pytest

from ripieno.contracts.hooks import EVENTS
from ripieno.core import console
from ripieno.core.console import Bars, JsonEvents, Lines, listener, named, own_stdout
from ripieno.registry import Listeners

RUN = [
    ("run_started", {"run": "r", "folder": "runs/r", "steps": 6}),
    ("step_started", {"step": "a", "item": "x", "uses": "joiner/shout"}),
    ("step_progress", {"step": "a", "item": "x", "done": 1, "total": 4, "unit": "words"}),
    ("step_progress", {"step": "a", "item": "x", "done": 2, "total": 4, "unit": "words"}),
    ("step_progress", {"step": "b", "item": "", "done": 2, "total": 0, "unit": ""}),
    ("artifact_stored", {"step": "a", "item": "x", "output": "", "kind": "text", "digest": "d"}),
    ("step_finished", {"step": "a", "item": "x", "seconds": 1.25}),
    ("step_cached", {"step": "b", "item": ""}),
    ("step_started", {"step": "output o", "item": "", "uses": "codec/text"}),
    ("output_written", {"name": "o", "item": "", "path": "runs/r/o.txt"}),
    ("artifact_damaged", {"step": "b", "item": "", "path": "store/x"}),
    ("step_started", {"step": "c", "item": "", "uses": "joiner/faulty"}),
    ("step_failed", {"step": "c", "item": "", "error": "no [bold]way[/bold]"}),
    ("step_skipped", {"step": "d", "item": "", "because": "c"}),
    ("warned", {"message": "beware"}),
    ("run_finished", {"run": "r", "ok": False, "seconds": 2.0}),
]
FAULTS = [
    "b: store/x is damaged in the store; it is made again",
    "c: FAILED: no [bold]way[/bold]",
    "note: beware",
]


def told(listening):
    faults = []
    listeners = Listeners(faults.append)
    listeners.add(listening)
    for event, facts in RUN:
        listeners.emit(event, **facts)
    assert faults == []


def test_every_event_is_told_somewhere_here():
    assert {event for event, _ in RUN} == set(EVENTS)


def test_events_are_lines_of_json_with_the_facts_of_their_hooks():
    out = io.StringIO()
    told(JsonEvents(out))
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(row.pop("time") > 0 for row in found)
    assert found == [{"event": event, **facts} for event, facts in RUN]


def test_a_reader_that_has_gone_does_not_stop_the_run():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        told(JsonEvents(out))


@pytest.mark.parametrize("quiet", [False, True])
def test_lines_say_what_is_worth_knowing_and_quiet_ones_faults_alone(quiet):
    out = io.StringIO()
    told(Lines(out, quiet=quiet))
    lines = out.getvalue().splitlines()
    if quiet:
        assert lines == FAULTS
    else:
        assert lines[:3] == ["a [x]: joiner/shout", "a [x]: done in 1.2 s", "b: in the store"]
        assert {*FAULTS, "d: skipped, it needs c"} < set(lines)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Begin to write standard error to a terminal; pytest sets it anew before each test."""

    def begin():
        shown = Terminal()
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return begin


def test_bars_end_and_faults_stay_above_them(terminal):
    shown = terminal()
    bars = Bars()
    bars.warned("before it begins")
    bars.step_started("early", "", "x")
    told(bars)
    text = shown.getvalue()
    assert all(line in text for line in ["note: before it begins", *FAULTS])
    assert bars._bars == {}
    assert bars._progress.tasks[0].completed == 6 - 1


def test_progress_shows_what_is_known_of_it(terminal):
    terminal()
    bars = Bars()
    bars.run_started("r", "runs/r", 1)
    bars.step_started("a", "", "x")
    for done in range(1, 50):
        bars.step_progress("a", "", done, 50, "frames")
    (_, task) = bars._progress.tasks
    assert (task.completed, task.total, task.description) == (49, 50, "a")
    assert task.fields["rate"].endswith(" frames/s")
    bars.run_finished("r", True, 1.0)


def test_the_listener_fits_the_terminal(terminal, monkeypatch):
    out = io.StringIO()
    terminal()
    assert isinstance(listener(out, as_json=True, quiet=False), JsonEvents)
    assert type(listener(out, as_json=False, quiet=False)) is Bars
    assert type(listener(out, as_json=False, quiet=True)) is Lines
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(listener(out, as_json=False, quiet=False)) is Lines


def test_what_others_print_does_not_come_between(capfd):
    with own_stdout() as out:
        print("from a plugin", flush=True)
        print("from us", file=out)
    print("afterwards", flush=True)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("from us\nafterwards\n", "from a plugin\n")


def test_an_output_that_is_no_file_is_used_as_it_is(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(console.sys, "stdout", out)
    with own_stdout() as own:
        assert own is out


def test_a_name_has_its_item_where_there_is_one():
    assert (named("a", ""), named("a", "x")) == ("a", "a [x]")
