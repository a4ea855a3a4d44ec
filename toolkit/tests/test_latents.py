"""A generator's card comes back from its file, and blends of codes are as loud as codes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from ripieno.contracts import InputError
from ripieno.toolkit.latents import (
    KEY,
    GeneratorCard,
    anchors_of,
    blend,
    columns,
    expand,
    mask,
    principal_axes,
    spread_projection,
)

SHAPE = (3, 4, 5)
CODES = np.random.default_rng(1).standard_normal((12, 60)).astype(np.float32)
ARRAYS = ("anchors", "axes", "projection")


def card(**changes):
    axes, projection = principal_axes(CODES, 2), spread_projection(CODES, 3)
    parts = {"latent_shape": SHAPE, "output": "fields", "size": (8, 4), "anchors": CODES, "axes": axes}
    return GeneratorCard(**{**parts, "projection": projection, "features": ("rms", "a", "b"), **changes})


def mixtures(count=4, frames=st.integers(1, 5)):
    """Weights that sum to 1."""
    shape = frames.map(lambda n: (n, count))
    weights = hnp.arrays(np.float32, shape, elements=st.floats(0.0009765625, 1, width=32))
    return weights.map(lambda given: given / given.sum(axis=1, keepdims=True))


def test_a_card_comes_back_from_its_metadata():
    metadata = card().to_metadata()
    again = GeneratorCard.from_metadata(metadata)
    assert (again.latent_shape, again.output, again.size) == (SHAPE, "fields", (8, 4))
    assert again.features == ("rms", "a", "b")
    for name in ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(card(), name))
    assert again.to_metadata() == metadata


def test_a_card_holds_what_float16_holds():
    assert np.array_equal(card().anchors, CODES.astype(np.float16))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent_shape": (3, 4)}, r"latent is \(3, 4\), expected 3 whole numbers above 0"),
        ({"size": (8, 0)}, r"size is \(8, 0\), expected 2 whole numbers"),
        ({"output": "cmyk"}, "output is 'cmyk', expected fields or rgb"),
        ({"latent_shape": (3, 4, 4)}, r"anchors has shape \[12, 60\], expected \[12, 48\]"),
        ({"axes": np.zeros((2, 7))}, r"axes has shape \[2, 7\], expected \[2, 60\]"),
        ({"projection": np.zeros((12, 2))}, r"projection has shape \[12, 2\], expected \[12, 3\]"),
        ({"anchors": CODES * np.nan}, "anchors holds NaN"),
        ({"anchors": CODES * 1e6}, "anchors holds NaN or what float16 cannot hold"),
        ({"anchors": CODES[:0]}, "anchors are none"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        card(**changes)


def changed(**changes):
    return {KEY: json.dumps({**json.loads(card().to_metadata()[KEY]), **changes})}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "x.onnx: no ripieno_generator in its metadata"),
        ({KEY: "{"}, "x.onnx: ripieno_generator cannot be read"),
        ({KEY: "[]"}, "x.onnx: ripieno_generator is no JSON object"),
        ({KEY: "{}"}, "x.onnx: ripieno_generator has version None, this program reads 1"),
        ({KEY: '{"version": 1}'}, "x.onnx: ripieno_generator lacks 'anchors'|lacks 'latent'"),
        (changed(latent=[3, 4, "5"]), r"x.onnx: latent is \[3, 4, '5'\]"),
        (changed(size=7), "x.onnx: size is 7"),
        (changed(features=3), "x.onnx: ripieno_generator cannot be read"),
        (changed(axes={"shape": [2, 60], "float16": "?"}), "x.onnx: ripieno_generator: axes cannot be read"),
        (changed(axes={"shape": [2, 61], "float16": ""}), "x.onnx: ripieno_generator: axes cannot be read"),
        (changed(axes=[1]), "x.onnx: ripieno_generator: axes cannot be read"),
        (changed(latent=[3, 4, 4]), "x.onnx: anchors has shape"),
    ],
)
def test_metadata_that_is_no_card_is_refused_by_the_name_of_its_file(metadata, message):
    with pytest.raises(InputError, match=message) as refused:
        GeneratorCard.from_metadata(metadata, source="x.onnx")
    assert len(str(refused.value).splitlines()) == 1


def varint(number):
    low = number & 127
    return bytes([low | 128]) + varint(number >> 7) if number > 127 else bytes([low])


def field(number, value):
    """A field of a protocol buffer: a number, or text, or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    body = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(body)) + body


def network(metadata, *, first="n", size=2, output="fields"):
    """An ONNX model whose output [n, 2, 1, 1] is the negative of its input."""

    def value(name):
        sizes = b"".join(field(1, field(1 if isinstance(d, int) else 2, d)) for d in (first, size, 1, 1))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    node = field(1, "latent") + field(2, output) + field(4, "Neg")
    graph = field(1, node) + field(2, "g") + field(11, value("latent")) + field(12, value(output))
    pairs = b"".join(field(14, field(1, key) + field(2, text)) for key, text in metadata.items())
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17)) + pairs


SMALL = GeneratorCard((2, 1, 1), "fields", (1, 1), CODES[:3, :2], CODES[:1, :2], CODES[:3, :1], ("rms",))


def loaded(path, content):
    onnxruntime = pytest.importorskip("onnxruntime")
    path.write_bytes(content)
    return onnxruntime.InferenceSession(path)


def test_the_card_of_a_loaded_generator_is_read(tmp_path):
    path = tmp_path / "g.onnx"
    found = GeneratorCard.of_session(loaded(path, network(SMALL.to_metadata())), path)
    assert np.array_equal(found.anchors, SMALL.anchors)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first": 1}, r"g\.onnx: its input is latent \[1, 2, 1, 1\], its card says latent \['n', 2, 1, 1\]"),
        ({"size": 3}, r"g\.onnx: its input is latent \['n', 3, 1, 1\], its card says .*: export it again"),
        ({"output": "rgb"}, r"g\.onnx: its output is rgb .* its card says fields"),
    ],
)
def test_a_network_that_is_not_as_its_card_says_is_refused_by_name(changes, message, tmp_path):
    path = tmp_path / "g.onnx"
    session = loaded(path, network(SMALL.to_metadata(), **changes))
    with pytest.raises(InputError, match=message):
        GeneratorCard.of_session(session, path)


@pytest.mark.parametrize("tilt", [0.0, 3.0])
def test_one_anchor_alone_is_its_code(tilt):
    alone = blend(np.eye(12, dtype=np.float32), CODES, shape=SHAPE, drift=np.zeros((12, 2)), tilt=tilt)
    np.testing.assert_allclose(alone.reshape(12, 60), CODES, atol=1e-5)


@given(mixtures())
def test_a_blend_has_the_mean_norm_of_what_is_mixed(weights):
    codes = CODES[:4]
    norms = np.linalg.norm(blend(weights, codes, shape=SHAPE).reshape(len(weights), -1), axis=1)
    np.testing.assert_allclose(norms, weights @ np.linalg.norm(codes, axis=1), rtol=1e-4)


def test_halfway_between_two_codes_of_a_sphere_is_on_their_great_circle():
    codes = np.array([[1, 0], [0, 1]], np.float32)
    half = blend(np.array([[0.5, 0.5]], np.float32), codes, shape=(2, 1, 1))
    np.testing.assert_allclose(half.ravel(), np.sqrt([0.5, 0.5]), rtol=1e-6)


def test_codes_that_cancel_are_not_made_loud():
    codes = np.array([[1, 0], [-1, 1e-4]], np.float32)
    assert np.abs(blend(np.array([[0.5, 0.5]], np.float32), codes, shape=(2, 1, 1))).max() < 1e-3


def test_a_tilt_lets_an_anchor_lead_where_its_mask_is_high():
    weights, drift = np.full((1, 2), 0.5, np.float32), np.array([[0.3, 0.1]], np.float32)
    codes = np.stack([np.full(64, 1.0), np.full(64, 2.0)]).astype(np.float32)
    mixed = blend(weights, codes, shape=(1, 8, 8), drift=drift, tilt=4).ravel()
    lead = np.subtract(*mask(drift, 2, height=8, width=8)[0])
    assert mixed[lead.argmin()] > 1.9
    assert mixed[lead.argmax()] < 1.1
    assert np.all(np.diff(mixed[np.argsort(lead)]) <= 1e-6)


@given(st.integers(1, 20), hnp.arrays(np.float64, (1, 2), elements=st.floats(-9, 9)))
def test_masks_are_even_over_a_period_and_come_again_after_it(count, drift):
    waves = mask(drift, count, height=6, width=8)
    assert waves.shape == (1, count, 48)
    assert np.abs(waves).max() <= 1
    np.testing.assert_allclose(waves.mean(axis=2), 0, atol=1e-6)
    np.testing.assert_allclose(mask(drift + np.array([1, -2]), count, height=6, width=8), waves, atol=1e-5)


def rows_of(weights, wander):
    names = columns(anchors=weights.shape[1], axes=wander.shape[1])
    rows = np.zeros((len(weights), len(names)), np.float32)
    rows[:, : weights.shape[1]] = weights
    rows[:, weights.shape[1] : -7] = wander
    rows[:, names.index("drift_x")] = np.linspace(0, 1, len(rows))
    return names, rows


@settings(max_examples=30)
@given(mixtures(3, st.integers(2, 9)), st.integers(1, 8))
def test_a_frame_has_the_same_code_in_any_chunk(weights, size):
    names, rows = rows_of(weights, np.linspace(-1, 1, 2 * len(weights)).reshape(-1, 2))
    look = {"anchors": (7, 0, 11)}
    whole = expand(card(), rows, names=names, look=look)
    pieces = [
        expand(card(), rows[at : at + size], names=names, look=look) for at in range(0, len(rows), size)
    ]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_wander_goes_along_the_axes_by_standard_deviations():
    names, rows = rows_of(np.ones((3, 1), np.float32), np.array([[0, 0], [1, 0], [0, -1]]))
    codes = expand(card(), rows, names=names, look={"anchors": [4], "latent": {"wander": 2, "tilt": 0}})
    moved = codes.reshape(3, -1) - card().anchors[4]
    np.testing.assert_allclose(
        moved, [0 * card().axes[0], 2 * card().axes[0], -2 * card().axes[1]], atol=1e-5
    )


def test_anchors_and_axes_that_a_generator_has_not_are_named():
    names, rows = rows_of(np.ones((1, 1), np.float32), np.zeros((1, 3)))
    with pytest.raises(InputError, match="wanders along 3 axes, its generator has 2"):
        expand(card(), rows, names=names, look={"anchors": [0]})
    with pytest.raises(InputError, match="the trajectory lacks anchor_1"):
        expand(card(), rows, names=names, look={"anchors": [0, 1]})
    with pytest.raises(InputError, match="no anchor 12, -1 in the generator: its bank has 0 to 11"):
        anchors_of(card(), {"anchors": [3, 12, -1]})
    with pytest.raises(InputError, match="look names no anchors"):
        anchors_of(card(), {})


def test_a_film_that_is_steered_for_another_bank_is_refused():
    assert anchors_of(card(), {"anchors": [3], "bank": card().bank}) == (3,)
    other = card(anchors=CODES[::-1])
    assert other.bank != card().bank
    with pytest.raises(InputError, match="give controller and renderer the same weights"):
        anchors_of(other, {"anchors": [3], "bank": card().bank})


def test_axes_are_the_deviations_of_the_bank():
    line = np.outer([-2.0, 0.0, 2.0], [3.0, -4.0]).astype(np.float32) + 7
    axes = principal_axes(line, 2)
    deviation = 10 * np.sqrt(2 / 3)
    np.testing.assert_allclose(axes, [[-0.6 * deviation, 0.8 * deviation], [0, 0]], atol=1e-4)


def test_a_projection_has_a_direction_for_each_code_and_favours_none():
    projection = spread_projection(CODES, 3)
    np.testing.assert_allclose(np.linalg.norm(projection, axis=1), 1, rtol=1e-5)
    assert np.abs(projection.mean(axis=0)).max() < 0.35
