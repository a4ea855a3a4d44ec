"""Speech freed from noise: the same as the whole network at once, for any sound and any damaged file of weights."""

import hashlib
import importlib.util
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors.torch import save_file
from tiny_dns import random_weights, tiny_checkpoint, whole_file

from ripieno.contracts import Audio, ConfigError, InputError, MissingError, PluginRef, RipienoError
from ripieno.contracts.describe import configure, describe
from ripieno.contracts.testing import EffectSuite
from ripieno_dns import catalogue
from ripieno_dns.checkpoint import read_weights
from ripieno_dns.effect import BLOCK_FRAMES, Denoise, DenoiseConfig, channel_levels, denoised

RATE_HZ = 16000


class TestConformance(EffectSuite):
    plugin = Denoise
    config = DenoiseConfig(weights=tiny_checkpoint())


class TestConformanceWithSomeOfTheInput(EffectSuite):
    plugin = Denoise
    config = DenoiseConfig(weights=tiny_checkpoint(), dry=0.65)


def noise(channels: int, frames: int, *, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def tiny(**settings) -> Denoise:
    return Denoise(DenoiseConfig(weights=tiny_checkpoint(), **settings))


@settings(max_examples=15, deadline=None)
@given(
    frames=st.one_of(st.integers(2, 700), st.integers(2, 3 * BLOCK_FRAMES)),
    channels=st.integers(1, 3),
    depth=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 9),
)
def test_blocks_give_what_the_whole_file_gives(frames, channels, depth, seed):
    samples, weights = noise(channels, frames, seed=seed) + np.float32(0.05), random_weights(3, depth, seed)
    streamed = np.concatenate(list(denoised(Audio(samples, RATE_HZ), weights)), axis=1)
    expected = whole_file(samples, weights)
    np.testing.assert_allclose(streamed, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
def test_it_gives_what_the_package_denoiser_gives(tmp_path, monkeypatch):
    if importlib.util.find_spec("denoiser") is None:
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path)]
        pip = subprocess.run([*command, "denoiser==0.1.5"], capture_output=True, text=True)
        if pip.returncode:
            pytest.skip(f"denoiser 0.1.5 cannot be installed here: {pip.stderr.strip().splitlines()[-1]}")
        monkeypatch.syspath_prepend(tmp_path)
    demucs = importlib.import_module("denoiser.demucs").Demucs
    for hidden in (4, 6):
        theirs = demucs(hidden=hidden).eval()
        theirs.load_state_dict(random_weights(hidden))
        samples = noise(2, 50_001)
        with torch.no_grad():
            expected = theirs(torch.from_numpy(samples))[:, 0].numpy()
        ours = Denoise(DenoiseConfig(weights=tiny_checkpoint(hidden))).process(Audio(samples, RATE_HZ))
        np.testing.assert_allclose(ours.samples, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_rate_channels_and_length_stay(rate_hz, channels):
    audio = Audio(noise(channels, rate_hz // 4 + 1), rate_hz)
    made = tiny().process(audio)
    assert (made.format, made.frames) == (audio.format, audio.frames)


@given(dry=st.floats(0, 1))
@settings(max_examples=10, deadline=None)
def test_dry_mixes_the_input_back_in_its_place(dry):
    audio = Audio(noise(2, 30_000), 22050)
    wet, mixed = tiny().process(audio).samples, tiny(dry=dry).process(audio).samples
    np.testing.assert_allclose(mixed, dry * audio.samples + (1 - dry) * wet, atol=1e-6)


def test_what_is_wholly_dry_is_the_input():
    audio = Audio(noise(1, 44100), 44100)
    np.testing.assert_array_equal(tiny(dry=1.0).process(audio).samples, audio.samples)


def test_channels_do_not_hear_each_other():
    left, right = noise(1, 20_000), noise(1, 20_000, seed=1, level=0.4)
    both = tiny().process(Audio(np.concatenate([left, right]), RATE_HZ)).samples
    alone = [tiny().process(Audio(channel, RATE_HZ)).samples[0] for channel in (left, right)]
    np.testing.assert_allclose(both, alone, atol=1e-5 * np.abs(both).max())


def test_a_louder_recording_gives_the_same_but_louder():
    quiet = noise(1, 20_000, level=0.1)
    made = [tiny().process(Audio(gain * quiet, RATE_HZ)).samples for gain in (1, 4)]
    # Not exactly: the level has a floor of 0.001 beneath it.
    np.testing.assert_allclose(made[1] / 4, made[0], atol=0.02 * np.abs(made[0]).max())


def test_silence_and_a_dead_channel_stay_silent():
    samples = noise(2, 30_000)
    samples[1] = 0
    made = tiny().process(Audio(samples, 44100)).samples
    assert made[0].any() and not made[1].any()


def test_an_offset_alone_has_no_level_and_gives_silence():
    made = tiny().process(Audio(np.full((1, 20_000), 0.25, np.float32), RATE_HZ))
    np.testing.assert_allclose(made.samples, 0, atol=1e-6)


@pytest.mark.parametrize(
    "samples",
    [np.sign(noise(2, 20_000)), noise(2, 800), noise(1, 1), noise(1, 20_000) + np.float32(0.5)],
    ids=["clipped", "0.05 s", "one sample", "offset"],
)
def test_sound_that_is_out_of_the_common_gives_finite_sound(samples):
    made = tiny().process(Audio(samples, RATE_HZ))
    assert made.frames == samples.shape[1] and np.isfinite(made.samples).all()


@given(frames=st.integers(2, 40_000), offset=st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_the_level_is_the_standard_deviation_of_the_whole(frames, offset):
    samples = noise(2, frames) + np.float32(offset)
    expected = samples.astype(np.float64).std(axis=1, ddof=1)
    np.testing.assert_allclose(channel_levels(Audio(samples, RATE_HZ)), expected, rtol=1e-5)


def test_memory_does_not_grow_with_length():
    def peak_bytes(seconds: int) -> int:
        audio = Audio(noise(1, seconds * 8000), 8000)
        tracemalloc.start()
        tiny().process(audio)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(1)
    assert peak_bytes(60) < 1.3 * peak_bytes(20)


def test_the_threads_of_others_stay_as_they_were():
    before = torch.get_num_threads()
    tiny(threads=before + 1).process(Audio(noise(1, 1000), RATE_HZ))
    assert torch.get_num_threads() == before


def test_safetensors_and_torch_files_give_the_same(tmp_path):
    save_file(random_weights(), tmp_path / "tiny.safetensors")
    audio = Audio(noise(1, 5000), RATE_HZ)
    made = Denoise(DenoiseConfig(weights=tmp_path / "tiny.safetensors")).process(audio)
    np.testing.assert_array_equal(made.samples, tiny().process(audio).samples)


def test_an_asset_that_was_looked_up_is_read():
    asset = catalogue.denoiser_dns48.at(tiny_checkpoint())
    audio = Audio(noise(1, 5000), RATE_HZ)
    made = Denoise(DenoiseConfig(weights=PluginRef.of(asset))).process(audio)
    np.testing.assert_array_equal(made.samples, tiny().process(audio).samples)


def test_a_name_that_promises_a_digest_is_held_to_it(tmp_path):
    content = tiny_checkpoint().read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    right, wrong = tmp_path / f"dns48-{digest[:16]}.th", tmp_path / "dns64-a7761ff99a7d5bb6.th"
    for path in (right, wrong):
        path.write_bytes(content)
    assert read_weights(right).keys() == random_weights().keys()
    with pytest.raises(InputError, match=f"SHA-256 begins {digest[:16]}, its name says a7761ff99a7d5bb6"):
        read_weights(wrong)


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("name", ["bomb.th", "bomb.pt", "bomb.pkl", "bomb.safetensors"])
@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value, 2))])
def test_a_bomb_in_a_checkpoint_does_not_go_off(tmp_path, name, save):
    target = tmp_path / "went off"
    save({**random_weights(), "more": Bomb(target)}, tmp_path / name)
    with pytest.raises(InputError, match="not a checkpoint of tensors alone"):
        read_weights(tmp_path / name)
    assert not target.exists()


def faulty(fault: str) -> object:
    weights = random_weights()
    match fault:
        case "missing":
            del weights["decoder.3.2.bias"]
        case "foreign":
            weights["decoder.0.5.weight"] = torch.zeros(1)
        case "shape":
            weights["lstm.lstm.weight_hh_l1"] = torch.zeros(3, 3)
        case "flat":
            weights["encoder.0.0.weight"] = torch.tensor(1.0)
        case "list":
            return [torch.zeros(3)]
        case "names":
            return {"encoder": "weights"}
        case "none":
            return {}
        case "whole numbers":
            return {name: value.to(torch.int64) for name, value in weights.items()}
        case "sparse":
            return {name: value.to_sparse() for name, value in weights.items()}
        case "nowhere":
            return {name: value.to("meta") for name, value in weights.items()}
        case "nan":
            weights["encoder.0.0.bias"][1] = torch.nan
    return weights


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "decoder.3.2.bias is missing"),
        ("foreign", "decoder.0.5.weight does not belong to it"),
        ("shape", r"lstm.lstm.weight_hh_l1 is \(3, 3\), not \(256, 64\)"),
        ("flat", "no causal Demucs"),
        ("list", "holds no weights by name"),
        ("names", "holds no weights by name"),
        ("none", "is missing"),
        ("whole numbers", "holds no weights by name"),
        ("sparse", "holds no weights by name"),
        ("nowhere", "holds no weights by name"),
        ("nan", "encoder.0.0.bias holds NaN or infinity"),
    ],
)
def test_another_network_is_refused_by_name(tmp_path, fault, message):
    torch.save(faulty(fault), tmp_path / "odd.th")
    with pytest.raises(InputError, match=message) as refused:
        read_weights(tmp_path / "odd.th")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".th", ".safetensors"])
def test_a_file_that_was_cut_short_is_refused(tmp_path, keep, suffix):
    content = tiny_checkpoint().read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: keep if keep > 1 else int(keep * len(content))])
    with pytest.raises(InputError, match="not a checkpoint of tensors alone"):
        read_weights(path)


@pytest.mark.parametrize(("place", "said"), [("folder", "is a folder"), ("nothing.th", "no such file")])
def test_a_place_without_weights_is_said_before_anything_runs(tmp_path, place, said):
    (tmp_path / "folder").mkdir()
    config = DenoiseConfig(weights=tmp_path / place)
    with pytest.raises(MissingError, match=f"{said}.*MB, CC-BY-NC-4.0.*core models show") as refused:
        Denoise.assets(config)
    assert "\n" not in str(refused.value)
    with pytest.raises(RipienoError, match=said):
        Denoise(config).process(Audio(noise(1, 10), RATE_HZ))


@pytest.mark.parametrize("name", ["denoiser_dns48", "denoiser_dns64", "denoiser_master64"])
def test_the_catalogue_marks_the_weights_as_not_for_commercial_use(name):
    asset = getattr(catalogue, name)
    assert asset.licence == "CC-BY-NC-4.0" and not asset.commercial and asset.credit
    assert not asset.sha256, "only sixteen digits of it are published"


def test_a_commercial_pipeline_sees_the_licence_whichever_weights_are_named():
    licences = describe(Denoise)["licences"]
    assert [(licence["name"], licence["commercial"]) for licence in licences] == [("CC-BY-NC-4.0", False)]
    references = configure(Denoise, {})["references"]
    assert references == {"weights": {"uses": "asset/denoiser_dns64", "with": {}}}


def test_text_is_a_path_and_a_mapping_names_the_catalogue():
    assert DenoiseConfig(weights="dns48.th").weights == Path("dns48.th")
    assert DenoiseConfig(weights={"uses": "denoiser_dns48"}).weights == PluginRef("asset/denoiser_dns48")


@pytest.mark.parametrize("model", ["dns48", "dns64", "master64"])
def test_a_model_names_its_entry_of_the_catalogue(model):
    assert configure(Denoise, {"model": model})["references"]["weights"]["uses"] == f"asset/denoiser_{model}"
    with pytest.raises(ConfigError, match="model: input should be 'dns48', 'dns64' or 'master64'"):
        configure(Denoise, {"model": f"{model}x"})
