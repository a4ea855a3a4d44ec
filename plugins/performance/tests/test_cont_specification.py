"""The specification in the documentation says what the code does."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from played import performance, rich, vibrato

from ripieno.contracts import cont_text, performance_of, validate

PAGE = Path(__file__).parents[3] / "docs" / "cont.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here")


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def example(page) -> str:
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    return text


def test_the_example_is_valid_and_canonical(example):
    assert validate(json.loads(example)) == ()
    assert cont_text(performance_of(example)).splitlines() == example.splitlines()


def test_the_example_sounds_as_the_page_says(example, page):
    told = re.search(r"at ([\d.]+) s lies half way on a line: ([\d.]+)\.\n", page)
    time_s, pitch_midi = map(float, told.groups())
    second = performance_of(example).notes[1]
    assert second.envelopes["pitch_midi"].at(np.array([time_s])) == pytest.approx([pitch_midi])


@pytest.mark.parametrize("title", ["Document", "Stream", "Note", "Envelope"])
def test_the_tables_have_the_fields_in_canonical_order(title, page):
    section = re.split(rf"\n##+ {title}\n", page)[1].split("\n#")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    document = json.loads(cont_text(performance(vibrato(1, 1, 60))))
    stream = document["streams"][0]
    note = stream["notes"][0]
    envelope = note["envelopes"]["pitch_midi"]
    assert named == list({"Document": document, "Stream": stream, "Note": note, "Envelope": envelope}[title])


def test_cubic_is_the_curve_of_the_formulas(page):
    scipy = pytest.importorskip("scipy.interpolate", reason="SciPy has the same curve")
    assert "PchipInterpolator" in page
    (curve,) = [
        one.envelopes["pitch_midi"]
        for one in rich().notes
        if one.envelopes["pitch_midi"].interpolation == "cubic"
    ]
    times_s = np.linspace(curve.times_s[0], curve.times_s[-1], 999)
    expected = scipy.PchipInterpolator(curve.times_s, curve.values)(times_s)
    np.testing.assert_allclose(curve.at(times_s), expected, atol=1e-9)


def test_the_fault_on_the_page_is_told_in_these_words(example, page):
    document = json.loads(example)
    document["streams"][0]["notes"][1]["envelopes"]["pitch_midi"]["points"][0][0] = 0.5
    (told,) = re.findall(r"^take\.cont: (.*)$", page, re.MULTILINE)
    assert [str(fault) for fault in validate(document)] == [told]
