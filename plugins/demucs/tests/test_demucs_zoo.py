"""The models of Demucs's zoo: each of their files is described, and only those that are needed are asked for."""

from importlib.metadata import distribution

import pytest
from demucs.pretrained import REMOTE_ROOT, _parse_remote_files
from tiny_demucs import network, save_pickle, save_safe, song

from ripieno.contracts import Asset, PluginError
from ripieno.contracts.config import references
from ripieno.contracts.errors import ConfigError, MissingError, RefusedError
from ripieno_demucs.models import zoo_models
from ripieno_demucs.separator import DemucsConfig, DemucsSeparator

ENTRIES = {
    entry.name: entry
    for entry in distribution("ripieno-demucs").entry_points
    if entry.group == "ripieno.assets"
}
FILES = _parse_remote_files(REMOTE_ROOT / "files.txt")
MODELS = ("htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx", "mdx_extra", "mdx_q", "mdx_extra_q")


def test_every_file_of_the_zoo_is_described():
    assert set(ENTRIES) == {f"demucs_{signature}" for signature in FILES}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_says_where_it_is_and_on_which_terms(name):
    asset = ENTRIES[name].load()
    assert isinstance(asset, Asset)
    signature = name.removeprefix("demucs_")
    assert asset.url == FILES[signature] or asset.url.endswith(f"/{signature}.safetensors")
    # A pickle is not fetched; what is fetched is checked in full.
    assert asset.url.endswith(".safetensors") == bool(asset.sha256) == bool(asset.size)
    assert asset.licence and asset.credit and asset.description
    assert not asset.commercial


@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_the_zoo_names_its_files(model):
    assert model in zoo_models()
    config = DemucsConfig(model=model)
    named = [reference.uses.removeprefix("asset/") for reference in references(config).values()]
    assert named and set(named) <= set(ENTRIES)
    assert DemucsConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


def test_a_stem_of_one_network_asks_for_one_file():
    config = DemucsConfig(model="htdemucs_ft", two_stems="vocals")
    assert [reference.uses for reference in config.weights] == ["asset/demucs_04573f0d"]
    assert DemucsSeparator.output_names(config) == ("vocals", "no_vocals")


def test_six_stems_are_known():
    names = ("drums", "bass", "other", "vocals", "guitar", "piano")
    assert DemucsSeparator.output_names(DemucsConfig(model="htdemucs_6s")) == names


def test_an_unknown_model_is_refused_with_what_there_is():
    with pytest.raises(ConfigError, match="htdemucs_ft.*`folder`"):
        DemucsConfig(model="htdemux")
    with pytest.raises(ConfigError, match="not guitar"):
        DemucsConfig(model="htdemucs", two_stems="guitar")


def test_the_catalogue_and_a_folder_are_not_named_together(tmp_path):
    with pytest.raises(ValueError, match="leave one of them out"):
        DemucsConfig(folder=tmp_path, weights=[{"uses": "asset/demucs_955717e8"}])


def test_outside_a_run_the_files_are_not_known():
    with pytest.raises(PluginError, match="only named here"):
        DemucsSeparator(DemucsConfig()).separate(song(0.2))


def test_a_file_of_the_catalogue_is_found_by_its_reference(tmp_path):
    path = save_safe(network("HTDemucs"), tmp_path, "955717e8")
    config = DemucsConfig()
    config.weights[0].bind(ENTRIES["demucs_955717e8"].load().at(path))
    found = DemucsSeparator(config).separate(song(0.5))
    expected = DemucsSeparator(DemucsConfig(folder=tmp_path, model="955717e8")).separate(song(0.5))
    assert (found["vocals"].samples == expected["vocals"].samples).all()


def test_a_file_that_was_got_by_hand_is_named_by_its_path(tmp_path):
    path = save_pickle(network("HDemucs"), tmp_path, "75fc33f5")
    config = DemucsConfig(model="hdemucs_mmi", weights=[str(path)], trust=True)
    assert DemucsSeparator.assets(config) == (path,)
    found = DemucsSeparator(config).separate(song(0.2))
    assert [licence.commercial for licence in found.provenance.licences] == [False]
    assert found.provenance.licences == DemucsSeparator.terms(config)
    with pytest.raises(RefusedError, match="trust: true"):
        DemucsSeparator.assets(DemucsConfig(model="hdemucs_mmi", weights=[path]))
    with pytest.raises(ConfigError, match="needs 75fc33f5. Name a file for each"):
        DemucsSeparator.assets(DemucsConfig(model="hdemucs_mmi", weights=[path, path], trust=True))
    with pytest.raises(MissingError, match=r"gone.th: no such file.*core models show"):
        DemucsSeparator.assets(DemucsConfig(model="hdemucs_mmi", weights=[tmp_path / "gone.th"]))


def test_a_checkpoint_of_the_zoo_keeps_its_terms_in_a_folder(tmp_path):
    save_safe(network("HTDemucs"), tmp_path, "955717e8")
    save_pickle(network("HTDemucs"), tmp_path, "mine")
    zoo = DemucsSeparator(DemucsConfig(folder=tmp_path, model="htdemucs")).separate(song(0.2))
    assert [licence.commercial for licence in zoo.provenance.licences] == [False]
    mine = DemucsSeparator(DemucsConfig(folder=tmp_path, model="mine", trust=True)).separate(song(0.2))
    assert mine.provenance.licences == ()
    assert DemucsSeparator.terms(DemucsConfig(folder=tmp_path, model="htdemucs")) == zoo.provenance.licences
