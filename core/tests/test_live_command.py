"""``core live`` as it is used: what it writes, how it ends, and how it is stopped."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ripieno.contracts import AudioFormat, Event, InputError, StepError
from ripieno.core.live.live import Live
from ripieno.core.live.messages import End, Error, Heard, Start, State
from ripieno.core.live.pace import Fast
from ripieno.core.live.raw import Pcm
from ripieno.core.live.show import JsonLines, Lines, StatusLine, bar_dots, line_of

RATE_HZ = 8000
STEPS = """name: p
inputs: {song: {kind: audio, path: song.numbers}}
steps:
  onsets: {uses: beat_tracker/onsets, in: {audio: song}}
  film: {uses: effect/phone, in: {audio: song}}
"""
PIPELINE = "ripieno: 1\n" + STEPS
FUSSY = "  fussy: {uses: effect/fussy, in: {audio: song}, with: {until_s: 1.0}}\n"
# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start with them.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from ripieno.core.cli import main
main()
"""


def clicks(seconds):
    """A click of a twentieth of a second on every half second."""
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return ((at_s % 0.5) < 0.05).astype(np.float32) * np.float32(0.75)


@pytest.fixture
def song(write):
    """Write a song of some seconds."""
    return lambda seconds: write("song.numbers", " ".join(map(str, clicks(seconds).tolist())))


@pytest.fixture
def start(store, tmp_path, write):
    """Begin ``core live p.yaml …`` in a process."""
    write("p.yaml", PIPELINE)
    write("fussy.yaml", PIPELINE + FUSSY)
    write("silent.yaml", PIPELINE.replace("beat_tracker/onsets", "frontend/peaks"))

    @contextmanager
    def start(*arguments, pipeline="p.yaml", stdout=subprocess.PIPE):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "live", pipeline, *arguments],
            cwd=tmp_path,
            env={**os.environ, "RIPIENO_STORE": str(store.folder)},
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    return start


@pytest.fixture
def core(start):
    """Do it to its end: its messages (or lines) and what it says besides."""

    def core(*arguments, sends=b"", code=0, **options):
        with start(*arguments, **options) as process:
            out, err = process.communicate(sends, timeout=60)
        assert process.returncode == code, err.decode()
        assert b"Traceback" not in err
        lines = out.decode().splitlines()
        return ([json.loads(line) for line in lines] if "--json" in arguments else lines), err.decode()

    return core


def beats_s(messages):
    return [message["time_s"] for message in messages if message["event"] == "beat"]


def test_a_file_becomes_messages_in_order(core, song):
    song(2.2)
    messages, err = core("--source", "file:song.numbers", "--json")
    first, *said, last = messages
    assert first == {
        "event": "start",
        "contract": "slow_state.v1",
        "pipeline": "p",
        "source": "file",
        "rate_hz": 8000,
        "channels": 1,
        "steps": ["onsets"],
        "left_out": {"film": "effect/phone does not stream"},
        "latency_s": {"onsets": 0.05},
        "feature_names": [],
        "unwritten": [],
    }
    assert beats_s(said) == [0, 0.5, 1, 1.5, 2]
    assert said[1] == {
        "event": "beat", "step": "onsets", "time_s": 0.5, "known_s": 0.55,
        "position": 1, "confidence": 1.0, "tempo_bpm": 120.0,
    }  # fmt: skip
    assert (last["event"], last["time_s"], err) == ("end", 2.2, "")


def test_raw_samples_on_standard_input_are_as_good_as_a_file(core, song):
    song(2.2)
    of_file, _ = core("--source", "file:song.numbers", "--json", "--states")
    raw = "--source", "stdin", "--rate-hz", "8000", "--json", "--states"
    of_stdin, _ = core(*raw, sends=clicks(2.2).tobytes())
    assert of_file[1:-1] == of_stdin[1:-1]
    of_int16, _ = core(*raw, "--encoding", "s16le", sends=(32768 * clicks(2.2)).astype("<i2").tobytes())
    assert of_file[1:-1] == of_int16[1:-1]


def test_states_come_at_the_slow_rate_with_metre_and_activations(core, song):
    song(2.0)
    messages, err = core("--source", "file:song.numbers", "--json", "--states")
    states = [message for message in messages if message["event"] == "state"]
    times_s = [state["beat"]["t_s"] for state in states]
    assert times_s == pytest.approx([frame * 1024 / 48000 for frame in range(94)], abs=1e-6)
    assert err == "" and all(state["metre"] == {"2": 0.25, "3": 0.75} for state in states)
    assert {state["beat_activation"] for state in states} == {0, 0.75}
    # A state comes once its time has been heard, and before anything later has.
    known_s = [message.get("known_s", message.get("beat", {}).get("t_s")) for message in messages[1:-1]]
    assert all(later >= earlier - 0.05 for earlier, later in pairwise(known_s))


def test_without_a_beat_clock_there_are_no_states_and_it_is_said(core, song):
    song(0.5)
    messages, err = core("--source", "file:song.numbers", "--json", "--states", pipeline="silent.yaml")
    assert [message["event"] for message in messages] == ["start", "end"]
    assert err == "note: no step gives a beat clock, so there are no states\n"


def test_without_json_beats_are_lines_for_people(core, song):
    song(1.2)
    lines, err = core("--source", "file:song.numbers")
    assert lines == [
        "file (8000 Hz, mono) → onsets (50 ms)",
        "left out: film: effect/phone does not stream",
        "    0.000 s  beat 2  120.0 BPM  confidence 1.00",
        "    0.500 s  beat 1  120.0 BPM  confidence 1.00",
        "    1.000 s  beat 2  120.0 BPM  confidence 1.00",
        "    1.200 s  end",
    ]
    assert err == ""


def test_outputs_which_only_a_run_writes_are_named_once(core, song, write, tmp_path):
    song(0.5)
    write("written.yaml", PIPELINE + "outputs: {onsets: song.beats, film: film.wav}\n")
    lines, _ = core("--source", "file:song.numbers", pipeline="written.yaml")
    assert [line for line in lines if "written" in line] == [
        "not written live, only by core run: song.beats, film.wav"
    ]
    messages, _ = core("--source", "file:song.numbers", "--json", pipeline="written.yaml")
    assert messages[0]["unwritten"] == ["song.beats", "film.wav"]
    assert not list(tmp_path.rglob("song.beats"))


def test_whatever_else_a_step_says_is_a_line_but_for_what_is_yet_to_come():
    said = Event(1.0, 1.5, "section", {"label": "verse"})
    assert line_of(Heard("form", said)) == "    1.000 s  form: section  label verse"
    assert line_of(Heard("form", replace(said, time_s=2.0))) == ""


def test_at_playing_speed_a_file_takes_as_long_as_it_is(core, song):
    song(0.6)
    played, _ = core("--source", "file:song.numbers", "--json", "--pace", "realtime")
    fast, _ = core("--source", "file:song.numbers", "--json")
    assert played[-1]["elapsed_s"] >= 0.59, "the clock begins with the first block, a hundredth of a second"
    assert played[:-1] == fast[:-1]


def test_ctrl_c_ends_it_with_all_that_is_known(start, song):
    song(60)
    with start("--source", "file:song.numbers", "--json", "--pace", "realtime") as process:
        said = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    said += map(json.loads, rest.splitlines())
    assert (process.returncode, err) == (130, b"")
    assert said[-1]["event"] == "end" and 0.5 < said[-1]["time_s"] < 59
    assert beats_s(said) == [0.5 * beat for beat in range(len(beats_s(said)))]


def test_ctrl_c_ends_a_wait_for_standard_input(start):
    with start("--source", "stdin", "--rate-hz", "8000", "--json") as process:
        process.stdin.write(clicks(1.02).tobytes())
        process.stdin.flush()
        said = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        said += map(json.loads, process.stdout.read().splitlines())
        assert process.stderr.read() == b""
    assert beats_s(said) in ([0, 0.5], [0, 0.5, 1]) and said[-1]["event"] == "end"


def test_a_reader_that_has_gone_ends_it_without_a_word(start, song):
    song(60)
    with start("--source", "file:song.numbers", "--json", "--states") as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (141, b"")


@pytest.mark.parametrize(
    ("sends", "message"),
    [
        (clicks(0.7).tobytes() + b"\0\0", "stdin ended within a frame: 2 of its 4 bytes (1 x f32le) came"),
        (
            np.append(clicks(0.7), np.float32("nan")).tobytes(),
            "stdin: sample 5600 of channel 0 (0.700 s) is nan: sound must be finite",
        ),
    ],
)
def test_sound_that_is_damaged_ends_with_an_error_after_all_that_was_heard(core, sends, message):
    raw = "--source", "stdin", "--rate-hz", "8000", "--json"
    messages, err = core(*raw, sends=sends, code=2)
    assert beats_s(messages) == [0, 0.5]
    assert messages[-2] == {"event": "error", "message": message}
    assert (messages[-1]["event"], messages[-1]["time_s"]) == ("end", 0.7)
    assert err == message + "\n"


def test_a_step_that_fails_is_named_and_the_stream_ends(core, song):
    song(2)
    messages, err = core("--source", "file:song.numbers", "--json", pipeline="fussy.yaml", code=1)
    said = 'step "fussy" (effect/fussy): I have had enough'
    assert messages[-2] == {"event": "error", "message": said} and messages[-1]["event"] == "end"
    assert beats_s(messages) == [0, 0.5] and err == said + "\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "sung=mic"), "no input 'sung'. Audio inputs: song. Did you mean \"song\"?"),
        (("--source", "file:none.numbers"), "--source file:none.numbers: no such file"),
        (("--source", "stdin"), "say their rate, --rate-hz 44100"),
        (("--source", "mic", "--only", "film"), "no step of it can run live (film: effect/phone does not"),
        (("--source", "mic", "--pace", "realtime"), "come at their own speed: --pace is for file and stdin"),
        (("--source", "stdin", "--rate-hz", "9999999"), "--rate-hz 9999999: expected 4000 to 768000"),
        (("--source", "stdin", "--rate-hz", "8000", "--channels", "0"), "--channels 0: expected 1 to 32"),
        (("--source", "file:song.numbers", "--rate-hz", "8000"), "are for stdin and mic"),
        (("--source", "file:."), "--source file:.: that is a folder, and one file of sound is wanted"),
        ((), "Missing option '--source'"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is(core, arguments, message):
    lines, err = core(*arguments, code=2)
    assert lines == [] and message in err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems find their browser without a path")
def test_without_a_browser_the_address_is_still_said(start, monkeypatch):
    pytest.importorskip("starlette", reason="the extra `live` is not installed")
    pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
    monkeypatch.setenv("BROWSER", "no-such-browser")
    monkeypatch.setenv("PATH", "")
    with start("--source", "stdin", "--rate-hz", "8000", "--open", "--port", "0") as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err.startswith(b"page: http://127.0.0.1:")
    assert err.endswith(b"note: no browser was found: open the page yourself\n")


def test_clients_are_heard_one_after_another_until_ctrl_c(start):
    """Whole frames, then a client that is gone in the middle of one, then one at another rate."""
    pytest.importorskip("starlette", reason="the extra `live` is not installed")
    pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
    connect = pytest.importorskip("websockets.sync.client").connect
    serve = "--source", "ws", "--port", "0", "--token", "secret", "--json"
    with start(*serve) as process:
        address = re.search(rb"page: http://(\S+?)/? ", process.stderr.readline())[1].decode()
        said = []
        for rate_hz, extra in ((8000, b""), (8000, bytes(3)), (16_000, b"")):
            with connect(f"ws://{address}/live?token=secret") as client:
                client.send(json.dumps({"contract": "slow_state.v1"}))
                client.send(json.dumps({"audio": {"rate_hz": rate_hz, "channels": 1}}))
                client.send(clicks(1.2).repeat(rate_hz // 8000).tobytes())
                if extra:
                    client.send(extra)
                else:
                    client.send(json.dumps({"audio": None}))
                heard = [json.loads(client.recv(timeout=30))]
                # A client that comes at once may hear the end of the one before.
                while heard[-1]["event"] not in ("end", "error") or not (extra or beats_s(heard)):
                    heard.append(json.loads(client.recv(timeout=30)))
            while not said or said[-1]["event"] != "end":
                said.append(json.loads(process.stdout.readline()))
            assert beats_s(said) == [0, 0.5, 1] and (said[0]["source"], said[0]["rate_hz"]) == ("ws", rate_hz)
            assert extra or beats_s(heard) == [0, 0.5, 1]
            said.clear()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stderr.read() == b""


def test_a_client_whose_sound_a_step_refuses_is_told_and_the_next_one_is_heard(start):
    pytest.importorskip("starlette", reason="the extra `live` is not installed")
    pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
    connect = pytest.importorskip("websockets.sync.client").connect
    serve = "--source", "ws", "--port", "0", "--token", "secret", "--json"
    with start(*serve, pipeline="fussy.yaml") as process:
        address = re.search(rb"page: http://(\S+?)/? ", process.stderr.readline())[1].decode()
        for channels, event in ((2, "error"), (1, "start")):
            with connect(f"ws://{address}/live?token=secret") as client:
                client.send(json.dumps({"audio": {"rate_hz": 8000, "channels": channels}}))
                said = json.loads(client.recv(timeout=30))
                assert said["event"] == event and (event == "start" or "I take mono" in said["message"])
        assert b"I take mono" in process.stderr.readline()


@pytest.mark.parametrize("arguments", [["--help"], ["live", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    heavy = (
        "numpy pydantic rich jinja2 starlette uvicorn websockets pythonosc sounddevice ripieno.core.planner"
    )
    program = (
        "import sys\nfrom ripieno.core.cli import core\n"
        f"core({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert "Usage: " in done.stdout and done.stderr == "[]\n"


class Ears:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.heard = []

    def take(self, messages):
        self.heard.extend(messages)


class Gone:
    """A listener that cannot be told anything."""

    def take(self, messages):
        raise BrokenPipeError


def test_a_listener_that_has_gone_does_not_stop_the_others(live):
    ears = Ears()
    ready = live(STEPS)
    source = Pcm(io.BytesIO(clicks(1).tobytes()), AudioFormat(RATE_HZ, 1))
    ready.play({"song": source}, pace=Fast(), listeners=[Gone(), ears])
    kinds = [type(message) for message in ears.heard]
    assert kinds[0] is Start and kinds[-1] is End and {Heard, State} <= set(kinds) and Error not in kinds
    # Whoever reads the bus finds the latest states, and how many came before those that are kept.
    reading = ready.bus.read()
    assert [one for one in ears.heard if isinstance(one, State)] == list(reading.frames)
    with pytest.raises(BrokenPipeError):
        ready.play({"song": source}, pace=Fast(), listeners=[Gone()])


def test_sources_of_other_rates_and_lengths_are_heard_side_by_side(live):
    """What was known at each second is the same as if both had been heard at once."""
    ears = Ears()
    ready = live(
        "name: p\ninputs: {song: {kind: audio}, voice: {kind: audio}}\nsteps:\n"
        "  slow: {uses: beat_tracker/onsets, in: {audio: song}}\n"
        "  fast: {uses: beat_tracker/onsets, in: {audio: voice}}\n",
        "song=stdin",
        "voice=ws",
    )
    sources = {
        "song": Pcm(io.BytesIO(clicks(3).tobytes()), AudioFormat(RATE_HZ, 1)),
        "voice": Pcm(io.BytesIO(clicks(1).repeat(2).tobytes()), AudioFormat(2 * RATE_HZ, 1), kind="ws"),
    }
    ready.play(sources, pace=Fast(), listeners=[ears])
    start, *heard, end = [message for message in ears.heard if not isinstance(message, State)]
    assert (start.source, end.time_s) == ("stdin+ws", 3)
    beats = [(message.step, message.event.time_s) for message in heard]
    both = [(step, at_s) for at_s in (0, 0.5) for step in ("slow", "fast")]
    assert beats == [*both, *(("slow", at_s) for at_s in (1, 1.5, 2, 2.5))]


def test_a_pipeline_is_played_again_as_new(live):
    ready = live(STEPS.replace("onsets,", "randomonsets,"))
    assert isinstance(ready, Live)
    heard = []
    for _ in range(2):
        ears = Ears()
        source = Pcm(io.BytesIO(clicks(1).tobytes()), AudioFormat(RATE_HZ, 1))
        ready.play({"song": source}, pace=Fast(), listeners=[ears])
        heard.append([one.to_json() for one in ears.heard if isinstance(one, Heard)])
    assert heard[0] == heard[1] and len(heard[0]) == 2


def test_a_step_that_refuses_the_format_fails_before_anything_is_heard(live):
    ears = Ears()
    ready = live(STEPS + FUSSY)
    source = Pcm(io.BytesIO(), AudioFormat(RATE_HZ, 2))
    with pytest.raises(StepError, match="I take mono"):
        ready.play({"song": source}, pace=Fast(), listeners=[ears])
    assert ears.heard == [Error('step "fussy" (effect/fussy): I take mono')]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("still", "spb_s is 0.0: it is seconds per beat"),
        ("no clock", "the rows of a beat clock have the columns of BeatClock, no spb_s, phase"),
    ],
)
def test_a_clock_that_is_none_is_named_by_its_step(live, fault, message):
    ears = Ears()
    ready = live(
        STEPS.replace("onsets, in: {audio: song}", f"wrong, in: {{audio: song}}, with: {{fault: {fault}}}")
    )
    with pytest.raises(StepError) as caught:
        ready.play(
            {"song": Pcm(io.BytesIO(bytes(8000)), AudioFormat(RATE_HZ, 1))}, pace=Fast(), listeners=[ears]
        )
    assert str(caught.value).startswith(f'step "onsets" gives no beat clock: {message}')
    assert Error(str(caught.value)) in ears.heard


def test_listeners_are_told_of_a_bug_and_where_it_is(live):
    ears = Ears()
    ready = live(STEPS + FUSSY.replace("1.0", "1.0, bug: true"))
    source = Pcm(io.BytesIO(clicks(2).tobytes()), AudioFormat(RATE_HZ, 1))
    with pytest.raises(ZeroDivisionError):
        ready.play({"song": source}, pace=Fast(), listeners=[ears])
    assert ears.heard[-2] == Error('ZeroDivisionError:  in step "fussy" (effect/fussy)')
    assert isinstance(ears.heard[-1], End)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_is_one_line(start, song, options, tmp_path):
    song(1)
    with (
        open("/dev/full", "w") as full,
        start("--source", "file:song.numbers", *options, stdout=full) as process,
    ):
        assert process.wait(timeout=60) == 2
        assert process.stderr.read() == b"standard output cannot be written: No space left on device\n"


def test_the_second_ctrl_c_ends_a_step_that_hangs(live):
    """What it was in the middle of is not gone on with: nothing is flushed."""

    class Impatient:
        """A listener under which Ctrl-C comes twice while the steps' work is still on the way."""

        asked = 0

        def take(self, messages):
            if any(isinstance(message, Heard) for message in messages):
                self.asked += 1
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    listener, ears = Impatient(), Ears()
    source = Pcm(io.BytesIO(clicks(2).tobytes()), AudioFormat(RATE_HZ, 1))
    try:
        with pytest.raises(KeyboardInterrupt):
            live(STEPS).play({"song": source}, pace=Fast(), listeners=[ears, listener])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert listener.asked == 1 and not any(isinstance(message, End) for message in ears.heard)


def test_a_listener_that_fails_ends_the_run_and_the_others_hear_why(live):
    class Full:
        def take(self, messages):
            if any(isinstance(message, Heard) for message in messages):
                raise InputError("full")

    ears = Ears()
    source = Pcm(io.BytesIO(clicks(1).tobytes()), AudioFormat(RATE_HZ, 1))
    with pytest.raises(InputError, match="full"):
        live(STEPS).play({"song": source}, pace=Fast(), listeners=[Full(), ears])
    assert ears.heard[-2] == Error("full") and isinstance(ears.heard[-1], End)


def test_what_is_not_known_of_a_beat_is_not_shown():
    unknown = Event(1.0, 1.0, "beat", {"position": None, "tempo_bpm": None, "confidence": None})
    assert line_of(Heard("onsets", unknown)) == "    1.000 s  beat"
    out = io.StringIO()
    with StatusLine(out) as line:
        line.take([Heard("onsets", unknown)])
        assert line._line().plain.split() == ["1.0", "s"]


def test_a_terminal_gets_one_line_that_moves(live):
    out = io.StringIO()
    ready = live(STEPS)
    source = Pcm(io.BytesIO(clicks(1).tobytes()), AudioFormat(RATE_HZ, 1))
    with StatusLine(out) as line:
        ready.play({"song": source}, pace=Fast(), listeners=[line])
        shown = line._line().plain
    assert "120.0 BPM" in shown and "●" in shown and "━" in shown
    assert "left out: film" in out.getvalue()


def test_the_bar_is_dots():
    assert bar_dots(2, 4) == "● ● ○ ○"
    assert bar_dots(3, 0) == "● ● ●"
    assert bar_dots(0, 0) == ""


def test_states_are_written_only_where_asked_and_numbers_to_a_millionth(live):
    texts = []
    for states in (False, True):
        out = io.StringIO()
        ready = live(STEPS)
        source = Pcm(io.BytesIO(clicks(0.5).tobytes()), AudioFormat(RATE_HZ, 1))
        ready.play(
            {"song": source}, pace=Fast(), listeners=[JsonLines(out, states=states), Lines(io.StringIO())]
        )
        texts.append(out.getvalue())
    assert '"state"' not in texts[0] and texts[1].count('"event": "state"') == 24
    numbers = json.loads(texts[1].splitlines()[5])["beat"].values()
    assert all(number == round(number, 6) for number in numbers)
