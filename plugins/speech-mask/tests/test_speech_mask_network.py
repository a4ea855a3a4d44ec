"""Networks of the contract: their masks in order, and files that are none."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings, strategies as st
from tiny_network import constant_network, random_network

from ripieno.contracts import Audio, InputError, MissingError, Model
from ripieno.toolkit.spectra import Analysis, matched_tapers
from ripieno_speech_mask.features import BINS, SpeechFeatures
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
        ("features", "sound", r"features are \[\]"),
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
