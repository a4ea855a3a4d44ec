"""Still pictures: they show what they should, are whole files, and take titles as text."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from played import note, performance, performances, rich

from ripieno_performance.show.figure import draw
from ripieno_performance.show.scene import Scene
from ripieno_performance.show.strokes import body
from ripieno_performance.show.style import STYLES

HOSTILE = "--></text><script>hacked=1</script>&\"'$\\frac{1}{0$_^ 歌\n\x07"


def scene_of(document, title="a title"):
    return Scene.of(document, title=title, profiles={})


def pixels(picture):
    image = pytest.importorskip("PIL.Image")
    return np.array(image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def near(shades, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(shades - wanted).max(axis=2) <= 3).sum())


@pytest.mark.parametrize("articulation", STYLES)
def test_notes_are_drawn_in_the_colour_of_their_articulation(articulation):
    shades = pixels(draw(scene_of(performance(note(0.2, 1.0, 60, articulation))), None, kind="png"))
    others = {name for name in STYLES if name != articulation}
    assert near(shades, STYLES[articulation].light) > 100
    assert all(near(shades, STYLES[name].light) == 0 for name in others - {"struck"})


def test_a_picture_grows_with_its_lanes_and_its_length():
    few = pixels(draw(scene_of(performance(note(0.2, 1.0, 60))), None, kind="png"))
    many = pixels(draw(scene_of(rich()), None, kind="png"))
    assert many.shape[0] > few.shape[0]
    assert many.shape[1] > few.shape[1]


def test_the_spectrogram_lies_behind_the_notes(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", np.sin(2 * np.pi * 440 * np.arange(96000) / 48000) / 2, 48000)
    scene = scene_of(performance(note(0.2, 1.0, 60)))
    without, with_sound = (pixels(draw(scene, path, kind="png")) for path in (None, tmp_path / "a.wav"))
    assert without.shape == with_sound.shape
    darker = (without - with_sound).sum(axis=2) > 60
    assert 0.001 < darker.mean() < 0.1


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_performance_gives_the_same_bytes(kind):
    assert draw(scene_of(rich()), None, kind=kind) == draw(scene_of(rich()), None, kind=kind)


def test_an_svg_is_xml_that_takes_names_as_text():
    hostile = performance(note(0.2, 1.0, 60, mode=HOSTILE, channels={HOSTILE: 1}), instrument=HOSTILE)
    text = draw(scene_of(hostile, HOSTILE), None, kind="svg").decode()
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert not re.search(r'(href|src)="(?!#|data:)', text)


@pytest.mark.parametrize("title", [HOSTILE, "", "x" * 500])
def test_any_title_is_drawn(title):
    assert pixels(draw(scene_of(performance(note(0.2, 1.0, 60)), title), None, kind="png")).size


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(performances)
def test_any_performance_is_drawn(played):
    ElementTree.fromstring(draw(scene_of(played), None, kind="svg"))


def test_a_note_is_thicker_where_it_is_louder():
    played = rich()
    swelling = played.streams[0].notes[1]
    unmasked = performance(type(swelling)(**{**vars(swelling), "masked": ()}))
    _, lower, upper = body(unmasked.notes[0], scene_of(unmasked))
    assert (np.diff(upper - lower) >= -1e-9).all()
    assert upper[-1] - lower[-1] > upper[0] - lower[0]
