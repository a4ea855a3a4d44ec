import numpy as np
import pytest
from PIL import Image

from ripieno.contracts import InputError
from ripieno.contracts.context import new_context, use_context
from ripieno_film_effects.title import Title, TitleConfig

SIZE = (640, 360)
FACTS = {"title": "Aurora", "artist": "The Ripieno"}


def black(count=1, *, size=SIZE):
    return np.zeros((count, size[1], size[0], 3), np.uint8)


def shown(facts, *, at_s=2.0, frames=None, **settings):
    """Frames under the card of a film of the given facts."""
    config = TitleConfig(**{"length_s": 3, "start_s": 1, "fade_s": 0.5} | settings)
    with use_context(new_context(facts=facts)):
        return Title(config).apply(black() if frames is None else frames, at_s)


def test_title_and_artist_stand_in_the_lower_left():
    frame = shown(FACTS)[0]
    rows, columns = np.nonzero(frame.max(axis=-1) > 128)
    assert rows.min() > 0.7 * SIZE[1] and rows.max() < SIZE[1] * 0.96
    assert columns.min() > 0.03 * SIZE[0] and columns.max() < 0.6 * SIZE[0]


def test_the_card_comes_and_goes_softly():
    light = [int(shown(FACTS, at_s=at_s).sum()) for at_s in (0.9, 1.1, 1.25, 1.4, 2.5, 3.6, 3.75, 3.9, 4.1)]
    assert light[0] == light[-1] == 0
    assert light[0] < light[1] < light[2] < light[3] < light[4]
    assert light[4] > light[5] > light[6] > light[7] > light[8]


def test_halfway_through_the_fade_half_of_the_card_is_seen():
    whole, half = shown(FACTS, at_s=2.0).astype(float), shown(FACTS, at_s=1.25, fps=60).astype(float)
    assert np.abs(half - whole / 2).max() <= 1


def test_white_letters_can_be_read_on_white():
    frame = shown(FACTS, frames=np.full_like(black(), 255))[0]
    assert frame.min() < 140
    assert frame.max() == 255


def test_settings_go_before_facts_and_without_either_there_is_no_card():
    assert np.array_equal(shown({}, title="Aurora", artist="The Ripieno"), shown(FACTS))
    assert not np.array_equal(shown(FACTS, title="Boreas"), shown(FACTS))
    assert not shown({}).any()
    assert not shown({"title": None, "artist": ""}).any()


def test_a_long_title_stays_in_the_picture():
    frame = shown({"title": "W" * 500, "artist": "long " * 200})[0]
    columns = np.nonzero(frame.max(axis=(0, 2)) > 128)[0]
    assert columns.max() < 0.97 * SIZE[0]


@pytest.mark.parametrize("size", [(360, 640), (64, 36), (16, 16), (1, 1), (481, 481)])
def test_any_size_has_a_card_or_none(tmp_path, size):
    Image.new("RGB", (30, 30), (255, 0, 0)).save(tmp_path / "cover.png")
    frames = black(size=size)
    facts = FACTS | {"art": str(tmp_path / "cover.png")}
    assert shown(facts, frames=frames).shape == frames.shape


@pytest.mark.parametrize(("suffix", "mode"), [("png", "RGBA"), ("jpg", "L"), ("webp", "RGB"), ("gif", "P")])
def test_the_middle_square_of_the_cover_is_seen(tmp_path, suffix, mode):
    picture = Image.new("RGB", (300, 100), (0, 0, 255))
    picture.paste((255, 255, 255), (100, 0, 200, 100))
    picture.convert(mode).save(tmp_path / f"cover.{suffix}")
    frame = shown({"art": str(tmp_path / f"cover.{suffix}")})[0]
    rows, columns = np.nonzero(frame.min(axis=-1) > 200)
    side = round(0.155 * SIZE[1])
    assert np.ptp(rows) + 1 == pytest.approx(side, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(side, abs=2)


def test_a_cover_of_a_hundred_megapixels_is_refused_unread(tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "huge.png")
    with pytest.raises(InputError, match=r"huge\.png: 10000 x 10000, 100 megapixels, at most 50") as caught:
        shown({"art": str(tmp_path / "huge.png")})
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused_unread(tmp_path):
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match=r"bomb\.png: far too many pixels"):
        shown({"art": str(tmp_path / "bomb.png")})


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a"],
    ids=["empty", "text", "broken", "program", "cut"],
)
def test_a_cover_that_is_no_picture_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "cover.png").write_bytes(content)
    with pytest.raises(InputError, match=r"cover\.png: no picture") as caught:
        shown({"art": str(tmp_path / "cover.png")})
    assert "\n" not in str(caught.value)


def test_a_cut_off_cover_is_refused(tmp_path):
    picture = Image.effect_noise((200, 200), 60)
    picture.save(tmp_path / "whole.png")
    (tmp_path / "cover.png").write_bytes((tmp_path / "whole.png").read_bytes()[:9000])
    with pytest.raises(InputError, match="no picture"):
        shown({"art": str(tmp_path / "cover.png")})


def test_a_cover_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: no such file"):
        shown({"art": str(tmp_path / "none.png")}, at_s=0.0)


def test_a_font_that_is_none_is_refused(tmp_path):
    (tmp_path / "face.ttf").write_text("no font")
    with pytest.raises(InputError, match=r"face\.ttf: no font"):
        shown(FACTS, font=tmp_path / "face.ttf")


@pytest.mark.parametrize("text", ["für", "Ночь", "夜想曲", "Ω♭"])
def test_letters_of_many_scripts_are_there(text):
    # What a face lacks is drawn as one and the same sign.
    unknown = shown({"title": "\U000fff00" * len(text)})
    assert not np.array_equal(shown({"title": text}), unknown)
    assert shown({"title": text}).any()


@pytest.mark.parametrize("text", ["line\nbreak", "tab\tstop", "\x00\x07", "\ud800"])
def test_what_cannot_be_printed_is_left_out(text):
    assert shown({"title": "A" + text}).any()
