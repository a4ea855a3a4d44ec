"""Recordings by others are described with their terms, and no checksum is made up."""

from importlib.metadata import distribution

import pytest

from ripieno.contracts import Asset

ENTRIES = [entry for entry in distribution("ripieno-augment").entry_points if entry.group == "ripieno.assets"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_says_where_it_is_and_on_which_terms(entry):
    asset = entry.load()
    assert isinstance(asset, Asset)
    assert asset.url.startswith("https://zenodo.org/records/")
    assert asset.licence and asset.credit and asset.description
    assert not asset.sha256


def test_both_databases_are_there():
    names = {entry.name.partition("_")[0] for entry in ENTRIES}
    assert names == {"homula", "demand"}
