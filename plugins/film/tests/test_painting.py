from itertools import pairwise

import numpy as np
import pytest

from ripieno.contracts import ConfigError, InputError
from ripieno_film.painting import Controls, Painter, loops

PLAIN = {"warp": 0, "marble": 0, "sharpness": 0, "relief": 0, "gloss": 0, "detail": 0, "strata": 0}
PALETTE = ["#101b4b", "#2a5bd7", "#37b5a5", "#f2e3bc", "#f0803c", "#a3195b"]
SIZE = (320, 180)


def waves(count=2, *, side=64):
    """Smooth planes, each its own."""
    place = np.linspace(0, 2 * np.pi, side)
    x, y = np.meshgrid(place, place)
    planes = [0.5 + 0.4 * np.sin(x * (1 + k) + k) * np.cos(y * (2 - k / 2)) for k in range(count)]
    return np.stack(planes).astype(np.float32)


def flat(index, shade, *, side=64):
    return np.stack([np.full((side, side), index), np.full((side, side), shade)]).astype(np.float32)


def painted(fields, *, size=SIZE, paint=None, **controls):
    look = {"palette": PALETTE, "paint": paint or {}}
    return Painter(look, size=size).paint(fields, Controls(**controls))


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (256, 256), (321, 181), (1, 1), (2, 7), (640, 16)])
@pytest.mark.parametrize("planes", [2, 3])
def test_frames_have_the_size_that_was_asked_for(size, planes):
    frame = painted(waves(planes), size=size, zoom=1.2, drift=(0.99999, -3.2))
    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize("shape", [(2, 256, 256), (2, 17, 90), (2, 2, 2), (3, 128, 64), (2, 600, 600)])
def test_fields_of_any_size_are_taken(shape):
    assert painted(np.random.default_rng(0).random(shape, np.float32)).shape == (180, 320, 3)


@pytest.mark.parametrize("shape", [(1, 64, 64), (4, 64, 64), (64, 64), (2, 1, 64)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="fields have shape"):
        painted(np.zeros(shape, np.float32))


def test_the_same_look_paints_the_same_at_any_call():
    look, fields = {"palette": PALETTE, "paint": {}}, waves()
    painter = Painter(look, size=SIZE)
    first = painter.paint(fields, Controls())
    kept = first.copy()
    other = painter.paint(waves() ** 2, Controls(hue=0.5, flash=1))
    assert not np.array_equal(first, other)
    assert np.array_equal(first, kept), "a frame is painted over by the next one"
    assert np.array_equal(painter.paint(fields, Controls()), kept)
    assert np.array_equal(Painter(look, size=SIZE).paint(fields, Controls()), kept)


def test_fields_stay_as_they_are_wherever_they_lie():
    fields = np.repeat(waves(), 2, axis=2)[:, :, ::2]
    before = fields.copy()
    assert np.array_equal(painted(fields), painted(before.copy()))
    assert np.array_equal(fields, before)


def test_what_a_generator_overshoots_is_cut_not_wrapped():
    assert np.array_equal(painted(flat(0.0, -0.5)), painted(flat(0.0, 0.0)))
    assert np.array_equal(painted(flat(0.5, 1.7)), painted(flat(0.5, 1.0)))


@pytest.mark.parametrize("amount", [0.5, 1.0, 1.5])
def test_a_steeper_edge_stays_between_its_extremes(amount):
    value = np.arange(65536).astype(np.uint16)
    low, high, out = (np.full_like(value, word) for word in (0, 65535, 0))
    loops.crisp(value, low, high, np.float32(amount), out)
    assert (np.diff(out.astype(np.int64)) >= -1).all()
    assert (out[0], out[-1]) == (0, 65535)
    assert np.abs(out[32768] - 32768.0) <= 1


def test_a_picture_of_its_own_colours_is_the_picture_enlarged():
    import cv2

    fields = waves(3)
    frame = painted(fields, paint=PLAIN)
    whole = cv2.resize(np.moveaxis(fields, 0, -1), (320, 320), interpolation=cv2.INTER_CUBIC)
    assert np.abs(frame - 255 * whole[70:250]).mean() < 1.5


def test_zoom_shows_the_middle_larger():
    import cv2

    fields = waves(3)
    near = painted(fields, paint=PLAIN, zoom=2.0)
    whole = painted(fields, paint=PLAIN)
    middle = cv2.resize(whole[45:135, 80:240], SIZE, interpolation=cv2.INTER_CUBIC)
    assert np.abs(near.astype(float) - middle).mean() < 2


@pytest.mark.parametrize("place", range(len(PALETTE)))
def test_a_field_of_one_index_has_the_colour_of_the_palette(place):
    frame = painted(flat(place / len(PALETTE), 0.5), paint=PLAIN)
    wanted = [int(PALETTE[place][i : i + 2], 16) for i in (1, 3, 5)]
    assert np.abs(frame.mean(axis=(0, 1)) - wanted).max() <= 12


def test_hue_turns_the_palette_and_whole_turns_change_nothing():
    turned = painted(flat(1 / 6, 0.5), paint=PLAIN, hue=2 / 6).mean(axis=(0, 1))
    assert np.abs(turned - painted(flat(0.5, 0.5), paint=PLAIN).mean(axis=(0, 1))).max() <= 2
    assert np.array_equal(painted(waves(), hue=0.25), painted(waves(), hue=-2.75))
    assert np.array_equal(painted(waves(3), hue=0.25), painted(waves(3), hue=3.25))


@pytest.mark.parametrize("planes", [2, 3])
def test_pulse_and_flash_make_the_picture_lighter(planes):
    calm = painted(waves(planes), size=(96, 54)).mean()
    assert painted(waves(planes), size=(96, 54), pulse=1.0).mean() > calm + 2
    assert painted(waves(planes), size=(96, 54), flash=1.0).mean() > calm + 2


def test_loud_music_has_more_contrast():
    quiet, loud = (painted(waves(), energy=energy).astype(float) for energy in (0.0, 1.0))
    assert loud.mean(axis=-1).std() > quiet.mean(axis=-1).std()


def test_the_canvas_flows_with_the_drift_and_comes_round():
    still, moved, around = (painted(waves(), drift=(drift, 0.0)).astype(int) for drift in (0, 0.002, 1.0))
    assert np.array_equal(still, around)
    assert 0 < np.abs(moved - still).mean() < 2


def test_no_edge_of_the_picture_is_mirrored_into_the_frame():
    # A ramp that ends at the border: its mirror image would turn the slope of the index round.
    ramp = np.broadcast_to(np.linspace(0, 1, 256, dtype=np.float32), (256, 256))
    frame = painted(np.stack([ramp] * 3), size=(480, 270), paint=PLAIN | {"warp": 1.0})
    rows = frame[..., 0].astype(int)
    assert (rows[:, :3].mean(axis=1) < rows[:, 20:23].mean(axis=1)).all()
    assert (rows[:, -23:-20].mean(axis=1) < rows[:, -3:].mean(axis=1)).all()


@pytest.mark.parametrize(
    ("paint", "message"),
    [
        ({"warmth": 1}, "paint.warmth: .*not permitted"),
        ({"relief": 2}, "paint.relief: .*less than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_named(paint, message):
    with pytest.raises(ConfigError, match=message):
        painted(waves(), paint=paint)


def test_a_slow_zoom_has_no_jump():
    painter = Painter({"palette": PALETTE, "paint": {"strata": 0, "detail": 0}}, size=SIZE)
    frames = [painter.paint(waves(side=128), Controls(zoom=1.02**step)).astype(int) for step in range(90)]
    changes = np.array([np.abs(now - before).mean() for before, now in pairwise(frames)])
    # Where the fields are doubled once more, the picture changes no more than before and after.
    assert (changes[1:-1] < 1.6 * (changes[:-2] + changes[2:]) / 2 + 0.1).all()


@pytest.mark.parametrize("width", [320, 321, 322])
def test_every_pixel_is_a_colour_of_the_table(width):
    # Rows of whole words are written by words, others by bytes.
    painter = Painter({"palette": PALETTE, "paint": {}}, size=(width, 90))
    frame = painter.paint(waves(), Controls()).astype(np.int32)
    colours = frame[..., 0] | frame[..., 1] << 8 | frame[..., 2] << 16
    assert np.isin(colours, painter._table).all()
    narrow = Painter({"palette": PALETTE, "paint": PLAIN}, size=(width, 90)).paint(waves(), Controls())
    wide = Painter({"palette": PALETTE, "paint": PLAIN}, size=(324, 90)).paint(waves(), Controls())
    assert np.abs(narrow[:, 100:200].astype(int).mean() - wide[:, 100:200].mean()) < 4
