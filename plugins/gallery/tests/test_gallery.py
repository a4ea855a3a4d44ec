"""A gallery as files: all it names is there, sounds are those given, names do no harm, memory is bounded."""

import csv
import io
import math
import re
import tracemalloc
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sounds import HOSTILE, heard, noise, published, silence, sine

from ripieno.contracts import Audio, InputError, Licence, Provenance, Scores
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import SinkSuite
from ripieno_gallery.config import GalleryConfig
from ripieno_gallery.items import slugs
from ripieno_gallery.listening import Span, gains_db, hear, liveliest
from ripieno_gallery.sink import Gallery
from ripieno_gallery.table import as_csv, columns_of, figure


class TestConformance(SinkSuite):
    plugin = Gallery

    def example(self):
        return {
            "before": {"one": noise(1.0), "two": noise(0.5, channels=2)},
            "after": {"one": noise(1.0, level=0.05), "two": noise(0.5, channels=2, seed=3)},
            "scores": [Scores({"si_sdr_db": 9.0}), Scores({"si_sdr_db": math.inf})],
        }


class Named(HTMLParser):
    """Addresses and texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.addresses, self.texts, self.tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


def page_of(folder):
    return Named((folder / "index.html").read_text(encoding="utf-8"))


def test_all_that_the_page_names_is_in_the_folder_and_nothing_else_is(tmp_path):
    sound = noise(12.0)
    folder = published(
        tmp_path, {"a": sound, "b/c": sound}, {"a": sound, "b/c": sound}, [Scores({"x": 1})] * 2
    )
    named = {unquote(url) for url in page_of(folder).addresses if not url.startswith(("#", "data:"))}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert named == there - {"index.html"}


def test_names_are_text_wherever_they_stand(tmp_path):
    sound = noise(0.5).with_provenance(Provenance("x", (Licence(HOSTILE, HOSTILE, False, HOSTILE),)))
    folder = published(
        tmp_path,
        {HOSTILE: sound},
        {HOSTILE: sound},
        [Scores({HOSTILE: 1.0}, HOSTILE)],
        title=HOSTILE,
        description=HOSTILE,
        before_name=HOSTILE,
        after_name=HOSTILE,
    )
    page = page_of(folder)
    assert page.tags.count("script") == 1
    assert page.tags.count("img") == 2
    assert sum("hacked=1" in text for text in page.texts) >= 5
    with open(folder / "metrics.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["item", HOSTILE], [HOSTILE, "1.0"]]


@given(st.lists(st.text(max_size=90), max_size=12))
def test_file_names_are_different_and_safe_everywhere(names):
    made = slugs(names)
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[0-9]+(-[a-z0-9]+)*", name) and len(name) < 64 for name in made)


def test_short_sounds_are_kept_to_the_sixteenth_bit(tmp_path):
    sound = noise(0.7, rate_hz=44_100, channels=2, level=0.9)
    folder = published(tmp_path, {"a": sound}, {"a": sound})
    for path in (folder / "audio" / "1-a-before.flac", folder / "snippets" / "1-a-after.flac"):
        samples = heard(path, rate_hz=44_100, channels=2)
        assert samples.shape == sound.samples.shape
        assert np.abs(samples - sound.samples).max() <= 1 / 32768


def test_what_is_beyond_full_scale_is_clipped(tmp_path):
    sound = sine(440, 0.5, level=3.0)
    folder = published(tmp_path, {"a": sound}, {"a": sound})
    samples = heard(folder / "audio" / "1-a-before.flac", rate_hz=48_000)
    assert np.abs(samples - np.clip(sound.samples, -1, 1)).max() <= 1 / 32768
    assert hear(sound, Span(0, 0.5), tmp_path / "again.flac").wave.peak == 1


def test_longer_sounds_are_opus_and_the_longest_only_a_snippet(tmp_path):
    sound = noise(6.0)
    opus = published(tmp_path / "opus", {"a": sound}, {"a": sound}, lossless_up_to_s=5, snippet_s=2)
    assert heard(opus / "audio" / "1-a-after.opus", rate_hz=16_000).shape[1] == pytest.approx(96_000, abs=400)
    short = published(tmp_path / "short", {"a": sound}, {"a": sound}, whole_up_to_s=5, snippet_s=2)
    for kind in ("audio", "snippets"):
        assert heard(short / kind / "1-a-after.flac", rate_hz=16_000).shape[1] == 32_000


@given(st.integers(0, 200), st.integers(0, 40), st.floats(1, 8))
def test_a_snippet_is_where_most_is_said(quiet_frames, talk_tenths, length_s):
    rate_hz = 1000
    talk = np.full(100 * talk_tenths + 1, 0.5)
    before = np.zeros(quiet_frames * 50)
    audio = Audio(np.concatenate([before, talk, np.zeros(7000)])[None], rate_hz)
    span = liveliest(audio, length_s=length_s)
    assert span.duration_s == pytest.approx(min(length_s, audio.duration_s))
    assert 0 <= span.start_s <= span.end_s <= audio.duration_s + 1e-9
    begin_s, end_s = before.size / rate_hz, (before.size + talk.size) / rate_hz
    said_s = min(span.end_s, end_s) - max(span.start_s, begin_s)
    # Levels are known for every tenth of a second.
    assert said_s >= min(length_s, talk.size / rate_hz) - 0.2


def test_the_louder_of_two_is_turned_down_to_the_other(tmp_path):
    sound = noise(2.0)
    half = Audio(0.5 * sound.samples, sound.rate_hz)
    span = liveliest(sound, length_s=2.0)
    before, after = (hear(one, span, tmp_path / f"{number}.flac") for number, one in enumerate((sound, half)))
    assert gains_db(before, after) == pytest.approx((20 * math.log10(0.5), 0), abs=0.01)
    assert gains_db(after, before) == pytest.approx((0, 20 * math.log10(0.5)), abs=0.01)
    assert gains_db(before, None) == (0, 0)


HARD = {
    "silence": (silence(1.0), silence(1.0)),
    "silence after": (noise(1.0), silence(1.0)),
    "empty": (silence(0), silence(0)),
    "empty after": (noise(0.5), silence(0)),
    "one sample": (noise(1 / 16_000), noise(1 / 16_000)),
    "0.05 s": (noise(0.05), noise(0.05)),
    "direct current": (Audio(np.full((1, 8000), 0.9), 8000), noise(1.0, rate_hz=8000)),
    "far beyond full scale": (noise(0.5, level=1e30), noise(0.5)),
    "5.1": (noise(0.5, channels=6), noise(0.5, channels=6)),
    "7 channels": (noise(0.5, channels=7), noise(0.5, channels=1)),
    "low rate": (noise(0.5, rate_hz=2000), noise(0.5, rate_hz=2000)),
    "192 kHz": (noise(0.2, rate_hz=192_000), noise(0.2, rate_hz=192_000)),
    "other rate and length": (noise(3.0, rate_hz=44_100), noise(0.3, rate_hz=8000, channels=2)),
    "snippet after the end": (
        noise(0.3),
        Audio(np.concatenate([np.zeros((1, 64_000)), noise(2.0).samples], axis=1), 16_000),
    ),
}


@pytest.mark.parametrize("name", HARD)
def test_any_sound_can_be_shown(tmp_path, name):
    before, after = HARD[name]
    folder = published(tmp_path, {name: before}, {name: after}, snippet_s=1)
    page = page_of(folder)
    assert page.tags.count("audio") == sum(bool(sound.frames) for sound in (before, after))
    for path in folder.glob("*/*.flac"):
        samples = heard(path, rate_hz=48_000)
        assert samples.size and np.isfinite(samples).all()
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r'(d|style)="[^"]*(nan|inf)', text)


def test_items_that_failed_are_named_with_the_reason_but_not_with_folders(tmp_path):
    lost = {
        HOSTILE: HOSTILE,
        "/home/me/takes/c.wav: not media": "c.wav: not media",
        "D:\\takes\\d.wav: at 1/2 of it": "d.wav: at 1/2 of it",
        "/home/me/My Takes/e.wav: not media": "e.wav: not media",
        "no codec for '/home/me/f.wav' and/or (/srv/g.wav)": "no codec for 'f.wav' and/or (g.wav)",
        "takes/h.wav: see https://example.org/a/b": "takes/h.wav: see https://example.org/a/b",
        "/home/me/i.wav has no sound, or 1/2 of one": "i.wav has no sound, or 1/2 of one",
    }
    with use_context(new_context(lost=dict(zip("bcdefgh", lost, strict=True)))):
        folder = published(tmp_path, {"a": noise(0.1)}, {"a": noise(0.1)})
    assert {"b", *lost.values()} <= set(page_of(folder).texts)


def test_a_gallery_of_nothing_is_a_page(tmp_path):
    assert page_of(published(tmp_path, {}, {})).tags.count("h1") == 1


def test_items_that_do_not_pair_are_refused():
    sound = noise(0.1)
    with pytest.raises(InputError, match="'b' is on one side only"):
        Gallery().publish({"a": sound, "b": sound}, {"a": sound})
    with pytest.raises(InputError, match="3 scores for 2 items"):
        Gallery().publish({"a": sound, "b": sound}, {"a": sound, "b": sound}, [Scores({"x": 1})] * 3)


def test_a_lone_pair_may_be_called_by_its_steps(tmp_path):
    sound = noise(0.1)
    assert "mix" in page_of(published(tmp_path, {"mix": sound}, {"speech": sound})).texts


def test_terms_of_all_that_went_in_are_named_once(tmp_path):
    terms = Licence("CC-BY-NC-4.0", "A network", commercial=False)
    sound = noise(0.1).with_provenance(Provenance("x", (terms,)))
    page = page_of(published(tmp_path, {"a": sound}, {"a": sound}))
    assert page.texts.count("CC-BY-NC-4.0") == 1
    assert "not for commercial use" in page.texts


numbers = st.floats(allow_nan=True, allow_infinity=True)
tables = st.integers(1, 4).flatmap(
    lambda items: st.tuples(
        st.lists(st.text(st.characters(codec="utf-8")), min_size=items, max_size=items, unique=True),
        st.lists(st.lists(numbers, min_size=items, max_size=items), max_size=3),
    )
)


@given(tables)
def test_a_table_can_be_read_back(table):
    items, metrics = table
    scores = [Scores({f"score {number}": value}) for number, values in enumerate(metrics) for value in values]
    columns = columns_of(scores, items=len(items))
    text = as_csv(items, columns)
    assert text.count("\r\n") >= len(items) + 1
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["item", *(f"score {number}" for number in range(len(metrics)))]
    assert [row[0] for row in rows] == items
    for column, values in enumerate(metrics, 1):
        for row, value in zip(rows, values, strict=True):
            assert row[column] == "" if math.isnan(value) else float(row[column]) == value


def test_scores_of_one_name_are_told_apart_by_their_steps():
    def loudness(step, value):
        return Scores({"loudness_lufs": value}, provenance=Provenance(f"{step}: metric/loudness"))

    scores = [
        loudness("before", -23),
        loudness("before", -20),
        loudness("after", -16),
        loudness("after", -16),
    ]
    columns = columns_of([*scores, Scores({"wer": 0.1}), Scores({})], items=2)
    assert [column.name for column in columns] == ["before.loudness_lufs", "after.loudness_lufs", "wer"]
    assert columns[0].values == (-23, -20)
    assert math.isnan(columns[2].values[1]) and columns[2].middle == 0.1


def test_figures_are_short():
    minus = "\N{MINUS SIGN}"
    shown = {
        0.0: "0.000",
        -0.5: f"{minus}0.500",
        9.876: "9.88",
        123.4: "123",
        math.inf: "∞",
        -math.inf: f"{minus}∞",
    }
    assert {value: figure(value) for value in shown} == shown
    assert figure(math.nan) == "\N{EN DASH}"


@pytest.mark.slow
def test_memory_does_not_grow_with_length():
    peaks = []
    for minutes in (1, 6):
        sound = noise(60.0 * minutes, rate_hz=8000)
        tracemalloc.start()
        Gallery(GalleryConfig(whole_up_to_s=1e6)).publish({"a": sound}, {"a": sound})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1e6
