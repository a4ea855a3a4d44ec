"""What is read, what is refused, and that nothing runs that nobody trusts."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from tiny_demucs import STEMS, network, save_bag, save_bomb, save_pickle, save_safe, song

from ripieno.contracts import ConfigError, InputError, MissingError, RefusedError, StepError
from ripieno_demucs.checkpoints import convert, load_network, unpickled
from ripieno_demucs.command import demucs
from ripieno_demucs.models import stems_in
from ripieno_demucs.separator import DemucsConfig, DemucsSeparator


def separator(folder, **settings):
    return DemucsSeparator(DemucsConfig(folder=folder, **{"model": "net", **settings}))


def one_line(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_bomb_is_not_read_without_trust(tmp_path):
    target = tmp_path / "boom"
    path = save_bomb(tmp_path, "net.th", target)
    plugin = separator(tmp_path)
    attempts = [
        lambda: plugin.assets(plugin.config),
        lambda: plugin.separate(song(0.2)),
        lambda: load_network(path, trust=False),
        lambda: convert(path, tmp_path, trust=False),
    ]
    for attempt in attempts:
        with pytest.raises(RefusedError, match="trust: true") as caught:
            attempt()
        assert "core demucs convert" in one_line(caught)
    assert not target.exists()


@pytest.mark.parametrize("trust", [[], ["--trust"]])
def test_a_bomb_under_the_name_of_a_safe_file_is_not_read_even_with_trust(tmp_path, trust):
    target = tmp_path / "boom"
    path = save_bomb(tmp_path, "net.safetensors", target)
    result = CliRunner().invoke(demucs, ["convert", *trust, str(path)])
    assert isinstance(result.exception, InputError) and "no pickle by its name" in str(result.exception)
    with pytest.raises(InputError):
        load_network(path, trust=True)
    assert not target.exists()


def test_the_bomb_is_a_real_one(tmp_path):
    target = tmp_path / "boom"
    with pytest.raises(InputError, match="no network of Demucs"):
        unpickled(save_bomb(tmp_path, "net.th", target), trust=True)
    assert target.is_dir()


def test_a_bomb_under_the_name_of_another_file_is_not_read_even_with_trust(tmp_path):
    target = tmp_path / "boom"
    path = save_bomb(tmp_path, "955717e8-8726e21a.th", target)
    with pytest.raises(InputError, match="its name says 8726e21a") as caught:
        load_network(path, trust=True)
    assert str(path) in one_line(caught)
    assert not target.exists()


@pytest.mark.parametrize("klass", ["subprocess.Popen", "os.mkdir", "demucs.solver.Solver"])
def test_safetensors_build_nothing_but_networks(tmp_path, klass):
    target = tmp_path / "boom"
    facts = {"klass": klass, "args": json.dumps([f"mkdir {target}"]), "kwargs": '{"shell": true}'}
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1)}, path, facts)
    with pytest.raises(InputError, match=klass):
        load_network(path, trust=True)
    assert not target.exists()


def test_packed_weights_name_no_class_but_quantizers(tmp_path):
    kwargs = json.dumps({"sources": STEMS})
    structure = json.dumps({"_dict": [["meta", {"_class": "os.system"}]]})
    facts = {"klass": "demucs.demucs.Demucs", "args": "[]", "kwargs": kwargs, "structure": structure}
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1)}, path, facts)
    with pytest.raises(InputError, match="os.system"):
        load_network(path, trust=True)


@pytest.mark.parametrize("structure", ["{", "[" * 100_000])
def test_packed_weights_that_are_not_described_are_refused(tmp_path, structure):
    facts = {"klass": "demucs.demucs.Demucs", "args": "[]", "kwargs": "{}", "structure": structure}
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.zeros(1)}, path, facts)
    with pytest.raises(InputError, match="how its weights are packed") as caught:
        load_network(path, trust=True)
    assert str(path) in one_line(caught)


@pytest.mark.parametrize("share", [0, 0.001, 0.5])
def test_a_damaged_safetensors_file_is_refused(tmp_path, share):
    path = save_safe(network("Demucs"), tmp_path, "net")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError) as caught:
        separator(tmp_path).separate(song(0.2))
    assert str(path) in one_line(caught)


def test_a_damaged_pickle_is_refused(tmp_path):
    path = save_pickle(network("Demucs"), tmp_path, "net")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="its name says"):
        separator(tmp_path, trust=True).separate(song(0.2))
    path.rename(tmp_path / "net.th")
    with pytest.raises(InputError, match="cannot be loaded"):
        separator(tmp_path, trust=True).separate(song(0.2))


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    kwargs = json.dumps({"sources": STEMS, "channels": 4, "depth": 4})
    save_file({"a": torch.zeros(1)}, path, {"klass": "demucs.demucs.Demucs", "args": "[]", "kwargs": kwargs})
    with pytest.raises(InputError, match="cannot be loaded"):
        load_network(path, trust=False)


FOLDERS = {
    "is no folder": lambda folder: folder.rmdir(),
    "no checkpoint in this folder": lambda folder: None,
    "no net here, only other, third": lambda folder: [
        save_safe(network("Demucs"), folder, "other"),
        save_pickle(network("Demucs"), folder, "third"),
    ],
    "no a here, only net": lambda folder: save_bag(folder, "net", ["a"]),
    "no checkpoint in this folder.": lambda folder: [
        (folder / "net.th").mkdir(),
        (folder / "net.safetensors").symlink_to(folder / "gone.safetensors"),
    ],
    "is no bag of models": lambda folder: (folder / "net.yaml").write_text("models: 1", encoding="utf-8"),
    "it needs `models`": lambda folder: (folder / "net.yaml").write_text("a: [", encoding="utf-8"),
    "needs `models`, and may": lambda folder: (folder / "net.yaml").write_text("models: a", encoding="utf-8"),
    "segment is -1 s": lambda folder: save_bag(folder, "net", ["a"], segment=-1),
    "segment is nan s": lambda folder: save_bag(folder, "net", ["a"], segment=float("nan")),
    "1 rows of weights": lambda folder: save_bag(folder, "net", ["a", "b"], weights=[[1, 1, 1, 1]]),
    "Delete all but one": lambda folder: [
        save_pickle(network("Demucs", seed), folder, "net") for seed in (1, 2)
    ],
}


@pytest.mark.parametrize("message", FOLDERS)
def test_a_folder_without_the_model_is_refused(tmp_path, message):
    folder = tmp_path / "models"
    folder.mkdir()
    FOLDERS[message](folder)
    plugin = separator(folder, trust=True)
    with pytest.raises((MissingError, InputError), match=message) as caught:
        plugin.assets(plugin.config)
    assert str(folder) in one_line(caught)


def test_the_zoos_model_is_not_taken_for_that_of_a_folder(tmp_path):
    save_safe(network("Demucs"), tmp_path, "mine")
    plugin = separator(tmp_path, model="htdemucs")
    with pytest.raises(MissingError, match="no 955717e8 here, only mine.*another `model`"):
        plugin.assets(plugin.config)


def test_a_name_with_a_dash_promises_no_digits(tmp_path):
    path = save_pickle(network("Demucs"), tmp_path, "my").rename(tmp_path / "my-net.th")
    assert separator(tmp_path, model="my-net", trust=True).assets(
        DemucsConfig(folder=tmp_path, model="my-net", trust=True)
    ) == (path,)
    with pytest.raises(MissingError, match="no my here, only my-net"):
        DemucsSeparator.assets(DemucsConfig(folder=tmp_path, model="my", trust=True))
    assert convert(path, tmp_path, trust=True) == tmp_path / "my-net.safetensors"


def test_checkpoints_that_are_links_are_followed(tmp_path):
    store, folder = tmp_path / "store", tmp_path / "models"
    store.mkdir()
    folder.mkdir()
    (folder / "net.safetensors").symlink_to(save_safe(network("Demucs"), store, "blob"))
    (folder / "net.yaml").symlink_to(save_bag(store, "bag", ["net"]))
    assert separator(folder).separate(song(0.2)).names == tuple(STEMS)


def test_networks_that_give_other_stems_than_expected_are_refused(tmp_path):
    save_pickle(network("Demucs", sources=["speech", "music"]), tmp_path, "net")
    with pytest.raises(ConfigError, match="gives speech, music"):
        separator(tmp_path, trust=True).separate(song(0.2))


def test_networks_of_different_rates_are_no_bag(tmp_path):
    save_bag(tmp_path, "net", ["a", "b"])
    save_safe(network("Demucs"), tmp_path, "a")
    save_safe(network("Demucs", samplerate=16000), tmp_path, "b")
    with pytest.raises(ConfigError, match="differ in rate"):
        separator(tmp_path).separate(song(0.2))


@pytest.mark.parametrize(
    "weights", [[[1, 1]], [[1, 1, 1, 0]], [[1, 1, 1, -1]], [[1, 1, 1, np.nan]], [[1, 1, 1, np.inf]]], ids=str
)
def test_weights_that_give_no_mean_are_refused(tmp_path, weights):
    save_bag(tmp_path, "net", ["a"], weights=weights)
    save_safe(network("Demucs"), tmp_path, "a")
    plugin = separator(tmp_path)
    with pytest.raises(InputError, match="weights of a"):
        plugin.assets(plugin.config)


def test_stems_of_safetensors_are_known_without_loading(tmp_path):
    save_safe(network("Demucs", sources=["speech", "music"]), tmp_path, "net")
    assert separator(tmp_path).output_names(DemucsConfig(folder=tmp_path, model="net")) == ("speech", "music")


@pytest.mark.parametrize("kind", ["HTDemucs", "HDemucs", "Demucs"])
def test_a_converted_network_gives_the_same_stems_without_trust(tmp_path, kind):
    pickled = save_pickle(network(kind), tmp_path, "net")
    expected = separator(tmp_path, trust=True).separate(song(1.0))
    result = CliRunner().invoke(demucs, ["convert", "--trust", str(pickled), "--to", str(tmp_path / "safe")])
    assert result.output.strip() == str(tmp_path / "safe" / "net.safetensors")
    assert [path.name for path in (tmp_path / "safe").iterdir()] == ["net.safetensors"]
    found = separator(tmp_path / "safe").separate(song(1.0))
    for stem in STEMS:
        np.testing.assert_array_equal(found[stem].samples, expected[stem].samples)


def test_a_folder_that_takes_no_file_is_named(tmp_path):
    path = save_pickle(network("Demucs"), tmp_path, "net")
    with pytest.raises(StepError, match=r"net.safetensors: cannot be written") as caught:
        convert(path, path / "below", trust=True)
    one_line(caught)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    module = network("Demucs")
    with torch.no_grad():
        next(module.parameters()).fill_(torch.nan)
    for path in (save_safe(module, tmp_path, "net"), save_pickle(module, tmp_path, "net")):
        with pytest.raises(InputError, match="NaN or infinity"):
            load_network(path, trust=True)


def test_conversion_keeps_half_precision_and_fractions(tmp_path):
    path = save_pickle(network("HTDemucs").half(), tmp_path, "net")
    safe = convert(path, tmp_path, trust=True)
    assert safe.stat().st_size < 1.5 * path.stat().st_size
    assert load_network(safe, trust=False).segment == Fraction(6, 5)
    assert stems_in(safe) == tuple(STEMS)


def test_quantized_networks_are_read_and_converted(tmp_path):
    diffq = pytest.importorskip("diffq", reason="quantized checkpoints need diffq")
    module = network("Demucs")
    state = diffq.UniformQuantizer(module, bits=8, min_size=0.001).get_quantized_state()
    args, kwargs = module._init_args_kwargs
    package = {"klass": type(module), "args": args, "kwargs": kwargs, "state": {**state, "__quantized": True}}
    torch.save(package, tmp_path / "net.th")
    loaded = load_network(tmp_path / "net.th", trust=True)
    safe = load_network(convert(tmp_path / "net.th", tmp_path / "safe", trust=True), trust=False)
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, safe.state_dict()[name])
