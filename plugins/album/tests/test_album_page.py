"""The page of an album: what stands in its folder, and how it plays in a real browser, from disk."""

import os
import re
import shutil

import pytest
from reels import extras, film, in_context

from ripieno.contracts import InputError, Licence, Provenance
from ripieno.contracts.testing import SinkSuite
from ripieno.contracts.testing.browser import chromium, opened, until
from ripieno_album.page import AlbumPage, AlbumPageConfig
from ripieno_album.tracks import readable, slugs

HOSTILE = "<img src=x onerror=hacked=1>\"'&#%?é歌"
FACTS = {
    "one": {
        "title": "Low Tide",
        "artist": "The Band",
        "bpm": 76,
        "key": "D minor",
        "trim": [1.0, 3.0],
        "markers": [{"at_s": 0.5, "label": "cut off"}, {"at_s": 2.0, "label": "bell"}, {"at_s": 2.5}],
    },
    "cd1/02_second-song": {},
    HOSTILE: {"title": HOSTILE, "artist": "The Band", "loop": True},
}


@pytest.fixture(scope="module")
def reels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reels")
    # Browsers without licences of their own play WebM.
    return {
        name: film(folder, 2.0, seed=number, name=f"{number}", suffix=".webm")
        for number, name in enumerate(FACTS)
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return film(tmp_path_factory.mktemp("whole"), 6.0, name="album", suffix=".webm")


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    return {name: extras(folder / str(number), facts) for number, (name, facts) in enumerate(FACTS.items())}


def published(folder, *, lost=None, title="", description="", **ports):
    page = AlbumPage(AlbumPageConfig(title=title, description=description))
    bundle = in_context(lambda: page.publish(**ports), lost=lost or {})
    for name, path in bundle.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    return folder


class TestAlbumPage(SinkSuite):
    plugin = AlbumPage

    @pytest.fixture(autouse=True)
    def _reels(self, reels, whole, beside):
        type(self).ports = {"films": reels, "album": whole, "extras": beside}

    def example(self):
        return self.ports


@pytest.fixture(scope="module")
def folder(tmp_path_factory, reels, whole, beside):
    # Windows has no folder with such a name.
    place = tmp_path_factory.mktemp("site") / ("an album" if os.name == "nt" else HOSTILE.replace("/", ""))
    ports = {"films": reels, "album": whole, "extras": beside}
    return published(place, title="Three Pieces", lost={"four": "/home/me/four.ogg: damaged"}, **ports)


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, folder):
    with opened(browser, folder / "index.html") as page:
        yield page


def stage(page):
    """Of the large player: position, whether it plays, what it plays."""
    return page.execute_script(
        "const film = document.querySelector('#stage video');"
        "return [film.currentTime, !film.paused, film.currentSrc.split('/').pop()]"
    )


def chapters(page):
    return page.find_elements("css selector", ".chapter")


def current(page):
    return [chapter.get_attribute("aria-current") for chapter in chapters(page)]


def press(page, element):
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    element.click()


def test_a_page_has_all_that_it_names_and_names_nothing_else(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href|poster|data-film|data-poster)="([^"]+)"', text)) - {"data:,"}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert named == there - {"index.html"}
    assert len([name for name in there if name.startswith("films/")]) == 3


def test_a_chapter_has_the_most_vivid_colour_of_its_track(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    # 0xe0 - 0x50 is more than 0x30 - 0x10.
    assert re.findall("--tint: (#[0-9a-f]{6})", text) == ["#e0a050"] * 3


def test_chapters_are_lines_of_time_and_title(folder):
    lines = (folder / "chapters.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["0:00 Low Tide", "0:02 Second song", f"0:04 {HOSTILE}"]


def test_titles_are_made_of_keys_where_nothing_else_is_known():
    assert [readable(key) for key in ("cd1/01_night-drive", "7", "a b", "12. Été")] == [
        "Night drive",
        "7",
        "A b",
        "Été",
    ]
    assert slugs(["One!", "Ünder", "歌"]) == ["01-one", "02-under", "03"]


def test_what_is_lost_is_named_without_folders_of_this_machine(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "four.ogg: damaged" in text and "/home/me" not in text


def test_films_alone_make_a_page_too(tmp_path, reels):
    licensed = {
        name: reel.with_provenance(Provenance("film", (Licence("CC-BY-4.0", "A. Band", commercial=False),)))
        for name, reel in reels.items()
    }
    folder = published(tmp_path / "page", films=licensed)
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "A. Band" in text and "not for commercial use" in text
    assert not list(folder.glob("album.*")) and not (folder / "extras").exists()


def test_credits_lead_to_the_web_and_to_nothing_else(tmp_path, reels):
    sources = ("https://example.org/net", "package:words.net", "javascript:hacked=1")
    licences = tuple(Licence("MIT", "A. Band", source=source) for source in sources)
    films = {"one": reels["one"].with_provenance(Provenance("", licences))}
    text = (published(tmp_path / "page", films=films) / "index.html").read_text(encoding="utf-8")
    credits = text.partition("Licences and credits")[2].partition("</section>")[0]
    assert re.findall('href="(.*?)"', credits) == ["https://example.org/net"]
    assert "words.net" not in credits and "hacked" not in credits


def test_upright_films_stand_without_bars_beside_them(tmp_path, reels):
    def upright(name, reel):
        page = published(tmp_path / name, films={"one": reel}) / "index.html"
        return re.findall('<(?:section|article)[^>]*class="[^"]*tall', page.read_text(encoding="utf-8"))

    assert len(upright("tall", film(tmp_path, 0.5, size=(36, 64)))) == 2
    assert not upright("wide", reels["one"])


def test_what_all_tracks_say_is_said_of_the_album(tmp_path, reels):
    def heading(name, **facts):
        beside = {
            key: extras(tmp_path / name / slug, {**facts, **own})
            for (key, own), slug in zip(FACTS.items(), slugs(list(FACTS)), strict=True)
        }
        text = (published(tmp_path / f"{name}-page", films=reels, extras=beside) / "index.html").read_text(
            "utf-8"
        )
        return re.search("<h1>(.*?)</h1>", text)[1], re.search('class="lead">(.*?)<', text), text

    title, lead, text = heading("all", album="Tides", about="Made at night.")
    assert title == "Tides" and lead[1] == "Made at night." and text.count("Made at night.") == 1
    title, lead, text = heading("none")
    assert title == "The Band" and lead is None and text.count("The Band") == 3
    title, _, _ = heading("many", artist="Another")
    assert title == "Various artists"


def test_extras_of_another_step_are_refused(tmp_path, reels, beside):
    from ripieno.contracts import Bundle

    wrong = {**beside, "one": Bundle({"poster.jpg": beside["one"].files["poster.jpg"]})}
    with pytest.raises(InputError, match=r"^extras of 'one': no meta.json of sink/film_extras"):
        published(tmp_path, films=reels, extras=wrong)


def test_a_chapter_is_pressed_and_the_album_goes_on_from_there(page):
    press(page, chapters(page)[1])
    until(page, lambda: stage(page)[0] > 2.1)
    place_s, plays, film = stage(page)
    assert plays and film == "album.webm" and 2 <= place_s < 4
    assert current(page) == [None, "true", None]
    widths = page.execute_script(
        "return [...document.querySelectorAll('.bar i')].map((bar) => bar.style.width)"
    )
    assert widths[0] == "100%" and widths[2] == "0%"
    until(page, lambda: current(page)[2])
    page.execute_script("document.querySelector('#stage video').pause()")


def test_one_film_is_heard_at_a_time(page):
    press(page, chapters(page)[0])
    until(page, lambda: stage(page)[1])
    page.execute_script("document.querySelectorAll('.track video')[0].play().catch(() => {})")
    until(page, lambda: not stage(page)[1])


def test_a_marker_goes_to_its_place_in_the_part_that_was_kept(page):
    (marker,) = page.find_elements("css selector", ".markers button")
    assert marker.text.startswith("bell")
    press(page, marker)
    track = "document.querySelector('.track video')"
    until(page, lambda: page.execute_script(f"return {track}.currentTime") > 1.05)
    assert page.execute_script(f"const film = {track}; film.pause(); return film.currentTime") < 2.01


def test_names_are_text_and_pictures_are_seen(page):
    assert page.find_element("css selector", "h1").text == "Three Pieces"
    titles = [title.text for title in page.find_elements("css selector", ".track h2")]
    assert titles == ["Low Tide", "Second song", HOSTILE]
    assert page.execute_script("return document.images[0].naturalWidth") == 1
    loops = page.execute_script(
        "return [...document.querySelectorAll('.track video')].map((film) => film.loop)"
    )
    assert loops == [False, False, True]


def test_without_the_album_its_films_play_one_after_the_other(browser, tmp_path, reels, beside):
    folder = published(tmp_path / "page", films=reels, extras=beside)
    with opened(browser, folder / "index.html") as page:
        press(page, chapters(page)[1])
        until(page, lambda: stage(page)[0] > 0.1)
        assert stage(page)[2].startswith("02-")
        until(page, lambda: stage(page)[2].startswith("03-") and stage(page)[0] > 0.05)
        page.execute_script("document.querySelector('#stage video').pause()")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_scroll_sideways(page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wide = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide[0] <= wide[1] == width


def test_a_film_that_is_gone_is_said_to_be(browser, folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    for path in (broken / "films").iterdir():
        path.write_bytes(b"no film")
    browser.get((broken / "index.html").as_uri())
    browser.execute_script("document.querySelectorAll('.track video')[1].play().catch(() => {})")
    fault = browser.find_elements("css selector", ".fault")[1]
    until(browser, fault.is_displayed)
