"""The interactive page in a real browser: values, zoom, sound, keys, and names that mean harm."""

import json
import os
import re

import numpy as np
import pytest
from played import note, performance, vibrato

from ripieno.contracts import Licence, Performance, Stream
from ripieno.contracts.testing.browser import chromium, opened, until
from ripieno_performance.show.page import as_script, render
from ripieno_performance.show.scene import Scene
from ripieno_performance.show.style import hertz, note_name

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'`\n{{ 7*7 }} 歌"
FILE = "a song" if os.name == "nt" else "<img src=x onerror=hacked=1>\"'&#%?é歌"
SECONDS = 8.0


@pytest.fixture(scope="session")
def browser():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def played():
    violin = (
        vibrato(0.5, 2.0, 67),
        note(2.6, 0.4, 71, "plucked", mode=HOSTILE, masked=("pitch_midi",)),
        note(3.5, 1.0, 74, "staccato", mode="arco", channels={"bow_<b>pressure": 0.25}),
    )
    other = (note(1.0, 3.0, 55, "sustained"),)
    return Performance(
        (Stream("violin", violin), Stream(HOSTILE, other)),
        48000,
        SECONDS,
        {"pitch_midi": "analysis"},
        (HOSTILE,),
        (Licence(HOSTILE, HOSTILE, True, HOSTILE),),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory, played):
    soundfile = pytest.importorskip("soundfile")
    folder = tmp_path_factory.mktemp("a page")
    times_s = np.arange(int(48000 * SECONDS)) / 48000
    soundfile.write(folder / "a.flac", 0.3 * np.sin(2 * np.pi * 392 * times_s), 48000)
    scene = Scene.of(played, title=HOSTILE, profiles={})
    path = folder / f"{FILE}.html"
    path.write_bytes(render(scene, folder / "a.flac", folder=folder))
    return path


@pytest.fixture
def page(browser, file):
    with opened(browser, file) as found:
        yield found


def script(page, text, *values):
    return page.execute_script(f"return {text}", *values)


def hover(page, time, *, pitch=67):
    from selenium.webdriver import ActionChains

    view = page.find_element("id", "view")
    page.execute_script("arguments[0].scrollIntoView()", view)
    x, y = script(page, "[xOf(arguments[0]), yOf(arguments[1])]", time, pitch)
    box = view.rect
    ActionChains(page).move_to_element_with_offset(
        view, x - box["width"] / 2, y - box["height"] / 2
    ).perform()
    return script(page, "pointer.time"), page.find_element("id", "values").text


def scroll(page, amount, *, at_s=2.0):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    view = page.find_element("id", "view")
    page.execute_script("arguments[0].scrollIntoView()", view)
    x = script(page, "xOf(arguments[0])", at_s) - view.rect["width"] / 2
    ActionChains(page).scroll_from_origin(ScrollOrigin.from_element(view, int(x), -100), 0, amount).perform()


def span(page):
    return script(page, "[window_.start, window_.end]")


def press(page, *keys):
    view = page.find_element("id", "view")
    page.execute_script("arguments[0].focus()", view)
    for key in keys:
        view.send_keys(key)


def at(page):
    return float(page.find_element("id", "view").get_attribute("aria-valuenow"))


def test_hovering_shows_the_values_of_the_note_at_that_time(page, played):
    time, text = hover(page, 1.7)
    one = played.streams[0].notes[0]
    pitch, level = one.envelopes["pitch_midi"].at([time])[0], one.envelopes["dynamics_dbfs"].at([time])[0]
    name, cents = note_name(pitch), 100 * (pitch - round(pitch))
    shown = re.search(rf"{name} ([+\N{{MINUS SIGN}}][\d.]+) ¢\s+([\d.]+) Hz", text)
    assert float(shown[1].replace("\N{MINUS SIGN}", "-")) == pytest.approx(cents, abs=0.11)
    assert float(shown[2]) == pytest.approx(hertz(pitch), abs=0.1)
    assert f"\N{MINUS SIGN}{-level:.1f} dBFS" in text
    assert "legato · arco" in text
    assert "masked: bow_pressure" in text
    assert "G3" in text  # the other player sounds too
    assert f"{time:.3f} s" in text


def test_where_nothing_sounds_there_is_the_time_alone(page):
    time, text = hover(page, 6.5)
    assert text == f"{time:.3f} s"


def test_scrolling_zooms_about_the_pointer_and_the_whole_comes_back(page):
    assert span(page) == [0, SECONDS]
    scroll(page, -400)
    start, end = span(page)
    assert end - start < 0.6 * SECONDS
    assert start < 2 < end
    page.find_element("id", "all").click()
    assert span(page) == [0, SECONDS]


def test_scrolling_out_of_the_whole_scrolls_the_page(page):
    page.set_window_size(1280, 500)
    scroll(page, 300)
    until(page, lambda: script(page, "scrollY") > 0)
    assert span(page) == [0, SECONDS]
    page.set_window_size(1280, 1400)


def test_dragging_moves_the_time(page):
    from selenium.webdriver import ActionChains

    scroll(page, -400)
    before = span(page)
    view = page.find_element("id", "view")
    ActionChains(page).move_to_element_with_offset(view, 0, -100).click_and_hold().move_by_offset(
        -200, 0
    ).release().perform()
    after = span(page)
    assert after[0] > before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])


def test_a_click_sets_the_position(page):
    from selenium.webdriver import ActionChains

    time, _ = hover(page, 3.0)
    ActionChains(page).click().perform()
    assert at(page) == pytest.approx(time, abs=0.002)
    assert script(page, "sound.currentTime") == pytest.approx(time, abs=0.01)


def test_the_recording_plays_and_the_position_goes_with_it(page):
    page.find_element("id", "play").click()
    until(page, lambda: float(page.find_element("id", "clock").text) > 0.3)
    assert page.find_element("id", "play").get_attribute("aria-label") == "Pause"
    page.find_element("id", "play").click()
    # The element is paused before it tells so.
    until(page, lambda: script(page, "sound.paused") and at(page) > 0.3)
    assert at(page) == pytest.approx(script(page, "sound.currentTime"), abs=0.1)
    assert script(page, "sound.duration") == pytest.approx(SECONDS, abs=0.01)


def test_all_goes_by_keys(page):
    from selenium.webdriver.common.keys import Keys

    press(page, Keys.PAGE_DOWN)
    assert at(page) == 0.5
    assert "G4" in page.find_element("id", "view").get_attribute("aria-valuetext")
    assert "dBFS" in page.find_element("id", "values").text
    press(page, Keys.PAGE_DOWN, Keys.ARROW_RIGHT)
    assert at(page) == pytest.approx(1 + SECONDS / 200)
    press(page, "+", "+")
    assert span(page)[1] - span(page)[0] == pytest.approx(0.36 * SECONDS)
    press(page, Keys.END)
    assert (at(page), span(page)[1]) == (SECONDS, SECONDS)
    press(page, "0", Keys.HOME, Keys.SPACE)
    until(page, lambda: not script(page, "sound.paused"))
    press(page, Keys.SPACE)
    until(page, lambda: script(page, "sound.paused"))


def test_lanes_and_players_are_switched_off_and_on(page):
    before = script(page, "size.height")
    chip = page.find_element("css selector", "[data-lane=dynamics_dbfs]")
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    assert script(page, "size.height") < before
    chip.click()
    assert script(page, "size.height") == before
    page.find_element("css selector", '[data-stream="1"]').click()
    assert "G3" not in hover(page, 1.7)[1]


def painted(page):
    """Share of pixels of the scene that are not empty."""
    return script(
        page,
        """(() => { const copy = new OffscreenCanvas(scene.width, scene.height)
          .getContext("2d", {willReadFrequently: true});
        copy.drawImage(scene, 0, 0);
        const p = copy.getImageData(0, 0, scene.width, scene.height).data;
        let n = 0; for (let i = 3; i < p.length; i += 4) n += p[i] > 0; return n / (p.length / 4); })()""",
    )


def test_the_scene_has_notes_and_a_spectrogram(page):
    until(page, lambda: script(page, "spectrum !== null"))
    before = painted(page)
    page.find_element("css selector", "[data-layer=spectrogram]").click()
    assert 0.02 < painted(page) < before


def test_narrow_screens_do_not_scroll_sideways(page):
    page.set_window_size(500, 900)
    assert script(page, "document.documentElement.scrollWidth") <= script(page, "innerWidth")
    page.set_window_size(1280, 1400)


def test_names_are_text(page):
    assert page.find_element("css selector", "h1").text.startswith("</script>")
    assert not page.find_elements("css selector", "img")
    assert HOSTILE.split("\n")[0] in hover(page, 2.8, pitch=71)[1]


def test_a_recording_that_is_gone_is_said(browser, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", np.zeros(2_000_000), 192000, subtype="PCM_16")
    scene = Scene.of(performance(note(0, 1, 60)), title="a", profiles={})
    (tmp_path / "a.html").write_bytes(render(scene, tmp_path / "a.wav", folder=tmp_path))
    (tmp_path / "a.wav").unlink()
    browser.get((tmp_path / "a.html").as_uri())
    until(browser, lambda: browser.find_element("id", "broken").is_displayed())


def test_without_a_recording_there_is_nothing_to_play(browser, tmp_path):
    scene = Scene.of(performance(note(0, 1, 60)), title="a", profiles={})
    (tmp_path / "a.html").write_bytes(render(scene, None, folder=tmp_path))
    with opened(browser, tmp_path / "a.html") as page:
        assert not page.find_elements("css selector", "#play, audio")
        assert "C4" in hover(page, 0.5, pitch=60)[1]


def test_of_a_chord_every_note_is_a_line(browser, tmp_path):
    scene = Scene.of(
        performance(*(note(0, 1, 40 + 2 * key, "struck") for key in range(14))), title="a", profiles={}
    )
    (tmp_path / "a.html").write_bytes(render(scene, None, folder=tmp_path))
    with opened(browser, tmp_path / "a.html") as page:
        text = hover(page, 0.5, pitch=50)[1]
        assert text.count("Hz") == 12
        assert text.endswith("and 2 more")


def test_json_cannot_leave_its_script():
    text = as_script({"a": HOSTILE, "b": "<!--", "c": "]]>&amp;"})
    assert not set(text) & set("<>&")
    assert json.loads(text) == {"a": HOSTILE, "b": "<!--", "c": "]]>&amp;"}
