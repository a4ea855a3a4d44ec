"""Vocals and instruments: known truths of simple networks, the conventions of the field, files that are wrong."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from onnx import helper
from tiny_mdx import BINS, FRAMES, HOP, N_FFT, SIZES, gain_network, network, random_network

from ripieno.contracts import Audio, InputError, MissingError, PluginRef
from ripieno.contracts.describe import configure
from ripieno.contracts.testing import SeparatorSuite
from ripieno_mdx_net import catalogue
from ripieno_mdx_net.network import Geometry, from_planes, load_network, samples_of, spectra_of, to_planes
from ripieno_mdx_net.separator import MdxNetConfig, MdxNetSeparator, soft_mask

RATE_HZ = 44100
GEOMETRY = Geometry(N_FFT, HOP, BINS, FRAMES)


class TestConformance(SeparatorSuite):
    plugin = MdxNetSeparator
    config = MdxNetConfig(weights=random_network(), **SIZES)


class TestConformanceWithSoftMasks(SeparatorSuite):
    plugin = MdxNetSeparator
    config = MdxNetConfig(weights=random_network(), mode="soft_mask", target="vocals", overlap=0.6, **SIZES)


def noise(channels: int, frames: int, *, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def tones(channels: int, frames: int, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Sound in the band that the networks hear, which begins softly: what begins at once has all frequencies."""
    time_s = np.arange(frames) / rate_hz
    envelope = np.sin(np.pi * np.arange(frames) / frames) ** 4
    pitches_hz = 500 * (1 + np.arange(channels))
    return (0.2 * envelope * np.sin(2 * np.pi * np.outer(pitches_hz, time_s))).astype(np.float32)


def separated(samples: np.ndarray, path=None, *, rate_hz: int = RATE_HZ, **changed) -> dict[str, np.ndarray]:
    config = MdxNetConfig(**{"weights": path or random_network(), **SIZES, **changed})
    stems = MdxNetSeparator(config).separate(Audio(samples, rate_hz))
    return {name: audio.samples for name, audio in stems.items.items()}


@pytest.mark.parametrize("mode", ["direct", "soft_mask"])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.8])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_a_network_that_gives_back_its_input_gives_the_mix(mode, overlap, channels):
    mix = tones(channels, 3 * GEOMETRY.kept + 77)
    stems = separated(mix, gain_network(), mode=mode, overlap=overlap, compensate=1)
    np.testing.assert_allclose(stems["instrumental"], mix, atol=1e-4)
    np.testing.assert_allclose(stems["vocals"], 0, atol=1e-4)


@pytest.mark.parametrize("rate_hz", [16000, 48000, 96000])
def test_it_gives_the_mix_at_other_rates_too(rate_hz):
    mix = tones(2, rate_hz // 2, rate_hz)
    stems = separated(mix, gain_network(), rate_hz=rate_hz, compensate=1)
    np.testing.assert_allclose(stems["instrumental"], mix, atol=1e-4)


@pytest.mark.parametrize("target", ["vocals", "instrumental"])
@pytest.mark.parametrize("mode", ["direct", "soft_mask"])
@pytest.mark.parametrize("gain", [0.25, 0.5])
def test_a_network_that_gives_a_share_of_its_input_gives_that_share(target, mode, gain):
    mix = tones(2, 20_000)
    stems = separated(mix, gain_network(gain), mode=mode, target=target, compensate=1)
    np.testing.assert_allclose(stems[target], gain * mix, atol=1e-4)


def test_compensation_is_a_gain_of_what_the_network_gives():
    mix = noise(2, 30_000)
    plain, raised = separated(mix, compensate=1), separated(mix, compensate=1.5)
    np.testing.assert_allclose(raised["instrumental"], 1.5 * plain["instrumental"], atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    frames=st.integers(0, 30_000),
    channels=st.integers(1, 6),
    rate_hz=st.sampled_from([8000, 44100, 48000, 192000]),
    mode=st.sampled_from(["direct", "soft_mask"]),
    target=st.sampled_from(["vocals", "instrumental"]),
    overlap=st.floats(0, 0.9),
)
def test_the_stems_sum_to_the_mix(frames, channels, rate_hz, mode, target, overlap):
    mix = noise(channels, frames)
    stems = separated(mix, rate_hz=rate_hz, mode=mode, target=target, overlap=overlap)
    np.testing.assert_allclose(stems["vocals"] + stems["instrumental"], mix, atol=1e-6)


def test_where_each_span_lies_does_not_show():
    """A network that hears no further than its frames gives the same wherever its spans begin and end."""
    mix = tones(2, 4 * GEOMETRY.kept) + noise(2, 4 * GEOMETRY.kept) / 100
    spans = [separated(mix, gain_network(0.5), overlap=overlap)["instrumental"] for overlap in (0, 0.3, 0.9)]
    np.testing.assert_allclose(spans[1], spans[0], atol=1e-5)
    np.testing.assert_allclose(spans[2], spans[0], atol=1e-5)


def test_it_separates_as_the_field_does_by_torch_and_a_loop_over_spans():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mix, run = (
        noise(2, 3 * GEOMETRY.kept - 100),
        load_network(random_network(), dim_f=1, dim_t=2, **SIZES).run,
    )
    kept, trim, window = GEOMETRY.kept, N_FFT // 2, torch.hann_window(N_FFT)
    padded = np.pad(mix, [(0, 0), (2 * trim, 100 + 2 * trim)])
    expected = []
    for start in range(0, mix.shape[1], kept):
        seen = torch.from_numpy(padded[:, start : start + N_FFT + HOP * (FRAMES - 1)].copy())
        spectrum = torch.stft(seen, N_FFT, HOP, window=window, center=False, return_complex=True)
        planes = (
            torch.view_as_real(spectrum).permute(0, 3, 1, 2).reshape(1, 4, -1, FRAMES)[:, :, :BINS].clone()
        )
        planes[:, :, :3] = 0
        given_back = torch.from_numpy(run(planes.contiguous().numpy()))
        full = torch.nn.functional.pad(given_back, (0, 0, 0, N_FFT // 2 + 1 - BINS))
        parts = full.reshape(2, 2, -1, FRAMES).permute(0, 2, 3, 1).contiguous()
        wave = torch.istft(torch.view_as_complex(parts), N_FFT, HOP, window=window, center=True)
        expected.append(wave[:, trim:-trim].numpy())
    whole = 1.022 * np.concatenate(expected, axis=1)[:, : mix.shape[1]]
    stems = separated(mix, overlap=0)
    np.testing.assert_allclose(stems["instrumental"], whole, atol=1e-5)
    np.testing.assert_allclose(stems["vocals"], mix - whole, atol=1e-5)


@given(seed=st.integers(0, 99))
@settings(max_examples=10)
def test_spectra_become_planes_and_samples_and_back(seed):
    samples = noise(2, GEOMETRY.length, seed=seed)
    spectra = spectra_of(samples, GEOMETRY)
    np.testing.assert_allclose(samples_of(spectra, GEOMETRY), samples[:, N_FFT:-N_FFT], atol=1e-6)
    again = from_planes(to_planes(spectra, bins=BINS), bins=N_FFT // 2 + 1)
    np.testing.assert_array_equal(again[..., 3:BINS], spectra[..., 3:BINS])
    assert not again[..., :3].any() and not again[..., BINS:].any()


def test_planes_are_left_real_left_imaginary_right_real_right_imaginary():
    spectra = np.array([1 + 2j, 3 + 4j], np.complex64)[:, None, None] * np.ones((2, 5, 8))
    planes = to_planes(spectra.astype(np.complex64), bins=8)
    assert planes.shape == (1, 4, 8, 5)
    assert planes[0, :, 4, 0].tolist() == [1, 2, 3, 4]


def test_a_soft_mask_is_a_share():
    part, rest = np.array([0, 0, 1, 3, 2], np.float32), np.array([0, 1, 0, 1, 2], np.float32)
    assert soft_mask(part, rest).tolist() == [0, 0, 1, 0.75, 0.5]


def test_sizes_that_the_file_leaves_open_come_from_the_settings():
    mix = noise(2, 20_000)
    stated = separated(mix, gain_network(0.5), dim_f=7, dim_t=9)
    left_open = separated(mix, gain_network(0.5, is_open=True), dim_f=BINS, dim_t=FRAMES)
    np.testing.assert_array_equal(left_open["vocals"], stated["vocals"])


def test_the_channels_of_surround_sound_that_are_no_pair_do_not_hear_each_other():
    mix = noise(6, 20_000)
    stems = separated(mix)["instrumental"]
    for pair in ([0, 1], [4, 5]):
        np.testing.assert_allclose(stems[pair], separated(mix[pair])["instrumental"], atol=1e-6)
    for channel in (2, 3):
        np.testing.assert_allclose(stems[[channel]], separated(mix[[channel]])["instrumental"], atol=1e-6)


def test_silence_and_a_dead_channel_stay_silent_in_a_network_without_leakage():
    mix = tones(2, 20_000)
    mix[1] = 0
    assert not separated(mix, gain_network(0.5))["instrumental"][1].any()
    assert not any(stem.any() for stem in separated(np.zeros((2, 20_000), np.float32)).values())


def test_an_offset_goes_with_the_other_stem():
    mix = tones(2, 20_000)
    level, shifted = separated(mix, gain_network()), separated(mix + np.float32(0.25), gain_network())
    np.testing.assert_allclose(
        shifted["instrumental"][:, N_FFT:-N_FFT], level["instrumental"][:, N_FFT:-N_FFT], atol=1e-4
    )


@pytest.mark.parametrize(
    "samples",
    [np.sign(noise(2, 20_000)), noise(2, 2205), noise(1, 1)],
    ids=["clipped", "0.05 s", "one sample"],
)
@pytest.mark.parametrize("mode", ["direct", "soft_mask"])
def test_sound_that_is_out_of_the_common_gives_finite_stems(samples, mode):
    stems = separated(samples, mode=mode)
    assert all(stem.shape == samples.shape and np.isfinite(stem).all() for stem in stems.values())


def test_memory_does_not_grow_with_length():
    def peak_bytes(seconds: int) -> int:
        audio = Audio(noise(1, seconds * 16000), 16000)
        config = MdxNetConfig(weights=gain_network(0.5), **SIZES)
        tracemalloc.start()
        MdxNetSeparator(config).separate(audio)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(1)
    assert peak_bytes(45) < 1.3 * peak_bytes(15)


def test_an_asset_that_was_looked_up_is_read():
    asset = catalogue.uvr_mdx_net_inst_hq_3.at(random_network())
    mix = noise(2, 5000)
    config = MdxNetConfig(weights=PluginRef.of(asset), **SIZES)
    made = MdxNetSeparator(config).separate(Audio(mix, RATE_HZ))
    np.testing.assert_array_equal(made["vocals"].samples, separated(mix)["vocals"])


def test_the_catalogue_says_where_the_network_is_and_on_which_terms():
    asset = catalogue.uvr_mdx_net_inst_hq_3
    assert asset.url.endswith("/UVR-MDX-NET-Inst_HQ_3.onnx") and asset.licence == "MIT" and asset.credit
    references = configure(MdxNetSeparator, {})["references"]
    assert references == {"weights": {"uses": "asset/uvr_mdx_net_inst_hq_3", "with": {}}}


@pytest.mark.parametrize(("place", "said"), [("folder", "is a folder"), ("nothing.onnx", "no such file")])
def test_a_place_without_weights_is_said_before_anything_runs(tmp_path, place, said):
    (tmp_path / "folder").mkdir()
    config = MdxNetConfig(weights=tmp_path / place)
    with pytest.raises(MissingError, match=f"{said}.*67 MB, MIT.*core models show") as refused:
        MdxNetSeparator.assets(config)
    assert "\n" not in str(refused.value)
    with pytest.raises(MissingError, match=said):
        MdxNetSeparator(config).separate(Audio(noise(2, 10), RATE_HZ))


def test_a_file_that_is_no_network_is_refused(tmp_path):
    for name, content in (
        ("empty.onnx", b""),
        ("text.onnx", b"weights"),
        ("cut.onnx", random_network().read_bytes()[:300]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: not a network that onnxruntime can load") as refused:
            separated(noise(2, 10), tmp_path / name)
        assert "\n" not in str(refused.value)


def odd_network(path, shape, *, rank=4):
    return network([helper.make_node("Identity", ["mix"], ["part"])], {}, shape, path, rank=rank)


@pytest.mark.parametrize(
    ("shape", "rank", "changed", "message"),
    [
        ([1, 2, BINS, FRAMES], 4, {}, "An MDX-Net takes one input"),
        ([1, 4, BINS], 3, {}, "An MDX-Net takes one input"),
        ([1, 4, BINS, FRAMES], 4, {"n_fft": 256, "hop": 64}, "hears 512 bins, but n_fft 256 has 129"),
        ([1, 4, BINS, 4], 4, {}, "no more than the margins of 1024"),
        ([1, 4, BINS, FRAMES], 4, {"hop": 600}, "hop at most its half"),
    ],
)
def test_a_network_of_another_shape_is_refused(tmp_path, shape, rank, changed, message):
    path = odd_network(tmp_path / "odd.onnx", shape, rank=rank)
    with pytest.raises(InputError, match=f"odd.onnx: .*{message}") as refused:
        separated(noise(2, 10), path, **changed)
    assert "\n" not in str(refused.value)


def test_a_network_that_gives_another_shape_is_refused(tmp_path):
    node = helper.make_node("Concat", ["mix", "mix"], ["part"], axis=1)
    path = network([node], {}, ["n", "c", "f", "t"], tmp_path / "wide.onnx")
    with pytest.raises(InputError, match=r"makes float32 \(1, 8, 512, 32\) of float32 \(1, 4, 512, 32\)"):
        separated(noise(2, 10), path, dim_f=BINS, dim_t=FRAMES)


@pytest.mark.parametrize("mode", ["direct", "soft_mask"])
def test_a_network_that_gives_no_numbers_is_named(mode):
    with pytest.raises(InputError, match="gainnanFalse.onnx: gives NaN or infinity"):
        separated(noise(2, 10), gain_network(float("nan")), mode=mode)


def test_a_network_that_fails_says_on_what(tmp_path):
    node = helper.make_node("Reshape", ["mix", "to"], ["part"])
    path = network([node], {"to": np.array([1, 4, 3, 3])}, ["n", "c", "f", "t"], tmp_path / "fails.onnx")
    with pytest.raises(InputError, match=r"fails.onnx: fails on mix \(1, 4, 512, 32\)"):
        separated(noise(2, 10), path, dim_f=BINS, dim_t=FRAMES)
