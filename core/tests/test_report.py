"""The report of a run: what it says, that it is one file of bounded size, and how it works in a browser."""

import json
import os
import re
import shlex
import struct
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.testing.browser import chromium, opened, until
from ripieno.core.report import write_report
from ripieno.core.report.cards import make_cards
from ripieno.core.report.media import COLUMNS, beats, outline, peaks, scores, sections
from ripieno.core.report.page import clock, command, took

RATE_HZ = 8000
SECONDS = 6.0
# Windows has no file with such a name.
NAME = (
    "Für Élise #1?"
    if os.name == "nt"
    else "</b><img src=x onerror=hacked=1>\"'&#%?é歌".replace("/", "\u2044")
)
HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'`\n{{ 7*7 }} 歌"


def tone(peak=0.5, channels=2):
    times_s = np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    return np.tile(peak * np.sin(2 * np.pi * 220 * times_s)[:, None], (1, channels))


def wave_bytes(samples, *, tag=3, bits=32, extensible=False, junk=b""):
    """A WAV file after the specification of RIFF, with a chunk of odd length before the data."""
    channels = samples.shape[1]
    kinds = {(3, 32): "<f4", (3, 64): "<f8", (1, 16): "<i2", (1, 32): "<i4"}
    scaled = (
        samples
        if tag == 3
        else np.clip(np.round(samples * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    )
    data = scaled.astype(kinds[tag, bits]).tobytes()
    align = channels * bits // 8
    layout = struct.pack(
        "<HHIIHH", 0xFFFE if extensible else tag, channels, RATE_HZ, RATE_HZ * align, align, bits
    )
    if extensible:
        layout += struct.pack("<HHIH", 22, bits, 0, tag) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = [(b"fmt ", layout), (b"junk", junk), (b"data", data)]
    body = b"".join(
        name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def audio_header(seconds=SECONDS):
    return {"kind": "audio", "rate_hz": RATE_HZ, "channels": 2, "frames": int(RATE_HZ * seconds)}


def step(name, item="", **other):
    facts = {
        "step": name,
        "item": item,
        "role": "step",
        "uses": "effect/gain",
        "status": "done",
        "seconds": 1.0,
    }
    return {**facts, "error": "", "traceback": "", "outputs": {}, **other}


def output(name, kind, path, item="", header=None, **other):
    facts = {"name": name, "item": item, "kind": kind, "path": path, "status": "done", "error": ""}
    return {**facts, "header": header or {"kind": kind}, **other}


def manifest(**other):
    document = {
        "ripieno": 1,
        "name": "a film",
        "steps": {"gain": {"uses": "effect/gain", "in": {"audio": "song"}}},
    }
    nodes = [
        {"name": "song", "role": "input", "uses": "codec/audio", "kind": "audio", "axes": [], "items": 1},
        {"name": "gain", "role": "step", "uses": "effect/gain", "kind": "audio", "axes": [], "items": 1},
    ]
    edge = {"from": "song", "to": "gain", "port": "audio", "output": "", "kind": "audio", "many": "one"}
    return {
        "ripieno": 1,
        "run": "2026-01-02T03-04-05-a-film",
        "name": "a film",
        "pipeline": {"file": "", "document": document, "inputs": {}, "settings": {"gain": {}}, "given": {}},
        "started": "2026-01-02T03:04:05+0100",
        "seconds": 83.0,
        "ok": True,
        "seed": 0,
        "jobs": 2,
        "platform": "Linux x86_64, Python 3.11.7",
        "versions": {"ripieno-core": "0.1.0"},
        "inputs": {},
        "steps": [step("song", role="input", uses="codec/audio"), step("gain")],
        "outputs": [],
        "licences": [],
        "graph": {"nodes": nodes, "edges": [edge]},
        **other,
    }


def written(document, folder):
    write_report(document, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


class Text(HTMLParser):
    """What a page says outside its script and style, and the tags it has."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags, self.addresses, self.open = "", [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open = tag
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        if self.open not in ("script", "style"):
            self.text += data


def test_importing_the_report_loads_neither_template_engine_nor_numpy():
    code = "import sys, ripieno.core.report; print(sorted({'jinja2', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_failed_is_said_with_its_error_and_nothing_is_left_behind(tmp_path):
    rows = [
        step("gain", "one", status="failed", error="gain_db is 99: at most 60", traceback="Traceback: here"),
        step("film", "one", status="skipped"),
    ]
    page = written(
        manifest(ok=False, steps=rows, outputs=[output("film", "video", "", "one", status="skipped")]),
        tmp_path,
    )
    text = Text(page).text
    for words in (
        "1 failed",
        "gain_db is 99: at most 60",
        "Traceback: here",
        "not made",
        "1 more not tried",
    ):
        assert words in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_page_asks_for_nothing_outside_its_folder(tmp_path):
    (tmp_path / "a.wav").write_bytes(wave_bytes(tone()))
    parsed = Text(
        written(manifest(outputs=[output("gain", "audio", "a.wav", header=audio_header())]), tmp_path)
    )
    assert {"a.wav", "manifest.json"} <= set(parsed.addresses)
    assert not [address for address in parsed.addresses if ":" in address and address != "data:,"]


@pytest.mark.parametrize("scheme", ["javascript:hacked=1", "data:text/html,x", "file:///etc/passwd"])
def test_only_web_addresses_of_licences_are_links(tmp_path, scheme):
    rows = [
        {"name": "CC0", "credit": "me", "commercial": True, "source": source}
        for source in (scheme, "https://a.example/b")
    ]
    parsed = Text(written(manifest(licences=rows), tmp_path))
    assert scheme not in parsed.addresses
    assert "https://a.example/b" in parsed.addresses
    assert scheme in parsed.text


def test_hostile_text_stays_text_wherever_it_stands(tmp_path):
    (tmp_path / "a.lab").write_text(f"0\t1\t{HOSTILE.splitlines()[0]}\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text(HOSTILE, encoding="utf-8")
    (tmp_path / "a.json").write_text(
        json.dumps({"values": {HOSTILE: 1.0}, "compared_with": HOSTILE}), encoding="utf-8"
    )
    outputs = [
        output(HOSTILE, kind, path, HOSTILE)
        for kind, path in [
            ("sections", "a.lab"),
            ("text", "a.txt"),
            ("scores", "a.json"),
            (HOSTILE, f"x/{HOSTILE}"),
        ]
    ]
    node = {"name": HOSTILE, "role": "step", "uses": HOSTILE, "kind": HOSTILE, "axes": [], "items": 2}
    page = written(
        manifest(
            name=HOSTILE,
            ok=False,
            run=HOSTILE,
            platform=HOSTILE,
            versions={"ripieno-core": HOSTILE, HOSTILE: HOSTILE},
            steps=[step(HOSTILE, HOSTILE, uses=HOSTILE, status="failed", error=HOSTILE, traceback=HOSTILE)],
            outputs=outputs,
            inputs={
                HOSTILE: [{"item": HOSTILE, "path": HOSTILE, "sha256": HOSTILE, "facts": {HOSTILE: HOSTILE}}]
            },
            licences=[{"name": HOSTILE, "credit": HOSTILE, "commercial": False, "source": HOSTILE}],
            graph={"nodes": [node], "edges": []},
        ),
        tmp_path,
    )
    parsed = Text(page)
    assert parsed.tags.count("script") == 1
    assert "img" not in parsed.tags
    assert "hacked" in parsed.text
    assert "49" not in parsed.text


def test_a_run_of_ten_thousand_items_gives_a_small_page_that_says_what_it_leaves_out(tmp_path):
    items = [f"song {index}" for index in range(10_000)]
    rows = [
        step("gain", item, status="failed" if index % 2 else "cached", error="x" * 200)
        for index, item in enumerate(items)
    ]
    outputs = [output("gain", "audio", "", item) for item in items]
    inputs = {"song": [{"item": item, "path": f"/{item}", "sha256": "0" * 64, "facts": {}} for item in items]}
    page = written(manifest(ok=False, steps=rows, outputs=outputs, inputs=inputs), tmp_path)
    text = re.sub(r"\s+", " ", Text(page).text)
    assert len(page) < 1_000_000
    for count in ("60 of 10,000 items", "40 of 5,000 failures", "200 of 10,000 files"):
        assert count in text


def test_addresses_of_files_are_relative_and_escaped(tmp_path):
    folder = tmp_path / "runs" / "one"
    stems = folder / "stems" / "a b"
    stems.mkdir(parents=True)
    (stems / "100%.wav").write_bytes(wave_bytes(tone()))
    (tmp_path / "ü?.wav").write_bytes(wave_bytes(tone()))
    made = {"": {"kind": "audio", "header": audio_header()}}
    (card,), items = make_cards(
        manifest(
            steps=[step("song", role="input", outputs=made)],
            inputs={"song": [{"item": "ü?", "path": str(tmp_path / "ü?.wav"), "sha256": "", "facts": {}}]},
            outputs=[
                output(
                    "stems", "stems", "stems/a b", header={"kind": "stems", "items": {"100%": audio_header()}}
                )
            ],
        ),
        folder,
    )
    assert items == 1
    assert [track.url for track in card.tracks] == ["../../%C3%BC%3F.wav", "stems/a%20b/100%25.wav"]
    assert all((folder / unquote(track.url)).is_file() and track.waveform for track in card.tracks)


@pytest.mark.parametrize(("tag", "bits"), [(3, 32), (3, 64), (1, 16), (1, 32)])
@pytest.mark.parametrize("extensible", [False, True])
def test_peaks_are_those_of_the_samples(tmp_path, tag, bits, extensible):
    path = tmp_path / "a.wav"
    samples = np.linspace(-1, 1, 4 * COLUMNS)[:, None] * [[0.25, 0.5]]
    path.write_bytes(wave_bytes(samples, tag=tag, bits=bits, extensible=extensible, junk=b"odd"))
    columns = samples.reshape(COLUMNS, -1)
    expected = np.stack([columns.min(axis=1), columns.max(axis=1)], axis=1)
    assert np.array(peaks(path)) == pytest.approx(expected, abs=2**-15)


def test_samples_that_are_no_numbers_draw_nothing(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wave_bytes(np.full((COLUMNS, 1), np.nan)))
    assert peaks(path) == [(0.0, 0.0)] * COLUMNS


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    for suffix, read in [(".wav", peaks), (".beats", beats), (".lab", sections), (".json", scores)]:
        path = folder / f"a{suffix}"
        path.write_bytes(data)
        read(path)
    (folder / "b.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + data)
    peaks(folder / "b.wav")


def test_an_outline_spans_its_scale():
    path = outline([(-0.5, 0.25), (0.0, 0.5)], 0.5)
    assert [int(y) for y in re.findall(r",(-?\d+)", path)] == [-51, -101, 1, 101]


@given(st.lists(st.floats(0, 1e4), max_size=20).map(sorted))
def test_a_card_has_a_ruler_of_at_most_a_dozen_steps(tmp_path_factory, times_s):
    folder = tmp_path_factory.mktemp("card")
    (folder / "a.beats").write_text("".join(f"{time}\t1\n" for time in times_s), encoding="utf-8")
    ((card,), _) = make_cards(manifest(outputs=[output("beats", "beats", "a.beats")]), folder)
    assert card.seconds == max(times_s, default=0)
    assert len(card.ticks) <= 13
    assert all(0 <= tick <= card.seconds for tick in card.ticks)


def test_the_command_gives_the_run_again_with_what_was_changed():
    document = {"steps": {"gain": {"uses": "effect/gain", "with": {"gain_db": 1}}}, "seed": 3}
    pipeline = {
        "file": "/my songs/it's.yaml",
        "document": document,
        "inputs": {"song": {"path": "/a b.wav", "items": None}, "more": {"path": None, "items": "/list.csv"}},
        "settings": {"gain": {"gain_db": 1, "mode": "a b"}},
        "given": {"gain": [["mode"]]},
    }
    words = shlex.split(command(manifest(pipeline=pipeline, seed=7)))
    assert words == [
        *(
            "core",
            "run",
            "/my songs/it's.yaml",
            "--input",
            "song=/a b.wav",
            "--input",
            "more.items=/list.csv",
        ),
        *("--set", 'gain.mode="a b"', "--seed", "7"),
    ]
    assert command(manifest()) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.314, "0.31 s"), (12.34, "12.3 s"), (59.99, "60.0 s"), (83, "1 min 23 s"), (7620, "2 h 7 min")],
)
def test_times_are_said_in_fitting_units(seconds, words):
    assert took(seconds) == words


def test_a_clock_shows_minutes_and_seconds():
    assert [clock(seconds) for seconds in (0, 59.9, 60, 605)] == ["0:00", "0:59", "1:00", "10:05"]


@pytest.fixture(scope="session")
def browser():
    with chromium("window-size=1200,1400") as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder with a film, stems, beats and sections under a name that means harm."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    folder = tmp_path_factory.mktemp("a run")
    (folder / "stems" / NAME).mkdir(parents=True)
    for stem in ("drums", "voice"):
        (folder / "stems" / NAME / f"{stem}.wav").write_bytes(wave_bytes(tone()))
    (folder / "a.beats").write_text("".join(f"{i / 2}\t{i % 4 + 1}\n" for i in range(12)), encoding="utf-8")
    (folder / "a.lab").write_text("0\t2\tverse\n2\t4\tchorus\n4\t6\tverse\n", encoding="utf-8")
    picture = f"testsrc2=size=320x180:rate=25:duration={SECONDS}"
    sound = f"sine=frequency=220:duration={SECONDS}"
    film = [
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
        *("-pix_fmt", "yuv420p", str(folder / "film.mp4")),
    ]
    subprocess.run([ffmpeg, "-v", "error", *film], check=True)
    (folder / "film.mp4").rename(folder / f"{NAME}.mp4")
    header = {"kind": "video", "width": 320, "height": 180, "fps": 25.0, "duration_s": SECONDS}
    stems = {"kind": "stems", "items": {"drums": audio_header(), "voice": audio_header()}}
    outputs = [
        output("stems", "stems", f"stems/{NAME}", NAME, stems),
        output("beats", "beats", "a.beats", NAME),
        output("sections", "sections", "a.lab", NAME),
        output("film", "video", f"{NAME}.mp4", NAME, header),
    ]
    rows = [step(HOSTILE, NAME, status="failed", error=HOSTILE, traceback=HOSTILE), step("gain", NAME)]
    write_report(manifest(name=HOSTILE, outputs=outputs, steps=rows), folder)
    return folder


@pytest.fixture
def page(browser, folder):

    with opened(browser, folder / "report.html") as page:
        until(page, lambda: media(page, "video")["readyState"] >= 1)
        yield page


def media(browser, selector):
    script = """const m = document.querySelector(arguments[0]);
    return {at: m.currentTime, paused: m.paused, muted: m.muted, readyState: m.readyState, seconds: m.duration}"""
    return browser.execute_script(script, selector)


def shown(browser, selector):
    """The element, scrolled to at once."""
    script = """const found = document.querySelector(arguments[0]);
    found.scrollIntoView({block: "center", behavior: "instant"}); return found"""
    return browser.execute_script(script, selector)


def click(browser, selector):
    shown(browser, selector).click()


def position(browser):
    return float(
        browser.execute_script("return document.querySelector('[role=slider]').getAttribute('aria-valuenow')")
    )


def audio(name):
    return f"audio[aria-label={name}]"


def button(name):
    return f"button[data-name={name}]"


def test_the_film_loads_and_plays(page):
    assert media(page, "video")["seconds"] == pytest.approx(SECONDS, abs=0.1)
    click(page, "video")
    until(page, lambda: position(page) > 0.2)
    assert not media(page, "video")["muted"]


def test_a_stem_is_heard_while_the_film_runs_silent_and_another_goes_on_where_it_was(page):
    click(page, button("drums"))
    until(page, lambda: media(page, audio("drums"))["at"] > 0.5)
    assert not media(page, "video")["paused"]
    assert media(page, "video")["muted"]
    click(page, button("voice"))
    until(page, lambda: media(page, audio("voice"))["at"] > 0.5)
    assert media(page, audio("drums"))["paused"]
    assert media(page, audio("voice"))["at"] >= media(page, audio("drums"))["at"] - 0.1
    click(page, button("voice"))
    until(page, lambda: media(page, audio("voice"))["paused"] and media(page, "video")["paused"])


def test_a_click_on_a_timeline_moves_film_and_playhead_there(page):
    from selenium.webdriver.common.action_chains import ActionChains

    lane = shown(page, ".beats .time")
    ActionChains(page).move_to_element_with_offset(lane, lane.size["width"] // 4, 0).click().perform()
    until(page, lambda: media(page, "video")["at"] == pytest.approx(0.75 * SECONDS, abs=0.05))
    assert position(page) == pytest.approx(0.75 * SECONDS, abs=0.06)


def test_a_click_on_a_section_goes_to_its_start(page):
    click(page, ".section[data-start='2.0']")
    until(page, lambda: media(page, "video")["at"] == pytest.approx(2.0, abs=0.01))


def test_keys_move_the_playhead_and_play(page):
    from selenium.webdriver.common.keys import Keys

    slider = shown(page, "[role=slider]")
    for key, expected in [
        (Keys.PAGE_UP, 2),
        (Keys.PAGE_UP, 4),
        (Keys.HOME, 0),
        (Keys.ARROW_RIGHT, 5),
        (Keys.END, 6),
    ]:
        slider.send_keys(key)
        assert position(page) == pytest.approx(expected, abs=0.05)
    slider.send_keys(Keys.HOME, Keys.SPACE)
    until(page, lambda: media(page, "video")["at"] > 0.1)
    slider.send_keys(Keys.SPACE)
    until(page, lambda: media(page, "video")["paused"])


def test_without_scripts_every_recording_has_its_own_controls(browser, folder):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((folder / "report.html").as_uri())
        shown = browser.execute_cdp_cmd("DOM.getDocument", {"depth": -1})["root"]
        found = browser.execute_cdp_cmd(
            "DOM.querySelectorAll", {"nodeId": shown["nodeId"], "selector": "audio"}
        )
        for node in found["nodeIds"]:
            box = browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": node})["model"]
            assert box["height"] > 20
        assert len(found["nodeIds"]) == 2
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_film_has_its_sound_back_when_it_is_unmuted(page):
    click(page, button("drums"))
    until(page, lambda: media(page, audio("drums"))["at"] > 0.1)
    page.execute_script("document.querySelector('video').muted = false")
    until(page, lambda: media(page, audio("drums"))["paused"])
    assert not media(page, "video")["paused"]
    assert not media(page, "video")["muted"]


def test_a_recording_that_is_gone_is_named_as_such(browser, tmp_path):
    write_report(manifest(outputs=[output("gain", "audio", "gone.wav", header=audio_header())]), tmp_path)
    browser.get((tmp_path / "report.html").as_uri())
    click(browser, button("gain"))
    until(
        browser,
        lambda: browser.execute_script("return document.querySelectorAll('.track.broken').length") == 1,
    )


@pytest.mark.parametrize("width", [360, 1400])
def test_no_width_makes_the_page_scroll_sideways(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        until(page, lambda: page.execute_script("return innerWidth") == width)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
