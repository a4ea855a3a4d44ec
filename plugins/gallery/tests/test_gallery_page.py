"""The page in a real browser: it plays, switches, sorts and fits, from disk and with nothing from elsewhere."""

import math
import os
import shutil

import pytest
from sounds import HOSTILE, noise, published

from ripieno.contracts import Scores
from ripieno.contracts.testing.browser import chromium, opened, until

# Windows has no folder with such a name.
FOLDER = "a gallery" if os.name == "nt" else "<img src=x onerror=hacked=1>\"'&#%?é歌"
SECONDS = 14.0


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    names = ["chapter 1", HOSTILE, "chapter 10", "chapter 2"]
    before = {name: noise(SECONDS, seed=index) for index, name in enumerate(names)}
    after = {name: noise(SECONDS, level=0.05, seed=index) for index, name in enumerate(names)}
    values = (3.5, math.nan, -20.0, math.inf)
    scores = [Scores({"si_sdr_db": value, HOSTILE: 1}, HOSTILE) for value in values]
    folder = tmp_path_factory.mktemp("site") / FOLDER
    return published(folder, before, after, scores, title=HOSTILE, description=HOSTILE, before_name=HOSTILE)


@pytest.fixture
def page(browser, folder):
    with opened(browser, folder / "index.html") as page:
        yield page


def card(page, number=0):
    found = page.find_elements("css selector", ".card")[number]
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
    return found


def within(card, selector):
    return card.find_element("css selector", selector)


def state(page, card):
    """Of both sounds: position, whether it plays, whether it is heard, its volume."""
    return page.execute_script(
        "return ['.before', '.after'].map((side) => arguments[0].querySelector(`audio${side}`))"
        ".map((sound) => [sound.currentTime, !sound.paused, !sound.muted, sound.volume])",
        card,
    )


def test_one_of_two_sounds_is_heard_and_a_switch_keeps_the_position(page):
    one = card(page)
    within(one, ".play").click()
    until(page, lambda: state(page, one)[1][0] > 0.3)
    (_, plays, audible, _), (at_s, _, after_audible, _) = state(page, one)
    assert (plays, audible, after_audible) == (True, False, True)
    within(one, ".switch .before").click()
    before, after = state(page, one)
    assert (before[2], after[2]) == (True, False)
    # The other one has gone on meanwhile.
    assert at_s - 0.1 <= before[0] <= after[0] + 1.5
    assert before[1]
    until(page, lambda: abs(state(page, one)[0][0] - state(page, one)[1][0]) < 0.1)
    within(one, ".play").click()
    assert [sound[1] for sound in state(page, one)] == [False, False]


def test_recordings_are_heard_one_at_a_time(page):
    first, second = card(page, 0), card(page, 2)
    within(card(page, 0), ".play").click()
    until(page, lambda: state(page, first)[1][0] > 0.1)
    within(card(page, 2), ".play").click()
    until(page, lambda: state(page, second)[1][0] > 0.1)
    assert [sound[1] for sound in state(page, first)] == [False, False]


def test_everything_is_done_from_the_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    one = card(page)
    deck = within(one, ".deck")
    deck.send_keys(Keys.ARROW_RIGHT * 2)
    assert float(deck.get_attribute("aria-valuenow")) == 2
    deck.send_keys("b")
    assert one.get_attribute("data-side") == "0"
    deck.send_keys("x")
    assert one.get_attribute("data-side") == "1"
    deck.send_keys(" ")
    until(page, lambda: state(page, one)[1][0] > 2.2)
    deck.send_keys(" ")
    until(page, lambda: not any(sound[1] for sound in state(page, one)))
    deck.send_keys(Keys.END)
    assert float(deck.get_attribute("aria-valuenow")) == SECONDS
    deck.send_keys(Keys.HOME)
    assert float(deck.get_attribute("aria-valuenow")) == 0
    chosen = within(one, ".switch .after input")
    chosen.send_keys(Keys.ARROW_LEFT)
    assert one.get_attribute("data-side") == "0"


def test_a_picture_is_clicked_where_it_is_to_be_heard(page):
    one = card(page)
    within(one, ".deck").click()
    assert [sound[0] for sound in state(page, one)] == pytest.approx([SECONDS / 2] * 2, abs=0.05)


@pytest.mark.parametrize("share", [0.986, 0.991, 0.996])
def test_the_last_moments_are_heard_and_then_it_begins_anew(page, share):
    from selenium.webdriver import ActionChains

    one = card(page)
    within(one, ".play").click()
    until(page, lambda: state(page, one)[1][0] > 0.1)
    deck = within(one, ".deck")
    aside = int((share - 0.5) * deck.size["width"])
    ActionChains(page).move_to_element_with_offset(deck, aside, 0).click().perform()
    until(page, lambda: "playing" not in one.get_attribute("class"))
    assert "broken" not in one.get_attribute("class")
    until(page, lambda: [sound[0] for sound in state(page, one)] == [0, 0])


def test_a_snippet_can_be_heard_over_and_over(page):
    one = card(page)
    within(one, ".loop").click()
    start_s, end_s = (float(one.get_attribute(f"data-loop-{edge}")) for edge in ("start", "end"))
    page.execute_script(
        "for (const sound of arguments[0].querySelectorAll('audio')) sound.currentTime = arguments[1]",
        one,
        start_s,
    )
    within(one, ".play").click()
    page.execute_script(
        "for (const sound of arguments[0].querySelectorAll('audio')) sound.currentTime = arguments[1]",
        one,
        end_s - 0.2,
    )
    until(page, lambda: start_s <= state(page, one)[1][0] < start_s + 2)
    within(one, ".play").click()


def test_both_sound_equally_loud_unless_asked_otherwise(page):
    one = card(page)
    before, after = (sound[3] for sound in state(page, one))
    assert (before, after) == pytest.approx((0.5, 1), abs=0.01)
    page.execute_script("document.getElementById('equal').click()")
    assert [sound[3] for sound in state(page, one)] == [1, 1]


def test_scores_are_sorted_both_ways_with_what_is_unknown_last(page):
    def order():
        rows = page.find_elements("css selector", "tbody tr")
        return [row.find_element("css selector", "td").text for row in rows]

    heads = page.find_elements("css selector", "thead th")
    arrow = "return getComputedStyle(arguments[0].querySelector('button'), '::before').visibility"
    assert all(page.execute_script(arrow, head) == "visible" for head in heads)
    assert order() == ["3.50", "\N{EN DASH}", "\N{MINUS SIGN}20.00", "∞"]
    heads[1].find_element("css selector", "button").click()
    assert order() == ["∞", "3.50", "\N{MINUS SIGN}20.00", "\N{EN DASH}"]
    assert heads[1].get_attribute("aria-sort") == "descending"
    heads[1].find_element("css selector", "button").click()
    assert order() == ["\N{MINUS SIGN}20.00", "3.50", "∞", "\N{EN DASH}"]
    heads[0].find_element("css selector", "button").click()
    names = [row.text for row in page.find_elements("css selector", "tbody th")]
    assert names[1:] == ["chapter 1", "chapter 2", "chapter 10"]
    assert heads[1].get_attribute("aria-sort") == "none"


def test_pictures_are_seen_and_names_are_text(page):
    until(page, lambda: page.execute_script("return document.images[0].naturalWidth") > 0)
    assert len(page.find_elements("css selector", "img")) == 8
    assert "hacked=1" in page.find_element("css selector", "h1").text


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_scroll_sideways(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wide = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide[0] <= wide[1] == width


def test_dark_screens_have_a_dark_page(page):
    shades = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        shades.append(sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(","))))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert shades[0] > 600 and shades[1] < 100


def test_a_sound_that_is_gone_is_said_to_be(browser, folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    for sound in (broken / "audio").iterdir():
        sound.write_bytes(b"no sound")
    browser.get((broken / "index.html").as_uri())
    one = card(browser)
    within(one, ".play").click()
    until(browser, lambda: "broken" in one.get_attribute("class"))
    assert "playing" not in one.get_attribute("class")
