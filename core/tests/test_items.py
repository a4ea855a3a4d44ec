"""Files of inputs: found, in order, with keys and labels that keep them apart on every system."""

import json
import os
import re
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, strategies as st

from ripieno.contracts.errors import InputError, PipelineError
from ripieno.core.items import LONGEST_LABEL_BYTES, items_of, labels
from ripieno.core.pipeline import Input, is_glob


def declared(folder: Path, path: str | None = None, items: str | None = None) -> Input:
    return Input("songs", "text", path, items, many=True, folder=folder)


def keys(folder: Path, path: str) -> list[str]:
    return [item.key for item in items_of(declared(folder, path))]


def test_a_plain_path_is_one_item_called_by_its_stem(tmp_path, write):
    file = write("in/My Song.v2.wav")
    (item,) = items_of(declared(tmp_path, "in/My Song.v2.wav"))
    assert (item.key, item.label, item.path) == ("My Song.v2", "My Song.v2", file)
    assert (item.facts, item.settings) == ({}, {})
    assert items_of(declared(Path("/nowhere"), str(file))) == (item,)


def test_a_folder_is_an_item_too(tmp_path, write):
    write("stems/vocals.wav")
    assert keys(tmp_path, "stems") == ["stems"]


def test_a_path_may_begin_with_home(tmp_path, write, monkeypatch):
    write("song.wav")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert keys(Path("/nowhere"), "~/song.wav") == keys(Path("/nowhere"), "~/*.wav") == ["song"]


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match=r"^input 'songs': no file .*song\.wav$"):
        items_of(declared(tmp_path, "song.wav"))
    with pytest.raises(InputError, match=r"^input 'songs': no file .*ripieno-no-such-user"):
        items_of(declared(tmp_path, "~ripieno-no-such-user/song.wav"))
    with pytest.raises(InputError, match=r"^input 'songs': no file matches .*\*\.wav$"):
        items_of(declared(tmp_path, "*.wav"))
    with pytest.raises(InputError, match="no file"):
        items_of(declared(tmp_path, "x" * 5000))
    with pytest.raises(PipelineError, match=r"^input 'songs' has no path. Give one: --input songs=PATH$"):
        items_of(declared(tmp_path))


def test_keys_are_paths_below_the_fixed_part_of_a_pattern(tmp_path, write):
    for name in ("album/b.wav", "album/a.wav", "album/cd2/a.wav", "album/cd2/notes.txt", "other/a.wav"):
        write(name)
    assert keys(tmp_path, "album/*.wav") == ["a", "b"]
    assert keys(tmp_path, "album/**/*.wav") == ["a", "b", "cd2/a"]
    assert keys(tmp_path, "*/a.wav") == ["album/a", "other/a"]
    assert keys(tmp_path, "album/[b].wav") == ["b"]
    assert keys(tmp_path, "album/?.wav") == ["a", "b"]
    assert keys(Path("/nowhere"), f"{tmp_path}/album/*.wav") == ["a", "b"]


def test_a_name_with_a_bracket_or_a_star_is_that_file_or_folder(tmp_path, write):
    for name in ("live [2024]/a [demo].wav", "live [2024]/a d.wav", "live 2/a.wav"):
        write(name)
    assert keys(tmp_path, "live [2024]/a [demo].wav") == ["a [demo]"]
    assert keys(tmp_path, "live [2024]/*.wav") == ["a [demo]", "a d"]
    assert keys(tmp_path / "live [2024]", "*.wav") == ["a [demo]", "a d"]
    assert keys(tmp_path, "live [234]/*.wav") == ["live 2/a"]


def test_files_of_one_name_keep_their_suffixes(tmp_path, write):
    for name in ("a.wav", "a.mp3", "a.wav.mp3", "b.wav"):
        write(name)
    assert keys(tmp_path, "*") == ["a.mp3", "a.wav", "a.wav.mp3", "b.wav"]


def test_folders_and_hidden_files_are_no_matches(tmp_path, write):
    write("a/b.wav")
    write(".hidden.wav")
    write("c.wav")
    assert keys(tmp_path, "*") == ["c"]


def test_keys_are_in_one_unicode_form(tmp_path, write):
    write(unicodedata.normalize("NFD", "é.wav"))
    assert keys(tmp_path, "*.wav") == [unicodedata.normalize("NFC", "é")]
    assert keys(tmp_path, unicodedata.normalize("NFD", "é.wav")) == [unicodedata.normalize("NFC", "é")]


def test_names_that_look_alike_are_refused(tmp_path, write):
    forms = {unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD")}
    for name in forms:
        write(name)
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system does not tell Unicode forms apart")
    with pytest.raises(InputError, match="names of files differ in nothing that can be seen"):
        items_of(declared(tmp_path, "*.wav"))


def test_a_name_that_is_no_text_is_refused(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"\xff.wav")).touch()
    except (OSError, UnicodeError):
        pytest.skip("this file system stores text only")
    for pattern in ("*.wav", os.fsdecode(b"\xff.wav")):
        with pytest.raises(InputError, match=r"the file name '\\udcff.* is not UTF-8. Rename it"):
            items_of(declared(tmp_path, pattern))


@given(st.sets(st.text("aAbé. [*]?~-", min_size=1, max_size=4), min_size=1, max_size=6))
def test_files_come_with_keys_of_their_own_in_the_order_of_the_keys(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("files")
    for name in names - {".", ".."}:
        (folder / f"x{name}").touch()
    if not list(folder.iterdir()):
        return
    found = items_of(declared(folder, "*"))
    assert {item.path for item in found} == set(folder.iterdir())
    assert len({item.key for item in found}) == len({item.label for item in found}) == len(found)
    order = [unicodedata.normalize("NFC", item.path.name) for item in found]
    assert order == sorted(order)


ANY_KEYS = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(["a", "A", "ß", "ss", "con", "CON.txt", "a?", "a*", "a_", "lpt1.", " .", "..", "a/b", "a//b"]),
    unique=True,
    max_size=8,
)  # fmt: skip


@given(ANY_KEYS)
@example(["a_~" + "0" * 6, "a?"])
@example(["", "/", "//", "_", "."])
@example(["x" * 300, "x" * 301])
@example(["con "])
@example(["y" * 119 + " z"])
def test_labels_are_file_names_of_their_own_on_every_system(names):
    made = labels(names)
    assert len({label.casefold() for label in made}) == len(names)
    for label in made:
        assert not PurePosixPath(label).is_absolute()
        assert not PureWindowsPath(label).is_absolute()
        for part in label.split("/"):
            assert 0 < len(part.encode()) <= LONGEST_LABEL_BYTES + 65
            assert not re.search(r'[<>:"|?*\\\x00-\x1f\x7f]', part)
            assert part.strip(".") and part[-1] not in " ." and part[0] not in "-"
            assert part.split(".")[0].casefold() not in ("con", "prn", "aux", "nul", "lpt1", "com1")


@given(st.lists(st.text("abcé09_", min_size=1, max_size=8), unique=True))
def test_a_label_is_its_key_wherever_that_is_a_file_name(names):
    assert labels(names) == names


def test_a_label_that_a_longer_mark_needs_gets_it():
    taken = labels(["a?"])[0]
    assert len(set(labels([taken, "a?"]))) == 2


@pytest.mark.parametrize(("path", "expected"), [("a*", True), ("a?", True), ("[a]", True), ("a]", False)])
def test_a_pattern_has_a_sign_of_one(path, expected):
    assert is_glob(path) is expected


def test_a_list_brings_order_facts_and_settings(tmp_path, write):
    for name in ("b.wav", "sub/a.wav"):
        write(name)
    rows = [
        {"src": "sub/a.wav", "title": "A"},
        {"src": "b.wav", "id": "e\u0301", "with": {"film": {"fps": 25}}},
    ]
    for content in (rows, {"items": rows}, {"tracks": rows}):
        write("list.json", json.dumps(content))
        first, second = items_of(declared(tmp_path, "ignored", "list.json"))
        assert (first.key, first.label, first.path) == ("sub/a", "sub/a", tmp_path / "sub/a.wav")
        assert (first.facts, first.settings) == ({"src": "sub/a.wav", "title": "A"}, {})
        assert (second.key, second.settings) == ("\u00e9", {"film": {"fps": 25}})
        assert "with" not in second.facts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1 2", "2:1: not JSON: did not find expected ',' or ']'"),
        ('[{"src": "a.wav"\n "id": "b"}]', "2:2: not JSON: "),
        ('[{"src": "a.wav", "x": "\\ud800"}]', "1:27: not JSON: found invalid Unicode"),
        ("[" * 100_000, "1:102: more than 100 levels deep"),
        ("[]", "1:1: expected a list of items"),
        ("{}", "1:1: expected a list of items"),
        ("1", "1:1: expected a list of items"),
        ("", "1:1: expected a list of items"),
        ('{"tracks": []}', "1:12: expected a list of items"),
        ('["a.wav"]', '1:2: item 1 is "a.wav", expected {"src": "song.wav", …}'),
        ("[{}]", "1:2: item 1 has no `src`"),
        ('[{"src": 1}]', "1:10: item 1: `src` is 1, expected the file, relative to the list"),
        ('[{"src": "none.wav"}]', "1:10: item 1: `src`: no file"),
        ('[{"src": "a\\u0000.wav"}]', "1:10: item 1: `src`: no file"),
        ('[{"src": "../out.wav"}]', "1:10: item 1: `src`: ../out.wav lies outside the list's folder. Put it"),
        ('[{"src": "a.wav", "src": "b.wav"}]', '1:19: the key "src" stands twice'),
        (
            '[{"src": "a.wav"},\n {"src": "a.wav"}]',
            "2:10: item 2 is called 'a', as item 1 is. Give each an `id`",
        ),
        ('[{"src": "a.wav", "with": 1}]', "1:27: item 1: `with` is 1, expected {step: {key: value}}"),
        (
            '[{"src": "a.wav", "with": {"film": 1}}]',
            '1:27: item 1: `with` is {"film": 1}, expected {step: {key',
        ),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_one_line_with_its_place(tmp_path, write, content, message):
    write("in/a.wav")
    write("out.wav")
    write("in/list.json", content)
    with pytest.raises(InputError, match=rf"list\.json:{re.escape(message)}") as caught:
        items_of(declared(tmp_path / "in", items="list.json"))
    assert "\n" not in str(caught.value)


def test_a_list_that_is_no_text_is_named(tmp_path, write):
    write("list.json", b"\xff")
    with pytest.raises(InputError, match=r"list\.json: not UTF-8 text"):
        items_of(declared(tmp_path, items="list.json"))


def test_all_that_is_wrong_with_a_list_is_said_at_once(tmp_path, write):
    write("a.wav")
    rows = [
        {"src": "a.wav", "bpm": 0, "seed": "x"},
        {"src": "b.wav"},
        {"src": "a.wav", "id": "c", "art": "c.png"},
    ]
    write("list.json", json.dumps({"artist": 1, "tracks": rows}, indent=1))
    with pytest.raises(InputError) as caught:
        items_of(declared(tmp_path, items="list.json"))
    lines = [line.partition("list.json:")[2] for line in str(caught.value).splitlines()]
    assert [line.partition(", expected")[0].partition(" /")[0] for line in lines] == [
        "2:12: all items: `artist` is 1",
        "6:11: item 1: `bpm` is 0",
        '7:12: item 1: `seed` is "x"',
        "10:11: item 2: `src`: no file",
        "15:11: item 3: `art`: no file",
    ]


@pytest.mark.parametrize(
    ("slip", "field"),
    [("titel", "title"), ("Title", "title"), ("seeds", "seed"), ("bmp", "bpm"), ("tirm", "trim"), ("artists", "artist"),
     ("marker", "markers"), ("lop", "loop"), ("keys", "key"), ("wiht", "with")],
)  # fmt: skip
def test_a_field_that_is_nearly_known_is_a_slip(tmp_path, write, slip, field):
    write("a.wav")
    wrong = rf"list\.json:2:2: item 1: unknown field \"{slip}\"\. Did you mean \"{field}\"\?$"
    write("list.json", f'[{{"src": "a.wav",\n "{slip}": 1}}]')
    with pytest.raises(InputError, match=wrong):
        items_of(declared(tmp_path, items="list.json"))
    write("list.json", f'{{"{slip}": 1,\n "tracks": [{{"src": "a.wav"}}]}}')
    with pytest.raises(InputError, match=rf'list\.json:1:2: all items: unknown field "{slip}"'):
        items_of(declared(tmp_path, items="list.json"))


@pytest.mark.parametrize(
    "name", ["isrc", "year", "genre", "label", "composer", "lyrics", "cover_by", "album_artist", "x"]
)
def test_a_fact_may_have_any_other_name(tmp_path, write, name):
    write("a.wav")
    row = {"src": "a.wav"}
    for rows in ([{**row, name: [1]}], {name: [1], "tracks": [row]}):
        write("list.json", json.dumps(rows))
        assert items_of(declared(tmp_path, items="list.json"))[0].facts[name] == [1]


def test_a_list_may_be_yaml_and_json_may_have_any_character(tmp_path, write):
    write("a.wav")
    write("list.yaml", "artist: Somebody  # all tracks\ntracks:\n- {src: a.wav, bpm: 1e2}\n")
    (item,) = items_of(declared(tmp_path, items="list.yaml"))
    assert item.facts == {"src": "a.wav", "artist": "Somebody", "bpm": 100}
    for title in ("🎹 ü 🎻", r"a\ud83d", "\\\\ud83d\\ude00", "tab\t/\x01"):
        write("list.json", json.dumps([{"src": "a.wav", "title": title}], indent="\t"))
        assert items_of(declared(tmp_path, items="list.json"))[0].facts["title"] == title


def test_a_list_may_not_name_files_elsewhere(tmp_path, write):
    outside = write("out.wav")
    write("in/list.json", json.dumps([{"src": str(outside)}]))
    with pytest.raises(InputError, match="lies outside"):
        items_of(declared(tmp_path / "in", items="list.json"))
    with pytest.raises(InputError, match=r"^input 'songs': no items file .*none\.json$"):
        items_of(declared(tmp_path, items="none.json"))


WRONG = {
    "id": ["", " ", 3, []],
    "title": [1, ["A"]],
    "artist": [False],
    "key": [5],
    "bpm": [0, -3, 1001, "fast", True],
    "art": ["", 7],
    "markers": [
        1,
        [3.5],
        [{"label": "drop"}],
        [{"at_s": -1}],
        [{"at_s": "0:30"}],
        [{"at_s": 1, "label": 2}],
        [{"at_s": 1, "mood": -1}],
        [{"at_s": 1, "mood": ""}],
    ],
    "loop": [1, "yes", [1], [2, 1]],
    "seed": [-1, 1.5, True, "7", 2**63],
    "trim": [1, [1], [1, 1], [2, 1], [-1, 2], [0, "end"], [None, 2], [True, 2], [0, 1, 2]],
    "with": [[], {"film": []}],
}
RIGHT = {
    "title": "",
    "artist": "Somebody",
    "key": "F# minor",
    "bpm": 92.5,
    "markers": [{"at_s": 0}, {"at_s": 8.5, "label": "drop", "mood": 2}, {"at_s": 9, "mood": "night", "x": 1}],
    "loop": [0, 8],
    "seed": 2**63 - 1,
    "trim": [0.5, None],
    "isrc": 5,
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_field_of_a_track_is_named_with_list_and_number(tmp_path, write, field, value):
    write("a.wav")
    write("list.json", json.dumps([{"src": "a.wav"}, {"src": "a.wav", "id": "b", field: value}]))
    with pytest.raises(
        InputError, match=rf"list\.json:1:\d+: item 2: `{field}\S* is .*, expected "
    ) as caught:
        items_of(declared(tmp_path, items="list.json"))
    assert "\n" not in str(caught.value)


def test_what_a_list_says_of_all_is_said_of_each_that_says_nothing_else(tmp_path, write):
    write("a.wav")
    tracks = [{"src": "a.wav"}, {"src": "a.wav", "id": "b", "artist": "Guest", "album": None}]
    write("list.json", json.dumps({"album": "Tides", "artist": "Band", "tracks": tracks}))
    first, second = items_of(declared(tmp_path, items="list.json"))
    assert first.facts == {"src": "a.wav", "album": "Tides", "artist": "Band"}
    assert second.facts == {"src": "a.wav", "id": "b", "artist": "Guest"}
    write("list.json", json.dumps({"bpm": "fast", "tracks": tracks}))
    with pytest.raises(InputError, match=r'list\.json:1:9: all items: `bpm` is "fast", expected'):
        items_of(declared(tmp_path, items="list.json"))


@pytest.mark.parametrize(
    ("markers", "message"),
    [
        ('[{"at_s": 2}, {"at_s": 1}]', "1:51: item 1: `markers[1]` is at 1 s, the one before at 2: put them in order"),
        ('[{"at_s": 1}, {"at_s": 1}]', "1:51: item 1: `markers[1]` is at 1 s, the one before at 1"),
        ('[{"at_s": 2}, {"at_s": "0:30"}]', '1:42: item 1: `markers[1]` is {"at_s": "0:30"}, expected {"at_s": seco'),
        ('[{"at_s": 2, "lable": "x"}]', '1:41: item 1: `markers[0]`: unknown field "lable". Did you mean "label"?'),
    ],
)  # fmt: skip
def test_a_wrong_marker_is_named(tmp_path, write, markers, message):
    write("a.wav")
    write("list.json", f'[{{"src": "a.wav","markers":{markers}}}]')
    with pytest.raises(InputError, match=rf"list\.json:{re.escape(message)}"):
        items_of(declared(tmp_path, items="list.json"))


@pytest.mark.parametrize("field", WRONG)
def test_what_a_track_leaves_open_may_be_null(tmp_path, write, field):
    write("a.wav")
    write("list.json", json.dumps([{"src": "a.wav", field: None}]))
    (item,) = items_of(declared(tmp_path, items="list.json"))
    assert (item.key, item.facts, item.settings) == ("a", {"src": "a.wav"}, {})


def test_what_a_track_says_rightly_are_its_facts_known_or_not(tmp_path, write):
    write("a.wav")
    write("list.json", json.dumps([{"src": "a.wav", **RIGHT}]))
    assert items_of(declared(tmp_path, items="list.json"))[0].facts == {"src": "a.wav", **RIGHT}


def test_a_cover_is_a_file_beside_the_list(tmp_path, write):
    write("out.png")
    cover = write("in/art/cover.png")
    write("in/a.wav")

    def listed(art):
        write("in/list.json", json.dumps([{"src": "a.wav", "art": art}]))
        return items_of(declared(tmp_path / "in", items="list.json"))[0].facts["art"]

    assert Path(listed("art/cover.png")) == cover
    with pytest.raises(InputError, match=r"list.json:1:26: item 1: `art`: no file .*none\.png"):
        listed("none.png")
    with pytest.raises(InputError, match=r"item 1: `art`: no file"):
        listed("art")
    for art in ("../out.png", str(tmp_path / "out.png")):
        with pytest.raises(InputError, match=r"item 1: `art`: .*out\.png lies outside the list's folder"):
            listed(art)
