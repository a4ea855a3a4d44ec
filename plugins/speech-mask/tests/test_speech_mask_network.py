"""Networks of the contract: their masks in order, and files that are none."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings, strategies as st
from tiny_network import constant_network, random_network, write_network

from ripieno.contracts import Audio, InputError, MissingError, Model
from ripieno.toolkit.spectra import Analysis, matched_tapers
from ripieno_speech_mask.features import BINS, FEATURES, SpeechFeatures
from ripieno_speech_mask.network import MaskNetwork, MaskStream
from ripieno_speech_mask.separation import SpeechMask
from ripieno_speech_mask.stream import hop_of, mask_of_bins, power_of


@pytest.fixture(scope="session", params=[0, 1, 2, 31])
def network(request, tmp_path_factory) -> MaskNetwork:
    path = tmp_path_factory.mktemp("network") / "random.onnx"
    return MaskNetwork(random_network(path, look_ahead_frames=request.param))


@settings(max_examples=20)
@given(st.lists(st.integers(0, 30), max_size=6))
def test_masks_are_those_of_all_frames_at_once_less_the_look_ahead(network, counts):
    power = np.random.default_rng(0).uniform(0, 10, (sum(counts), BINS)).astype(np.float32)
    silence = np.zeros((network.look_ahead_frames, BINS), np.float32)
    features = SpeechFeatures().frames(np.concatenate([power, silence]))
    expected = np.zeros((0, BINS))
    if len(power):
        expected, _ = network.masks(features, network.first_states())
    stream = MaskStream(network)
    parts = np.split(power, np.cumsum(counts)[:-1]) if counts else []
    masks = np.concatenate([*map(stream.push, parts), stream.flush()])
    np.testing.assert_allclose(masks, expected[network.look_ahead_frames :], atol=1e-5)


def test_a_flush_makes_it_as_new(network):
    power = np.random.default_rng(0).uniform(0, 10, (50, BINS)).astype(np.float32)
    stream = MaskStream(network)
    first, second = (np.concatenate([stream.push(power), stream.flush()]) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 192000])
def test_a_tone_has_the_same_power_at_any_rate_and_number_of_channels(rate_hz):
    hop = hop_of(rate_hz)
    # A tone on bin 64 of the transform, 1 kHz but for the rounding of the frame.
    tone = 0.5 * np.sin(2 * np.pi * 64 * np.arange(20 * hop) / (4 * hop))
    taper, _ = matched_tapers(4 * hop, hop)
    spectra = Analysis(taper, hop=hop, channels=3).push(np.stack([tone] * 3))[4:]
    power = power_of(spectra, hop=hop)
    # Half the amplitude times the sum of the taper, which at 16 kHz is a half sine of 1024 samples.
    expected = (0.25 * np.sin(np.pi * np.arange(1024) / 1024).sum()) ** 2
    assert power.shape[1] == BINS
    np.testing.assert_allclose(power[:, 64], expected, rtol=1e-3)
    assert (np.argmax(power, axis=1) == 64).all()


def test_masks_of_few_bins_are_cut_and_of_many_go_on():
    masks = np.random.default_rng(0).uniform(0, 1, (3, BINS)).astype(np.float32)
    np.testing.assert_array_equal(mask_of_bins(masks, 257), masks[:, :257])
    many = mask_of_bins(masks, 1537)
    np.testing.assert_array_equal(many[:, :BINS], masks)
    np.testing.assert_allclose(many[:, BINS:], np.repeat(masks[:, 256:].mean(1)[:, None], 1024, 1), rtol=1e-6)


def test_a_network_that_is_not_there_is_missed_in_one_line(tmp_path):
    with pytest.raises(MissingError, match="gone.onnx: no network there") as caught:
        SpeechMask().separate(Audio(np.zeros(10), 16000), model=Model(tmp_path / "gone.onnx"))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("not a network", encoding="utf-8")
    with pytest.raises(InputError, match="not a network that onnxruntime can load"):
        MaskNetwork(path)


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ({"contract": "another"}, "its metadata does not name it"),
        ({"look_ahead_frames": "-1"}, "look_ahead_frames is no count"),
        ({"look_ahead_frames": ""}, "look_ahead_frames is no count"),
    ],
)
def test_a_network_of_another_contract_is_refused(tmp_path, metadata, fault):
    path = constant_network(tmp_path / "other.onnx", 1.0, look_ahead_frames=0)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"contract": "speech-mask-1", "look_ahead_frames": "0", **metadata})
    onnx.save(model, path)
    with pytest.raises(InputError, match=f"other.onnx: not a network of speech-mask-1: {fault}"):
        MaskNetwork(path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("features", "sound", "inputs are sound, conv_state.*, features are not there"),
        ("mask", "gain", "outputs are gain"),
        ("next_conv_state", "n", "outputs"),
    ],
)
def test_a_network_of_other_ports_is_refused(tmp_path, old, new, fault):
    path = random_network(tmp_path / "other.onnx", look_ahead_frames=0)
    model = onnx.load(path)
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    for port in (*model.graph.input, *model.graph.output):
        port.name = new if port.name == old else port.name
    onnx.save(model, path)
    with pytest.raises(InputError, match=fault):
        MaskNetwork(path)


def test_a_state_of_any_length_is_refused(tmp_path):
    path = random_network(tmp_path / "other.onnx", look_ahead_frames=0)
    model = onnx.load(path)
    state = next(port for port in model.graph.input if port.name == "conv_state")
    state.type.tensor_type.shape.dim[1].dim_param = "any"
    onnx.save(model, path)
    with pytest.raises(InputError, match="conv_state has no fixed shape"):
        MaskNetwork(path)


def network_of_any_shape(path: Path) -> Path:
    """A network of which only its data say what shape it gives: that of silence it cannot give."""
    make_node = onnx.helper.make_node
    nodes = [
        make_node("Cast", ["features"], ["whole"], to=onnx.TensorProto.INT64),
        make_node("Reshape", ["whole", "flat"], ["row"]),
        make_node("Slice", ["row", "start", "end"], ["shape"]),
        make_node("Reshape", ["features", "shape"], ["mask"]),
    ]
    places = {name: np.array([place], np.int64) for name, place in (("flat", -1), ("start", 0), ("end", 3))}
    return write_network(path, nodes, places, {}, look_ahead_frames="0")


@pytest.mark.parametrize(
    ("port", "axis", "size", "fault"),
    [
        ("features", 1, 4, "features has 4 frames and no other number. Export it with frames left open"),
        ("mask", 1, 1, "mask has 1 frames and no other number"),
        ("features", 0, 2, r"features is \[2, 'frames', 128\], not \[1, frames, 128\]"),
        ("features", 2, 80, r"features is \[1, 'frames', 80\], not \[1, frames, 128\]"),
        ("mask", 2, 257, r"mask is \[1, 'frames', 257\], not \[1, frames, 513\]"),
    ],
)
def test_ports_of_other_sizes_are_refused(tmp_path, port, axis, size, fault):
    path = network_of_any_shape(tmp_path / "other.onnx")
    model = onnx.load(path)
    value = next(one for one in (*model.graph.input, *model.graph.output) if one.name == port)
    value.type.tensor_type.shape.dim[axis].dim_value = size
    onnx.save(model, path)
    with pytest.raises(InputError, match=f"other.onnx: not a network of speech-mask-1: {fault}") as caught:
        MaskNetwork(path)
    assert "\n" not in str(caught.value)


def test_a_network_of_another_precision_is_refused(tmp_path):
    path = constant_network(tmp_path / "double.onnx", 1.0, look_ahead_frames=0)
    model = onnx.load(path)
    model.graph.ClearField("node")
    model.graph.node.append(onnx.helper.make_node("Cast", ["features"], ["mask"], to=onnx.TensorProto.DOUBLE))
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "bins"
    onnx.save(model, path)
    with pytest.raises(InputError, match=r"double.onnx: .*mask is tensor\(double\), not float32"):
        MaskNetwork(path)


def test_a_network_that_fails_says_on_what_in_one_line(tmp_path, capfd):
    path = network_of_any_shape(tmp_path / "fails.onnx")
    with pytest.raises(InputError, match=r"fails.onnx: fails on features \(1, 1, 128\): ") as caught:
        SpeechMask().separate(Audio(np.zeros(16000), 16000), model=Model(path))
    assert "\n" not in str(caught.value)
    assert "onnxruntime" not in capfd.readouterr().err


def test_a_network_that_gives_too_many_masks_is_refused(tmp_path):
    nodes = [
        onnx.helper.make_node("MatMul", ["features", "weights"], ["once"]),
        onnx.helper.make_node("Concat", ["once", "once"], ["mask"], axis=1),
    ]
    weights = {"weights": np.zeros((FEATURES, BINS), np.float32)}
    path = write_network(tmp_path / "twice.onnx", nodes, weights, {}, look_ahead_frames="0")
    with pytest.raises(InputError, match=r"it gives masks \(1, 2, 513\), not \(1, 1, 513\)"):
        SpeechMask().separate(Audio(np.zeros(16000), 16000), model=Model(path))


def test_a_network_that_gives_no_numbers_is_named(tmp_path):
    path = constant_network(tmp_path / "nan.onnx", np.nan, look_ahead_frames=0)
    with pytest.raises(InputError, match="nan.onnx: .*it gives NaN or infinity"):
        SpeechMask().separate(Audio(np.zeros(16000), 16000), model=Model(path))
