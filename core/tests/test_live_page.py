"""The page of a live run in a real browser: what it shows, how it keeps time, and its microphone."""

import base64
import importlib.util
import os
import re
import subprocess
import sys
import time
import wave
from contextlib import contextmanager
from itertools import pairwise
from threading import Event as Flag, Thread

import numpy as np
import pytest

from ripieno.contracts.slow_state import BeatClockState, SlowState, StructureState
from ripieno.contracts.streaming import Event
from ripieno.contracts.testing.browser import addresses, chromium, forget, until
from ripieno.core.live.messages import End, Heard, Start, State

pytest.importorskip("starlette", reason="the extra `live` is not installed")
pytest.importorskip("uvicorn", reason="the extra `live` is not installed")
pytest.importorskip("websockets", reason="the extra `live` is not installed")

from ripieno.core.live.server import Server

RATE_HZ = 48000
SPB_S = 0.5
# Two frames of a screen: a flash that a busy machine draws later says nothing of the page.
ON_TIME_S = 1 / 30
USE, STOP = "Use this device\u2019s microphone", "Stop the microphone"
FLAGS = (
    "autoplay-policy=document-user-activation-required",
    "use-fake-device-for-media-stream",
    "use-fake-ui-for-media-stream",
    "window-size=1280,900",
)


@pytest.fixture(scope="module")
def browser():
    with chromium(*FLAGS) as browser:
        yield browser


def words(browser, selector):
    return browser.execute_script("return document.querySelector(arguments[0]).innerText", selector)


def ask(browser, script):
    return browser.execute_script(f"return {script}")


class Band:
    """Plays a steady beat to a server, in time, on a thread of its own.

    Parameters
    ----------
    listener
        Whom it plays to.
    beats_per_bar : int
        One a downbeat.
    spb_s : float
        Seconds per beat.
    """

    def __init__(self, listener, *, beats_per_bar=4, spb_s=SPB_S):
        self.listener = listener
        self.spb_s = spb_s
        self.beats_per_bar = beats_per_bar
        self.stopped = Flag()
        self.thread = Thread(target=self.play, daemon=True)

    def __enter__(self):
        self.listener.take([Start("evening", "ws", RATE_HZ, 1, ("beats",), {}, {"beats": 0.0})])
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopped.set()
        self.thread.join()

    def play(self):
        begun_s, beats, number = time.monotonic(), 0, 0
        while not self.stopped.wait(max(0, begun_s + number * 1024 / RATE_HZ - time.monotonic())):
            now_s = number * 1024 / RATE_HZ
            said = []
            if now_s >= beats * self.spb_s:
                said.append(self.beat(beats, now_s))
                beats += 1
            self.listener.take([*said, self.state(now_s)])
            number += 1

    def beat(self, index, known_s):
        position = index % self.beats_per_bar + 1
        value = {
            "position": position,
            "beats_per_bar": self.beats_per_bar,
            "tempo_bpm": 60 / self.spb_s,
            "confidence": 0.87,
        }
        return Heard("beats", Event(index * self.spb_s, known_s, "beat", value))

    def state(self, now_s):
        count, phase = divmod(now_s / self.spb_s, 1)
        downbeat = float(count % self.beats_per_bar == 0)
        state = SlowState(
            BeatClockState(now_s, self.spb_s, phase, int(count), 0.87, downbeat), StructureState.unknown()
        )
        others = {2, 3, 4} - {self.beats_per_bar}
        metre = {beats: 0.05 if beats in others else 0.9 for beats in (2, 3, 4)}
        return State("beats", state, metre, 1 - phase, downbeat * (1 - phase))


@pytest.fixture
def server():
    with Server(port=0) as server:
        yield server


@pytest.fixture
def page(browser, server):
    """The page of the server, which asks nobody else for anything and has nothing to complain of."""
    forget(browser)
    browser.get(f"{server.address}?record")
    until(browser, lambda: words(browser, "#connection") == "Waiting for sound")
    yield browser
    assert [row for row in browser.get_log("browser") if row["level"] == "SEVERE"] == []
    asked = addresses(browser)
    assert asked
    assert all(address.startswith(server.address) for address in asked)
    browser.get("about:blank")


@pytest.mark.parametrize("beats_per_bar", [3, 4])
def test_the_page_says_what_is_known(page, server, beats_per_bar):
    with Band(server, beats_per_bar=beats_per_bar):
        until(page, lambda: words(page, "#connection") == "Listening")
        until(page, lambda: words(page, "#bpm") == "120" and words(page, "#tenths") == ".0")
        assert words(page, "#pipeline") == "evening"
        until(page, lambda: words(page, "#confidence output") == "87 %")
        assert words(page, "#metre .likeliest") == str(beats_per_bar)
        until(page, lambda: ask(page, "document.querySelectorAll('#bar li').length") == beats_per_bar)
        for position in range(1, beats_per_bar + 1):
            until(page, lambda position=position: words(page, "#position") == str(position))
        assert "120 beats a minute" in words(page, "#said")


@pytest.mark.slow
def test_who_listens_to_the_page_is_told_the_tempo_that_it_shows(page, server):
    with Band(server):
        until(page, lambda: words(page, "#said").startswith("120 "))
    with Band(server, spb_s=60 / 121):
        until(page, lambda: words(page, "#said").startswith("121 "))
        assert words(page, "#bpm") == "121"


def test_on_a_phone_the_button_has_one_line_whatever_it_says(page):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        for label in (USE, STOP):
            lines, wide, left, right = page.execute_script(
                """
                const button = document.querySelector("#microphone");
                button.textContent = arguments[0];
                document.querySelector("#trouble").textContent = "No microphone: ".repeat(9);
                const text = document.createRange();
                text.selectNodeContents(button);
                const { left, right } = button.getBoundingClientRect();
                return [text.getClientRects().length, document.documentElement.scrollWidth, left, right];
                """,
                label,
            )
            assert (lines, wide) == (1, 320)
            assert 0 <= left < right <= 320
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def spaces_s(browser):
    """Between flashes that were drawn on time."""
    flashes = ask(browser, "ripieno.flashes")[1:]
    return [
        after["atS"] - before["atS"]
        for before, after in pairwise(flashes)
        if max(before["afterS"], after["afterS"]) < ON_TIME_S
    ]


def test_beats_flash_when_they_come_and_go_on_while_no_state_does(page, server):
    with Band(server) as band:
        until(page, lambda: len(spaces_s(page)) >= 3, seconds=60)
        band.stop()
        heard = len(ask(page, "ripieno.flashes"))
        until(page, lambda: len(ask(page, "ripieno.flashes")) >= heard + 3, seconds=5)
    np.testing.assert_allclose(spaces_s(page), SPB_S, atol=0.1)


def test_when_no_state_comes_any_more_the_page_waits(page, server):
    with Band(server):
        until(page, lambda: words(page, "#connection") == "Listening")
    until(page, lambda: words(page, "#connection") == "Waiting for sound")
    server.take([End(3.0, 3.0)])
    until(page, lambda: words(page, "#connection") == "The stream is over")


def test_a_server_that_goes_and_comes_back_is_found_again(browser):
    with Server(port=0) as server:
        browser.get(server.address)
        until(browser, lambda: words(browser, "#connection") == "Waiting for sound")
    until(browser, lambda: "trying again" in words(browser, "#connection"))
    with Server(port=server.port) as server, Band(server):
        until(browser, lambda: words(browser, "#connection") == "Listening")
    browser.get("about:blank")


def test_a_run_that_takes_no_sound_says_so_and_the_microphone_is_let_go(page):
    page.find_element("id", "microphone").click()
    until(page, lambda: "--source ws" in words(page, "#trouble"))
    until(page, lambda: words(page, "#microphone") == USE)
    until(page, lambda: words(page, "#connection") == "Waiting for sound")


def click(rate_hz):
    times_s = np.arange(round(0.03 * rate_hz)) / rate_hz
    return 0.8 * np.sin(2 * np.pi * 1000 * times_s) * np.exp(-times_s / 0.006)


def click_track(*, tempo_bpm, seconds):
    """A click on each beat."""
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    one = click(RATE_HZ)
    for index in range(int(seconds * tempo_bpm / 60)):
        start = round(index * 60 / tempo_bpm * RATE_HZ)
        sound[start : start + len(one)] = one
    return sound


@contextmanager
def microphone_that_hears(sound, folder):
    """A browser of which the microphone is a recording, played again and again from some moment on."""
    path = folder / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    with chromium(*FLAGS, f"use-file-for-fake-audio-capture={path}") as browser:
        yield browser


def captured(browser):
    """What the page has sent, its rate, and the audio time of its first sample."""
    script = """
    // The clock of the audio may jump once, while the graph starts.
    const blocks = ripieno.captured.slice(1);
    const sound = new Float32Array(blocks.reduce((sum, { block }) => sum + block.length, 0));
    blocks.reduce((at, { block }) => (sound.set(block, at), at + block.length), 0);
    let text = "";
    for (const part of new Uint8Array(sound.buffer)) text += String.fromCharCode(part);
    const timesS = blocks.map(({ audioS }) => audioS);
    return { text: btoa(text), timesS, rateHz: ripieno.rateHz, length: blocks[0].block.length };
    """
    found = browser.execute_script(script)
    # Blocks follow each other on the clock of the audio: nothing is lost between them.
    np.testing.assert_allclose(np.diff(found["timesS"]), found["length"] / found["rateHz"], rtol=1e-6)
    return np.frombuffer(base64.b64decode(found["text"]), "<f4"), found["rateHz"], found["timesS"][0]


def clicks_s(sound, rate_hz):
    """When the clicks of a sound begin, by its cross-correlation with one."""
    one = click(rate_hz)
    likeness = np.correlate(sound, one, "valid") / np.dot(one, one)
    likely = np.flatnonzero(likeness > 0.5)
    each = np.split(likely, np.flatnonzero(np.diff(likely) > 0.1 * rate_hz) + 1)
    return np.array([places[np.argmax(likeness[places])] for places in each]) / rate_hz


class Ear:
    """Hears clicks by their loudness, and beats time to them: a sink, as simple as one can be."""

    def __init__(self):
        self.server = None

    def start(self, format):
        self.rate_hz, self.frames, self.states, self.clicks_s = format.rate_hz, 0, 0, []
        self.server.take([Start("ear", "ws", format.rate_hz, 1, ("beats",), {}, {"beats": 0.0})])

    def push(self, samples):
        loud = np.flatnonzero(np.abs(samples[0]) > 0.1)
        said = []
        begin_s = self.frames / self.rate_hz
        self.frames += samples.shape[1]
        now_s = self.frames / self.rate_hz
        if len(loud) and (not self.clicks_s or begin_s - self.clicks_s[-1] > 0.2):
            self.clicks_s.append(begin_s + loud[0] / self.rate_hz)
            value = {
                "position": len(self.clicks_s) % 4 + 1,
                "beats_per_bar": 4,
                "tempo_bpm": 120.0,
                "confidence": 1.0,
            }
            said.append(Heard("ear", Event(self.clicks_s[-1], now_s, "beat", value)))
        while self.states * 1024 / RATE_HZ <= now_s:
            if len(self.clicks_s) > 1:
                said.append(self.state(self.states * 1024 / RATE_HZ))
            self.states += 1
        if said:
            self.server.take(said)

    def state(self, now_s):
        spb_s = self.clicks_s[-1] - self.clicks_s[-2]
        phase = (now_s - self.clicks_s[-1]) / spb_s % 1
        beat = BeatClockState(now_s, spb_s, phase, len(self.clicks_s), 1.0, 0.0)
        return State("ear", SlowState(beat, StructureState.unknown()), {4: 1.0}, 0.0, 0.0)

    def end(self):
        pass


def flashes_off_the_clicks_s(browser, address, *, tempo_bpm, count):
    """How late the page flashes after the clicks that its microphone hears, on the clock of its audio.

    Where the clicks lie on that clock is found in what the page captured. A busy machine may lose sound on its way
    to the page, and then the music itself went astray, or draw a frame too late for what belongs there: flashes count
    where the clicks were in time for eight beats, and frames came thirty times a second. So many are waited for.
    """
    browser.get(f"{address}?record")
    browser.find_element("id", "microphone").click()
    drawn = f"ripieno.flashes.filter(({{ afterS }}) => afterS < {ON_TIME_S})"
    wanted, off_s = count + 12, np.zeros(0)
    while len(off_s) < count and wanted < 6 * count + 60:
        until(browser, lambda least=wanted: len(ask(browser, drawn)) >= least, seconds=90)
        off_s = off_in_time_s(browser, drawn, tempo_bpm=tempo_bpm)
        wanted += 12
    return off_s


def off_in_time_s(browser, drawn, *, tempo_bpm):
    """How late the flashes that count lie after their clicks."""
    flashes_s = np.array([flash["audioS"] for flash in ask(browser, drawn)])
    sound, rate_hz, begin_s = captured(browser)
    heard_s = begin_s + clicks_s(sound, rate_hz)
    in_time = np.abs(np.diff(heard_s) - 60 / tempo_bpm) < 0.002
    steady = np.array([index >= 8 and in_time[index - 8 : index].all() for index in range(len(heard_s))])
    flashes_s = flashes_s[flashes_s < heard_s[-1] + 30 / tempo_bpm]
    nearest = np.abs(flashes_s[:, None] - heard_s).argmin(axis=1)
    return (flashes_s - heard_s[nearest])[steady[nearest]]


def test_flashes_lie_on_the_clicks_that_the_microphone_hears(tmp_path):
    ear = Ear()
    clicks = click_track(tempo_bpm=120, seconds=60)
    with Server(port=0, sink=ear) as ear.server, microphone_that_hears(clicks, tmp_path) as browser:
        off_s = flashes_off_the_clicks_s(browser, ear.server.address, tempo_bpm=120, count=8)
        assert words(browser, "#trouble") == ""
        assert words(browser, "#microphone") == STOP
        browser.find_element("id", "microphone").click()
        until(browser, lambda: words(browser, "#microphone") == USE)
    assert len(off_s) >= 8
    assert np.abs(off_s).max() < 0.03, off_s


@pytest.mark.slow
@pytest.mark.parametrize("tempo_bpm", [100, 120])
def test_beats_of_the_real_thing_flash_within_thirty_milliseconds_of_the_clicks(tmp_path, tempo_bpm):
    if importlib.util.find_spec("ripieno_beatnet") is None:
        pytest.skip("ripieno-beatnet is not installed")
    pipeline = tmp_path / "clock.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    clicks = click_track(tempo_bpm=tempo_bpm, seconds=120)
    with (
        command_live(str(pipeline), "--source", "ws") as address,
        microphone_that_hears(clicks, tmp_path) as browser,
    ):
        off_s = flashes_off_the_clicks_s(browser, address, tempo_bpm=tempo_bpm, count=20)
    assert len(off_s) >= 20
    assert np.abs(off_s).max() < 0.03, off_s


PIPELINE = """
ripieno: 1
name: clock
inputs:
  song: {kind: audio}
steps:
  beats: {uses: beat_tracker/beatnet, in: {audio: song}}
outputs:
  beats.beats: song.beats
"""


@contextmanager
def command_live(*arguments):
    """``core live`` as a process of its own with all plugins that are installed; the address of its page."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("RIPIENO_PLUGINS", "PYTHONPATH")
    }
    command = [sys.executable, "-m", "ripieno.core", "live", *arguments, "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr:
                if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                    yield found[0]
                    break
            else:
                pytest.fail("core live did not begin")
        finally:
            process.terminate()
