"""``core data report``: sums that are right, faults that are lines, a page that works anywhere."""

import json
import os
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st
from played import note, performance, performances, rich, vibrato

from ripieno.contracts import InputError, Licence, RipienoError, write_cont
from ripieno.contracts.testing.browser import chromium, opened, until
from ripieno_performance.report.charts import pitch_bars, value_bars
from ripieno_performance.report.command import data
from ripieno_performance.report.folder import MANIFEST, Clip, reason_of
from ripieno_performance.report.page import percent, span
from ripieno_performance.report.players import choose, picture
from ripieno_performance.report.tally import Tally, numbers

HOSTILE = "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'`\n{{ 7*7 }} 歌"
# Windows has no folder with such a name.
NAME = "a set" if os.name == "nt" else "<img src=x onerror=hacked=1>\"'&#%?é歌"
SECONDS = 3.0


def manifest(names, **more):
    clips = [
        {
            "name": name,
            "index": index,
            "attempt": 0,
            "seed": 1000 - index,
            "split": ("train", "validation", "test")[index % 3],
            "note_faults": [],
            "audio": f"{name}.flac",
            "cont": f"{name}.cont",
        }
        for index, name in enumerate(names)
    ]
    return {
        "ripieno_pairs": 1,
        "source": "data_source/faust",
        "seed": 7,
        "clips": clips,
        "dropped": [],
        **more,
    }


def write_set(folder, count=12, *, sound=True, played=None, **more):
    soundfile = pytest.importorskip("soundfile")
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"violin-{index:05d}" for index in range(count)]
    for index, name in enumerate(names):
        notes = (vibrato(0.2, 1.0, 60 + index), note(1.5, 0.5, 72, "plucked"))
        write_cont(played or performance(*notes, duration_s=SECONDS), folder / f"{name}.cont")
        if sound:
            times_s = np.arange(int(48000 * SECONDS)) / 48000
            soundfile.write(folder / f"{name}.flac", np.sin(2 * np.pi * 262 * times_s) / 4, 48000)
    facts = manifest(names, **more)
    (folder / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")
    return facts


def report(*words):
    result = CliRunner().invoke(data, ["report", *map(str, words)])
    if isinstance(result.exception, RipienoError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def page_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@given(st.lists(performances, max_size=4))
def test_sums_are_those_of_all_notes(documents):
    tally = Tally()
    for document in documents:
        tally.add(document)
    notes = [one for document in documents for one in document.notes]
    assert (tally.clips, tally.notes) == (len(documents), len(notes))
    assert tally.masked == sum(bool(one.masked) for one in notes)
    assert tally.articulations == Counter((one.articulation, one.mode) for one in notes)
    assert sorted(numbers(tally.durations_s)) == sorted(one.duration_s for one in notes)
    assert sum(tally.keys.values()) == sum("pitch_midi" in one.envelopes for one in notes)
    assert (np.abs(numbers(tally.cents)) <= 50).all()
    for name, channel in tally.channels.items():
        assert channel.notes == sum(name in one.envelopes for one in notes)
        assert channel.masked == sum(name in one.masked for one in notes)


def test_a_note_counts_at_its_nearest_key_with_what_it_is_off():
    tally = Tally()
    tally.add(performance(note(0, 1, 60.3), note(1, 1, 60.8, "plucked"), vibrato(2, 1, 70)))
    assert tally.keys == {(60, "sustained"): 1, (61, "plucked"): 1, (70, "legato"): 1}
    assert sorted(numbers(tally.cents)) == pytest.approx([-20, 0, 30], abs=1)
    assert tally.moving == 1


@given(st.lists(st.floats(-200, 200), min_size=1, max_size=50))
def test_every_value_is_in_a_bar(values):
    chart = value_bars(np.array(values), np.arange(-100.0, 101, 20), unit="cents")
    counts = [int(bar.title.rsplit(": ", 1)[1].split()[0]) for bar in chart.bars]
    assert sum(counts) == len(values)
    shares = [sum(part.share for part in bar.parts) for bar in chart.bars]
    assert max(shares) == 1
    assert shares == pytest.approx([count / max(counts) for count in counts])
    assert 0 <= chart.middle <= 1


def test_bars_of_pitches_have_a_part_for_each_articulation():
    chart = pitch_bars({(60, "sustained"): 3, (60, "plucked"): 1, (72, "legato"): 2})
    named = {bar.label: bar for bar in chart.bars if bar.label}
    assert [(part.articulation, part.share) for part in named["C4"].parts] == [
        ("sustained", 0.75),
        ("plucked", 0.25),
    ]
    assert named["C5"].title == "C5, 523.3 Hz: 2 notes"
    assert chart.summary == "2 pitches from C4 to C5"
    assert pitch_bars({}) is None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("note at 3.214 s: sounds +31 cents from the plan", "sounds … cents from the plan"),
        ("3 of 20 notes not confirmed: note at 1 s: silent; note at 2 s: silent", "notes not confirmed"),
        ("12 clicks, the first at 3.214 s", "clicks"),
        ("clipping: 1.000 of full scale", "clipping"),
        ("", "no reason given"),
    ],
)
def test_faults_are_counted_by_what_they_share(fault, reason):
    assert reason_of(fault) == reason


@given(st.lists(st.integers(0, 2**62), max_size=60, unique=True), st.randoms())
def test_ten_clips_are_the_same_ten_in_any_order(seeds, random):
    clips = [Clip(str(seed), None, seed=seed) for seed in seeds]
    chosen = choose(clips)
    random.shuffle(clips)
    assert choose(clips) == chosen
    assert len(chosen) == len(set(chosen)) == min(10, len(seeds))
    in_order = sorted(seeds)
    places = [in_order.index(clip.seed) for clip in chosen]
    if len(seeds) > 10:
        assert (places[0], places[-1]) == (0, len(seeds) - 1)
        assert np.ptp(np.diff(places)) <= 1


def test_a_picture_holds_the_whole_range(tmp_path):
    document = rich()
    player = picture(Clip("a", tmp_path / "a.cont"), document, folder=tmp_path)
    pitches = np.concatenate([one.envelopes["pitch_midi"].values for one in document.notes])
    assert player.low_midi < pitches.min() < pitches.max() < player.high_midi
    assert (player.notes, player.masked, len(player.lines)) == (33, 3, 33)


def test_shares_and_lengths_are_said_in_fitting_words():
    assert [percent(1, 3), percent(1, 4), percent(0, 0)] == ["33.3 %", "25 %", "0 %"]
    assert [span(42), span(450), span(40000)] == ["42 s", "7.5 min", "11.1 h"]


def test_a_report_says_what_is_in_the_set(tmp_path):
    dropped = [
        {"index": 0, "attempt": 0, "seed": 1, "faults": ["clipping: 1.0", "12 clicks, the first at 3 s"]}
    ]
    licence = {"name": "CC-BY-4.0", "credit": "A player", "commercial": False, "source": "A hall"}
    write_set(tmp_path / "a set", dropped=dropped, licences=[licence], versions={"ripieno-faust": "9.8.7"})
    result = report(tmp_path / "a set")
    assert result.stdout.strip() == str(tmp_path / "a set" / "report.html")
    page = page_of(tmp_path / "a set")
    for words in (
        "<h1>a set</h1>",
        "data_source/faust",
        "92.3 %",  # 12 of 13 attempts
        "clipping",
        "CC-BY-4.0",
        "not for commercial use",
        "9.8.7",
        "validation",
        'src="violin-00000.flac"',
    ):
        assert words in page
    assert page.count("<audio") == 10
    assert "data:audio" not in page
    assert not list((tmp_path / "a set").glob(".*"))


def test_the_page_may_lie_elsewhere(tmp_path):
    write_set(tmp_path / "a set", 1)
    report(tmp_path / "a set", "--output", tmp_path / "a.html")
    assert 'src="a%20set/violin-00000.flac"' in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_a_page_of_many_clips_is_no_larger_than_that_of_ten(tmp_path):
    write_set(tmp_path / "ten", 10, sound=False)
    write_set(tmp_path / "many", 60, sound=False)
    sizes = []
    for name in ("ten", "many"):
        report(tmp_path / name)
        sizes.append(len(page_of(tmp_path / name)))
    # Problems, here the missing recordings, are up to a hundred lines; pitches up to 60 bars more.
    assert sizes[1] < sizes[0] + 30_000


def test_broken_and_missing_files_are_lines_of_the_report(tmp_path):
    write_set(tmp_path, 6)
    (tmp_path / "violin-00000.cont").write_bytes(b"{")
    (tmp_path / "violin-00001.cont").unlink()
    (tmp_path / "violin-00002.flac").unlink()
    (tmp_path / "violin-00003.cont").write_text('{"ripieno_cont": 99}', encoding="utf-8")
    result = report(tmp_path)
    for name in ("violin-00000.cont", "violin-00001.cont", "violin-00002", "violin-00003.cont"):
        assert name in page_of(tmp_path)
        assert name in result.stderr
    assert "<dt>clips</dt><dd>3</dd>" in page_of(tmp_path)


BROKEN = [
    "{",
    "[]",
    "{}",
    '{"clips": 3, "dropped": {"a": 1}, "versions": [], "licences": "x", "seed": "y", "settings": 3}',
    '{"clips": [1, {}, {"cont": 7}, {"cont": "../violin-00000.cont"}, {"cont": "/etc/passwd"}]}',
    '{"clips": [{"cont": "a\\u0000b"}, {"cont": "violin-00000.cont", "audio": "../../x.flac", "seed": "a"}]}',
    '{"clips": [{"name": "a", "cont": "violin-00000.cont", "note_faults": 3}], "dropped": [{"faults": null}, 4]}',
    '{"licences": [{"name": 3}, {}, 5, {"name": "MIT", "credit": 3}], "clips": [{"cont": "C:x.cont"}]}',
    "\xff\xfe",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_manifest_is_no_crash(tmp_path, text):
    write_set(tmp_path, 2)
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    report(tmp_path)
    assert "passwd" not in page_of(tmp_path) or "no file of this folder" in page_of(tmp_path)


def test_a_folder_without_a_manifest_is_its_documents(tmp_path):
    write_set(tmp_path / "deeper", 3)
    (tmp_path / "deeper" / MANIFEST).unlink()
    assert MANIFEST in report(tmp_path).stderr
    assert "<dt>clips</dt><dd>3</dd>" in page_of(tmp_path)
    assert 'src="deeper/violin-00001.flac"' in page_of(tmp_path)


def test_what_holds_no_set_is_refused_in_one_line(tmp_path):
    for path, words in ((tmp_path, "neither"), (tmp_path / "none", "no such folder")):
        with pytest.raises(InputError, match=words) as refused:
            report(path)
        assert "\n" not in str(refused.value)


def test_an_empty_set_has_a_report(tmp_path):
    write_set(tmp_path, 0)
    report(tmp_path)
    assert "<dt>clips</dt><dd>0</dd>" in page_of(tmp_path)


def test_a_set_without_pitches_or_levels_has_a_report(tmp_path):
    silent = note(0, 1, 60)
    write_set(tmp_path, 2, played=performance(type(silent)(0, 1, "muted")))
    report(tmp_path)
    assert "Nothing known" in page_of(tmp_path)


def test_the_same_set_gives_the_same_page(tmp_path):
    write_set(tmp_path)
    pages = []
    for _ in range(2):
        report(tmp_path)
        pages.append(page_of(tmp_path))
    assert pages[0] == pages[1]


@pytest.fixture(scope="session")
def browser():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / (
        "a set" if os.name == "nt" else "<img src=x onerror=hacked=1>\"'&#%?é歌"
    )
    hostile = performance(
        vibrato(0.2, 1.0, 60),
        note(1.5, 0.5, 72, "plucked", mode=HOSTILE, channels={HOSTILE: 0.5}, masked=(HOSTILE,)),
        instrument=HOSTILE,
        duration_s=SECONDS,
        masked_outputs=(HOSTILE,),
        licences=(Licence(HOSTILE, HOSTILE, True, HOSTILE),),
    )
    facts = write_set(
        folder,
        played=hostile,
        source=HOSTILE,
        versions={HOSTILE: HOSTILE},
        settings={HOSTILE: HOSTILE},
        dropped=[{"faults": [HOSTILE]}],
        licences=[{"name": HOSTILE, "credit": HOSTILE}],
    )
    facts["clips"][0] |= {"name": HOSTILE, "split": HOSTILE, "note_faults": [HOSTILE]}
    facts["clips"].append({"name": HOSTILE, "cont": HOSTILE, "audio": HOSTILE})
    (folder / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")
    report(folder)
    return folder


@pytest.fixture
def page(browser, folder):
    with opened(browser, folder / "report.html") as found:
        yield found


def positions(page):
    pictures = page.find_elements("css selector", ".picture[role=slider]")
    return [float(picture.get_attribute("aria-valuenow")) for picture in pictures]


def press(page, number):
    button = page.find_elements("css selector", ".play")[number]
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()


def test_names_are_text(page):
    assert not page.find_elements("css selector", "img")
    assert page.find_element("css selector", ".problems").text
    assert "hacked=1" in page.find_element("id", "made").text


def test_clips_are_heard_one_at_a_time(page):
    press(page, 0)
    until(page, lambda: positions(page)[0] > 0.2)
    press(page, 1)
    until(page, lambda: positions(page)[1] > 0.1)
    heard = page.execute_script(
        "return [...document.querySelectorAll('audio')].map((audio) => !audio.paused)"
    )
    assert heard == [False, True, *[False] * 8]
    press(page, 1)


def test_a_picture_is_its_clip_s_position(page):
    from selenium.webdriver.common.keys import Keys

    picture = page.find_element("css selector", ".picture[role=slider]")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", picture)
    picture.click()
    assert positions(page)[0] == pytest.approx(SECONDS / 2, abs=0.02)
    picture.send_keys(Keys.ARROW_RIGHT)
    assert positions(page)[0] == pytest.approx(SECONDS / 2 + 0.5, abs=0.02)
    picture.send_keys(Keys.HOME)
    assert positions(page)[0] == 0


def test_narrow_screens_do_not_scroll_sideways(page):
    page.set_window_size(500, 900)
    wide = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    page.set_window_size(1280, 1400)
    assert wide[0] <= wide[1]


def test_several_sets_are_drawn_each_in_its_folder(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        write_set(folder, 2, sound=False)
    report(*folders)
    assert all((folder / "report.html").is_file() for folder in folders)
    with pytest.raises(RipienoError, match="names one page, and there are 2 data sets"):
        report(*folders, "--output", "x.html")
