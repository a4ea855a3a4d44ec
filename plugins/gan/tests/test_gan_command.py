"""`core gan` on a generator of a few weights, on broken ones, and on data sets that are of no use."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from small_generator import data, generator

from ripieno.contracts import InputError
from ripieno_gan.card import MEANING
from ripieno_gan.command import gan


def said(*arguments):
    done = CliRunner().invoke(gan, list(arguments))
    assert done.exit_code == 0, done.exception
    return done.output


def refused(*arguments):
    error = CliRunner().invoke(gan, list(arguments)).exception
    assert isinstance(error, InputError) and "\n" not in str(error)
    return str(error)


def test_what_is_measured_stands_on_the_card(tmp_path):
    model, figures = generator(tmp_path / "generator.onnx"), tmp_path / "figures" / "scores.json"
    assert said("measure", model, data(tmp_path, 4), "--output", str(figures)) == ""
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["compared_with"] == "4 pictures of the data"
    assert found["values"].keys() == MEANING.keys()
    card = said("card", model, "--scores", str(figures))
    for name, value in found["values"].items():
        assert f"| {name} | {value:.4g} | {MEANING[name]} |" in card


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    model = generator(tmp_path / "broken.onnx", weight=np.nan)
    assert "broken.onnx: draws NaN" in refused("measure", model, data(tmp_path, 2))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pictures_are_nothing_to_compare_with(tmp_path, count):
    model = generator(tmp_path / "generator.onnx")
    said_ = refused("measure", model, data(tmp_path, count))
    assert said_.endswith(f"of such pictures the data has {count}, and 2 are the least to compare with")


@pytest.mark.parametrize("content", [None, "no", "[]"])
def test_a_folder_without_a_manifest_is_no_data_set(tmp_path, content):
    if content is not None:
        (tmp_path / "dataset_manifest.json").write_text(content, encoding="utf-8")
    refused("measure", generator(tmp_path / "generator.onnx"), str(tmp_path))


@pytest.mark.parametrize("content", ["no", "[]", '{"kid": 1}', '{"values": {"kid": "much"}}'])
def test_figures_of_another_form_are_refused(tmp_path, content):
    scores = tmp_path / "scores.json"
    scores.write_text(content, encoding="utf-8")
    assert refused("card", generator(tmp_path / "generator.onnx"), "--scores", str(scores)).startswith(
        str(scores)
    )


@pytest.mark.parametrize("facts", ["[1", "[]"])
def test_facts_that_cannot_be_read_are_refused(tmp_path, facts):
    model = generator(tmp_path / "odd.onnx", facts=facts)
    assert "odd.onnx: ripieno_gan in its metadata is no JSON object" in refused("card", model)
