"""The networks that come with the package are what their entries, their metadata and their card say."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

import ripieno_gan
from ripieno.contracts import InputError
from ripieno.toolkit.latents import GeneratorCard
from ripieno.toolkit.onnx import onnx_session
from ripieno_gan import catalogue, scores
from ripieno_gan.card import FACTS
from ripieno_gan.command import gan
from ripieno_gan.families import FAMILIES
from ripieno_gan.measuring import LoadedGenerator

FOLDER = Path(ripieno_gan.__file__).parent
GENERATOR = FOLDER / "models" / "gan.onnx"
NETWORKS = {"gan": GENERATOR, "picture_features": scores.FEATURES}


@pytest.fixture(scope="module")
def generator():
    return LoadedGenerator(GENERATOR)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_catalogue_has_digest_size_and_licence_of_the_file(name):
    asset, content = getattr(catalogue, name), NETWORKS[name].read_bytes()
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert asset.size == len(content) <= 4_000_000
    assert (asset.licence, asset.commercial) == ("Apache-2.0", True)
    assert asset.url == f"package:ripieno_gan.models/{NETWORKS[name].name}"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_card_names_the_file_by_its_digest(name):
    card = (FOLDER / "models" / "README.md").read_text(encoding="utf-8")
    assert getattr(catalogue, name).sha256 in card


def test_every_entry_of_the_catalogue_can_be_read():
    for path in (FOLDER / "catalogue").glob("*.yaml"):
        assert (
            getattr(catalogue, path.stem).licence
            == yaml.safe_load(path.read_text(encoding="utf-8"))["licence"]
        )


def test_the_generator_takes_and_gives_what_its_card_says(generator):
    card = generator.card
    assert (card.latent_shape, card.output, card.size) == ((8, 16, 16), "fields", (256, 256))
    drawn = generator.draw(card.anchors[:3].reshape(-1, *card.latent_shape))
    assert drawn.shape == (3, 2, 256, 256)
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_its_bank_has_all_families_by_turns(generator):
    facts = json.loads(generator.session.get_modelmeta().custom_metadata_map[FACTS])
    families = sorted(FAMILIES)
    assert facts["anchor_families"] == families * (len(generator.card.anchors) // len(families))
    assert len(generator.card.anchors) >= 40


def test_a_code_draws_the_same_alone_and_among_others(generator):
    codes = generator.card.anchors[:3].reshape(-1, *generator.card.latent_shape)
    assert generator.draw(codes[1:2])[0] == pytest.approx(generator.draw(codes)[1], abs=1e-5)


def test_its_weights_are_those_of_the_network_in_torch(generator):
    torch = pytest.importorskip("torch")
    from ripieno_gan.training.export import weights_of
    from ripieno_gan.training.networks import SMALL, Generator

    network = Generator(SMALL).eval()
    network.load_state_dict(weights_of(GENERATOR, network))
    codes = generator.card.anchors[:2].reshape(-1, *generator.card.latent_shape)
    with torch.no_grad():
        expected = network(torch.from_numpy(codes.copy())).numpy()
    assert np.abs(generator.draw(codes) - expected).max() < 1e-4


@pytest.mark.slow
def test_its_pictures_are_as_rich_and_as_different_as_the_data(generator):
    rng = np.random.default_rng(5)
    makers = [list(FAMILIES.values())[index % len(FAMILIES)] for index in range(60)]
    real = np.stack([make(rng, 256) for make in makers])
    figures = scores.compared(real, generator.draw(generator.mixtures(60)))
    assert figures["saturation_ratio"] == pytest.approx(1, abs=0.15)
    assert figures["diversity_ratio"] > 0.7


def test_an_interpolation_makes_no_jumps(generator):
    assert scores.evenness(generator.ways(2, 12)) > 0.5


def test_the_feature_network_tells_blurred_pictures_from_real_ones():
    import cv2

    rng = np.random.default_rng(1)
    makers = list(FAMILIES.values())
    first, second = (np.stack([makers[index % 5](rng, 128) for index in range(20)]) for _ in range(2))
    blurred = np.stack([[cv2.GaussianBlur(field, (0, 0), 3) for field in picture] for picture in second])
    seen = [scores.features_of(pictures) for pictures in (first, second, blurred)]
    assert scores.kernel_distance(seen[0], seen[2]) > 2 * scores.kernel_distance(seen[0], seen[1])


def test_the_card_of_a_file_is_written_by_a_command(tmp_path):
    figures = tmp_path / "scores.json"
    figures.write_text('{"values": {"kid": 0.25}}', encoding="utf-8")
    done = CliRunner().invoke(gan, ["card", str(GENERATOR), "--scores", str(figures)])
    assert done.exit_code == 0
    assert f"`{catalogue.gan.sha256}`" in done.output
    assert "| kid | 0.25 |" in done.output


def test_a_card_of_another_network_is_refused():
    done = CliRunner().invoke(gan, ["card", str(scores.FEATURES)])
    assert isinstance(done.exception, InputError)
    assert "this is no generator of pictures" in str(done.exception)


def test_the_metadata_survives_its_own_reading(generator):
    again = GeneratorCard.from_metadata(generator.card.to_metadata())
    assert (again.anchors == generator.card.anchors).all()


def test_the_feature_network_says_what_it_knows():
    session = onnx_session(scores.FEATURES, distribution="ripieno-gan", gpu=False)
    facts = json.loads(session.get_modelmeta().custom_metadata_map["ripieno_picture_features"])
    assert facts["families"] == sorted(FAMILIES)
    assert [output.name for output in session.get_outputs()] == ["features", "families", "faults"]
