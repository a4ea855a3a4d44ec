"""The parts of the renderer: generator, planes, encoders, lists, lengths."""

from pathlib import Path

import numpy as np
import pytest
from making_films import cppn

from ripieno.contracts import MissingError
from ripieno_film.cppn import SEED, draw_weights, network
from ripieno_film.encoding import check_encoders, segment_command, ticks_of
from ripieno_film.generator import Generator
from ripieno_film.muxing import padded
from ripieno_film.reel import exact_rate, frame_count, pictures_between_fields
from ripieno_film.yuv import new_planes, to_planes


@pytest.fixture(scope="module")
def generator():
    return Generator(cppn().plugin.path)


def test_the_shipped_generator_is_what_its_script_draws():
    import onnx
    from onnx import numpy_helper

    shipped = onnx.load(cppn().plugin.path)
    drawn = network(draw_weights(np.random.default_rng(SEED)))
    assert [node.op_type for node in shipped.graph.node] == [node.op_type for node in drawn.graph.node]
    for ours, theirs in zip(shipped.graph.initializer, drawn.graph.initializer, strict=True):
        assert np.array_equal(numpy_helper.to_array(ours), numpy_helper.to_array(theirs))


def test_the_bank_is_large_and_its_pictures_differ(generator):
    codes = generator.card.anchors.reshape(-1, *generator.card.latent_shape)
    assert len(codes) >= 64
    pictures = np.stack([generator.draw(code) for code in codes[:24]])
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert np.median(pictures[:, 0].std(axis=(1, 2))) > 0.15
    flat = pictures[:, 0, ::8, ::8].reshape(24, -1)
    alike = np.corrcoef(flat) - np.eye(24)
    assert np.abs(alike).max() < 0.98


def test_a_picture_does_not_depend_on_those_drawn_before(generator):
    first, second = generator.card.anchors[:2].reshape(2, *generator.card.latent_shape)
    alone = generator.draw(first)
    generator.draw(second)
    assert np.array_equal(generator.draw(first), alone)


def test_planes_are_those_of_bt_709():
    frame = np.random.default_rng(0).integers(0, 256, (2, 8, 3), np.uint8)
    frame = np.repeat(np.repeat(frame, 2, axis=0), 2, axis=1)
    planes = new_planes((16, 4))
    to_planes(frame, planes)
    red, green, blue = np.moveaxis(frame / 255, -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    expected = 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748
    y, u, v = planes[:64].reshape(4, 16), planes[64:80].reshape(2, 8), planes[80:].reshape(2, 8)
    assert np.abs(y - expected[0]).max() <= 0.51
    assert np.abs(u - expected[1][::2, ::2]).max() <= 0.51
    assert np.abs(v - expected[2][::2, ::2]).max() <= 0.51


def test_an_encoder_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(MissingError, match=r"no encoder libnone. Take another codec, or .*imageio-ffmpeg"):
        check_encoders("libx264", "libnone")


def test_threads_of_encoders_are_pinned():
    for codec in ("x264", "vp9", "av1"):
        command = segment_command(Path("a.mp4"), codec=codec, crf=30, threads=3, size=(64, 64), rate=(30, 1))
        assert command[command.index("-threads") + 1] == "3"


@pytest.mark.parametrize(
    ("fps", "rate"), [(30.0, (30, 1)), (29.97, (2997, 100)), (30000 / 1001, (30000, 1001)), (24, (24, 1))]
)
def test_frame_rates_are_fractions(fps, rate):
    assert exact_rate(fps) == rate
    second, frame = ticks_of(rate)
    assert second * rate[1] == frame * rate[0]
    assert second >= 90_000


def test_frames_cover_the_sound():
    assert frame_count(48000, 48000, rate=(30, 1)) == 30
    assert frame_count(48001, 48000, rate=(30, 1)) == 31
    assert frame_count(0, 48000, rate=(30, 1)) == 1
    assert frame_count(2 * 3600 * 48000, 48000, rate=(30000, 1001)) == 215785


def test_fields_are_drawn_as_often_as_asked():
    assert [pictures_between_fields(fps=fps, fields_fps=15) for fps in (24, 30, 59.94, 60, 120)] == [
        1,
        2,
        3,
        4,
        8,
    ]


def test_sound_is_cut_or_drawn_out_to_a_length():
    blocks = [np.ones((2, 5), np.float32)] * 3
    for frames in (0, 4, 5, 14, 15, 70_000):
        made = np.concatenate([np.zeros((2, 0)), *padded(blocks, channels=2, frames=frames)], axis=1)
        assert made.shape == (2, frames)
        assert made.sum() == 2 * min(frames, 15)
