"""YAML with places: values by the core schema, places to the character, and all that is refused."""

import math
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given, strategies as st

from ripieno.contracts.errors import PipelineError
from ripieno.core.document import DEEPEST, Document, Place, parse_document, parse_value, read_document

# YAML 1.2.2, 10.3.2: the tags that plain scalars resolve to in the core schema.
CORE_SCHEMA: list[tuple[str, Any]] = [
    *((text, None) for text in ("", "~", "null", "Null", "NULL")),
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    ("0", 0),
    ("-19", -19),
    ("+12", 12),
    ("007", 7),
    ("0o14", 12),
    ("0x3A", 58),
    ("0xdeadBEEF", 0xDEADBEEF),
    ("0.", 0.0),
    ("-0.0", -0.0),
    (".5", 0.5),
    ("+12e03", 12e3),
    ("-2E+05", -2e5),
    ("1e-3", 1e-3),
    ("6.8523015e+5", 685230.15),
    # Numbers, times, truths and merges of YAML 1.1 are text in 1.2.
    *((text, text) for text in ("on", "off", "yes", "No", "y", "nULL", "tRUE", "1_000", "190:20:30")),
    *((text, text) for text in ("0b101", "-0o7", "+0x1f", "2001-12-14", "=", "0x", "0o8", "1e", ".", "-.e1")),
]


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA, ids=[repr(text) for text, _ in CORE_SCHEMA])
def test_a_plain_scalar_is_what_the_core_schema_says(text, value):
    found = parse_document(f"key: {text}").value["key"]
    assert (type(found), repr(found)) == (type(value), repr(value))


@given(st.sampled_from(CORE_SCHEMA), st.sampled_from("'\""))
def test_a_quoted_scalar_is_text(row, quote):
    assert parse_document(f"key: {quote}{row[0]}{quote}").value == {"key": row[0]}


def test_a_block_scalar_is_text():
    assert parse_document("key: |\n  12\n").value == {"key": "12\n"}


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused(text):
    with pytest.raises(PipelineError, match=r"^p:1:6: .* is not a finite number$"):
        parse_document(f"key: {text}", name="p")


@pytest.mark.parametrize("sign", ["", "-", "0x"])
def test_a_whole_number_that_python_would_take_long_to_read_is_refused(sign):
    assert parse_document(f"{sign}{'1' * 37}").value is not None
    with pytest.raises(PipelineError, match="more than 40 digits"):
        parse_document(f"{sign}{'1' * 5000}")


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "--- # nothing\n...\n", "\ufeff"])
def test_a_file_without_content_is_null(text):
    assert parse_document(text).value is None


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"),
    max_size=12,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
KEYS = TEXTS.filter(lambda key: key != "<<")
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def dumped(value: Any, **style: Any) -> str:
    """YAML that any of its versions reads alike: what is text is quoted."""
    text: str = yaml.dump(value, Dumper=Quoting, allow_unicode=True, **style)
    return text


class Quoting(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@given(NESTED, st.booleans())
@example({"é": ["😀", {"\t": 1e-3}]}, False)
def test_what_another_library_writes_is_read_alike(value, flow):
    text = dumped(value, default_flow_style=flow, sort_keys=False)
    assert same(parse_document(text).value, value)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from paths(item, (*path, key))


def rest_of(text: str, place: Place) -> str:
    return "\n".join(text.split("\n")[place.line - 1 :])[place.column - 1 :]


@given(NESTED, st.booleans())
def test_what_stands_at_a_place_is_the_key_or_the_value_itself(value, flow):
    text = dumped(value, default_flow_style=flow, sort_keys=False, width=10**9)
    document = parse_document(text)
    for path, item in paths(value):
        if not isinstance(item, (dict, list)):
            written = dumped(item, default_flow_style=True, width=10**9).removesuffix("\n...\n").rstrip("\n")
            assert rest_of(text, document.values[path]).startswith(written)
        if path and isinstance(path[-1], str):
            assert rest_of(text, document.keys[path]).startswith((dumped(path[-1]).rstrip("\n"), "? "))


@given(NESTED)
def test_every_value_and_every_key_has_a_place(value):
    document = parse_document(dumped(value))
    every = [path for path, _ in paths(value)]
    assert set(document.values) == set(every)
    assert set(document.keys) == {path for path in every if path and isinstance(path[-1], str)}


def test_a_path_that_is_not_written_down_stands_where_what_it_is_missing_from_does():
    document = parse_document("a:\n  b:\n    c: 1\n", name="p")
    assert document.at(("a", "b", "x", "y")) == document.at(("a", "b")) == "p:3:5"
    assert document.at(("a", "b", "x"), key=True) == "p:3:5"
    assert document.at(("a", "b"), key=True) == "p:2:3"
    assert Document("p", None).at(("x",)) == "p:1:1"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: !!str x", "1:4"),
        ("a: ! x", "1:4"),
        ("a: !!python/object/apply:os.system [ls]", "1:4"),
        ("a: !thing {b: 1}", "1:4"),
        ("!!map {b: 1}", "1:1"),
        ("- !!int 12", "1:3"),
        ("- !local\n  b: 1", "1:3"),
    ],
)
def test_a_tag_is_refused_on_every_kind_of_node(text, place):
    with pytest.raises(PipelineError, match=rf"^p:{place}: the tag .* is not allowed"):
        parse_document(text, name="p")


@pytest.mark.parametrize("text", ["a: &x 1", "a: &x [1]", "a: &x {b: 1}", "&x a: 1", "&x [1]"])
def test_an_anchor_is_refused(text):
    with pytest.raises(PipelineError, match="anchors and aliases are not allowed|a key must be plain text"):
        parse_document(text)


def test_an_alias_is_refused_before_anything_multiplies():
    laughs = "a0: [x]\n" + "".join(f"a{n}: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    with pytest.raises(PipelineError, match=r"^pipeline.yaml:2:6: anchors and aliases are not allowed"):
        parse_document(laughs)


@pytest.mark.parametrize("text", ["? [a]\n: 1", "? {a: 1}\n: 1", "!!str a: 1", "*a : 1"])
def test_a_key_that_is_no_plain_text_is_refused(text):
    with pytest.raises(PipelineError, match=r":1:\d+: a key must be plain text"):
        parse_document(text)


def test_a_key_that_stands_twice_is_refused_where_it_stands_again():
    with pytest.raises(PipelineError, match=r'^pipeline.yaml:4:3: the key "b" stands twice$'):
        parse_document("a:\n  b: 1\n  c: 2\n  'b': 3\n")


def test_merge_keys_are_refused_and_their_text_is_a_key():
    with pytest.raises(PipelineError, match=":1:1: merge keys are not allowed"):
        parse_document("<<: {a: 1}")
    assert parse_document("'<<': 1").value == {"<<": 1}


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_without_end_is_refused(opening):
    assert parse_document("[" * DEEPEST + "]" * DEEPEST).value
    with pytest.raises(PipelineError, match=f"more than {DEEPEST} levels deep"):
        parse_document(opening * 100_000)


def test_a_second_document_is_refused():
    with pytest.raises(PipelineError, match=":2:1: a second document"):
        parse_document("a: 1\n--- \nb: 2\n")


@pytest.mark.parametrize("text", ["a: \x07", "a: \x00b", "\x1b[31m", "a: '\ud800'", "a: \ufffe"])
def test_what_is_no_character_of_yaml_is_refused_in_one_line(text):
    with pytest.raises(PipelineError, match="^p: not YAML") as caught:
        parse_document(text, name="p")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"), [("a: [1", "1:7|2:1"), ("a: b: c", "1:5"), ("a: 'x", "1:4|1:6"), ("a:\n\t- b", "2:1")]
)
def test_what_is_not_yaml_is_refused_with_its_place(text, place):
    with pytest.raises(PipelineError, match=rf"^p:({place}): not YAML: \S"):
        parse_document(text, name="p")


@pytest.mark.parametrize("content", [b"a: \xff", "a: é".encode("utf-16"), "a: é".encode("latin-1")])
def test_a_file_that_is_not_utf_8_is_refused(write, content):
    path = write("p.yaml", content)
    with pytest.raises(PipelineError, match=r"p\.yaml: not UTF-8 text"):
        read_document(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(PipelineError, match=r"none\.yaml: cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(PipelineError, match="cannot be read"):
        read_document(tmp_path)


def test_a_file_is_read_with_any_ends_of_lines(write):
    path = write("p.yaml", b"\xef\xbb\xbfa:\r\n  b: 1\r\n")
    document = read_document(path)
    assert document.value == {"a": {"b": 1}}
    assert document.at(("a", "b")) == f"{path}:2:6"


@given(st.text(max_size=60))
@example(textwrap.dedent("a:\n - b\n  - c"))
def test_any_text_is_read_or_refused_in_one_line(text):
    problem = None
    try:
        parse_document(text)
    except PipelineError as error:
        problem = str(error)
    assert problem is None or "\n" not in problem


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA, ids=[repr(text) for text, _ in CORE_SCHEMA])
def test_a_value_on_a_command_line_is_what_it_is_in_a_file(text, value):
    found = parse_value(text, name="--set a.b")
    assert (type(found), repr(found)) == (type(value), repr(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [("[1, {a: x}]", [1, {"a": "x"}]), ("'1'", "1"), ("a: b #c", "a: b #c"), ("*.wav", "*.wav"), ("!", "!")],
)
def test_a_value_on_a_command_line_is_a_list_a_map_or_text_with_any_signs(text, value):
    assert parse_value(text, name="--set a.b") == value


@pytest.mark.parametrize("text", ["[1", "1e999", ".inf", "9" * 50])
def test_a_value_on_a_command_line_that_cannot_be_read_is_named(text):
    with pytest.raises(PipelineError, match="^--set a.b"):
        parse_value(text, name="--set a.b")
