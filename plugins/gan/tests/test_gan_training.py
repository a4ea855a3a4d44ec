"""The training: its networks, its losses, its resumption, its export."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from ripieno.contracts import ConfigError, Context, Dataset, InputError, Model
from ripieno.contracts.context import use_context
from ripieno.contracts.testing import MetricSuite, SinkSuite, TrainerSuite
from ripieno.toolkit.latents import GeneratorCard
from ripieno.toolkit.onnx import onnx_session
from ripieno_gan import pictures
from ripieno_gan.abstract import Abstract, AbstractConfig
from ripieno_gan.feature_trainer import PictureFeaturesTrainer, PictureFeaturesTrainerConfig
from ripieno_gan.measuring import GeneratorScores, GeneratorScoresConfig
from ripieno_gan.report import GeneratorReport, GeneratorReportConfig
from ripieno_gan.trainer import GanTrainer, GanTrainerConfig
from ripieno_gan.training import losses
from ripieno_gan.training.drawing import Material, of_one_form, varied
from ripieno_gan.training.export import export, weights_of
from ripieno_gan.training.features import FAULTS, PictureFeatures, flawed, told_right
from ripieno_gan.training.lessons import GanLessons, Lesson, mixture
from ripieno_gan.training.networks import SMALL, WIDE, Discriminator, Encoder, Generator, Shape, normalised

TINY = GanTrainerConfig(first_steps=2, steps=4, batch=2, epoch=2, judged=4, anchors=5)


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    return {"pictures": [made(tmp_path_factory.mktemp("pictures"))]}


def made(folder, **config):
    context = Context(scratch=folder, checkpoint=folder, seed=3)
    with use_context(context):
        return Abstract(
            AbstractConfig(**{"count": 20, "size": 64, "validation_share": 0.4, **config})
        ).generate()


def trained(material, folder, config=TINY, **more):
    context = Context(scratch=folder / "scratch", checkpoint=folder / "checkpoint", seed=3)
    for made_folder in (context.scratch, context.checkpoint):
        made_folder.mkdir(parents=True, exist_ok=True)
    with use_context(context):
        return GanTrainer(config).train(**material, **more)


@pytest.fixture(scope="session")
def model(material, tmp_path_factory):
    return trained(material, tmp_path_factory.mktemp("trained"))


class OfPictures:
    @pytest.fixture(autouse=True)
    def _given(self, material, model):
        type(self).material, type(self).model = material, model


@pytest.mark.slow
class TestConformance(OfPictures, TrainerSuite):
    plugin = GanTrainer
    config = TINY

    def example(self):
        return self.material


@pytest.mark.slow
class TestConformanceOfFeatures(OfPictures, TrainerSuite):
    plugin = PictureFeaturesTrainer
    config = PictureFeaturesTrainerConfig(steps=4, epoch=2, batch=2, size=64)

    def example(self):
        return self.material


@pytest.mark.slow
class TestConformanceOfTheMetric(OfPictures, MetricSuite):
    plugin = GeneratorScores
    config = GeneratorScoresConfig(count=4, ways=1, steps=3)

    def example(self):
        return {**self.material, "model": self.model}


@pytest.mark.slow
class TestConformanceOfTheReport(OfPictures, SinkSuite):
    plugin = GeneratorReport
    config = GeneratorReportConfig(rows=1, sweeps=1)

    def example(self):
        return {**self.material, "model": self.model}


def test_the_small_generator_costs_less_than_three_fifths_of_a_gmac_a_picture():
    done = []

    def count(module, inputs, output):
        done.append(output[0].numel() * module.weight[0].numel())

    generator = Generator(SMALL)
    for module in generator.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        assert generator(torch.zeros(1, 8, 16, 16)).shape == (1, 2, 256, 256)
    assert sum(done) < 0.6e9


def test_the_wide_generator_has_about_seven_million_parameters():
    assert sum(weight.numel() for weight in Generator(WIDE).parameters()) == pytest.approx(7e6, rel=0.06)


@pytest.mark.parametrize("channels", [2, 3])
def test_codes_are_of_mean_square_1_and_of_a_sixteenth_of_the_side(channels):
    shape = Shape((8, 8, 8, 8, 8), (1, 1, 1, 1, 1), channels)
    codes = Encoder(shape)(torch.rand(2, channels, 64, 96))
    assert codes.shape == (2, 8, 4, 6)
    assert torch.all(codes.square().mean(dim=1) < 1.05)
    assert normalised(100 * torch.ones(1, 8, 1, 1)).square().mean().item() == pytest.approx(1.05, abs=1e-3)


def test_a_generator_gives_the_same_with_checkpointing_and_the_same_slopes():
    torch.manual_seed(0)
    shape, codes = Shape((8, 8), (2, 1)), torch.randn(2, 8, 16, 16)
    plain, thrifty = Generator(shape), Generator(shape, is_checkpointed=True)
    thrifty.load_state_dict(plain.state_dict())
    for network in (plain, thrifty):
        network(codes).square().mean().backward()
    for one, other in zip(plain.parameters(), thrifty.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-7)


def test_the_penalty_of_places_that_are_judged_apart_is_the_mean_of_theirs():
    pictures_ = torch.rand(3, 1, 4, 4, requires_grad=True)
    # A logit a pixel: 3 x at each, whose slope is 3, of pictures from -1 to 1 half of it.
    logits = (3 * pictures_).flatten(1)
    assert losses.r1(logits, pictures_).item() == pytest.approx(
        losses.SURROUNDINGS / losses.OVERLAP * 1.5**2 / 2
    )


def test_the_logistic_losses_are_softplus():
    logits = torch.tensor([[0.0, 2.0]])
    expected = np.log1p(np.exp(-logits.numpy())).mean()
    assert losses.judged_wrong(logits).item() == pytest.approx(expected)
    assert losses.judged_right(logits, -logits).item() == pytest.approx(2 * expected)


def test_a_picture_differs_from_itself_by_nothing_and_from_a_flat_one_by_its_level():
    real = torch.rand(1, 2, 32, 32)
    assert losses.difference(real, real).item() == 0
    flat = torch.full((1, 2, 32, 32), 0.25)
    assert losses.difference(flat, flat + 0.5).item() == pytest.approx(4 * 0.5)


def test_saturation_is_that_of_hsv():
    rgb = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1)
    assert losses.saturation(rgb).item() == pytest.approx(0.75)
    assert losses.colour_difference(rgb.repeat(1, 1, 4, 4), rgb.repeat(1, 1, 4, 4)).item() == 0


def test_mixtures_of_a_code_with_itself_are_that_code():
    codes = normalised(torch.randn(1, 8, 16, 16)).repeat(4, 1, 1, 1)
    mixed = mixture(codes, torch.Generator().manual_seed(0))
    # Normalised twice, quiet places are a little louder.
    assert torch.allclose(torch.cosine_similarity(mixed, codes, dim=1), torch.ones(4, 16, 16))


def test_the_discriminator_judges_places_of_two_sizes():
    logits, seen = Discriminator(2)(torch.rand(2, 2, 64, 64))
    assert logits.shape == (2, 8 * 8 + 4 * 4)
    assert [side.shape[-1] for side in seen] == [32, 16, 8, 4]


def test_varied_pictures_keep_their_shape_and_fields_may_run_backwards():
    fields = np.zeros((64, 64, 2), np.uint8)
    fields[..., 0], fields[..., 1] = 40, 90
    drawn = [varied(fields, np.random.default_rng(seed)) for seed in range(20)]
    assert {picture.shape for picture in drawn} == {(64, 64, 2)}
    assert {int(picture[32, 32, 0]) for picture in drawn} == {40, 215}
    assert {int(picture[32, 32, 1]) for picture in drawn} == {90}


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_a_fault_changes_a_picture_within_0_and_1(fault):
    picture = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    changed = flawed(picture, fault, np.random.default_rng(1))
    assert changed.shape == picture.shape and changed.dtype == np.float32
    assert changed.min() >= 0 and changed.max() <= 1
    assert np.abs(changed - picture).mean() > 0.005


@pytest.mark.parametrize("shape", [SMALL, Shape((16, 8), (1, 1), 3)], ids=["small", "rgb"])
def test_torch_and_onnxruntime_agree(tmp_path, shape):
    torch.manual_seed(1)
    generator, path = Generator(shape), tmp_path / "generator.onnx"
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    export(
        generator, path, example=torch.randn(2, 8, 16, 16), inputs=["latent"], outputs=["fields"], facts={}
    )
    codes = torch.randn(3, 8, 16, 16)
    with torch.no_grad():
        expected = generator(codes).numpy()
    session = onnx_session(path, distribution="ripieno-gan", gpu=False)
    (drawn,) = session.run(None, {"latent": codes.numpy()})
    assert np.abs(drawn - expected).max() < 1e-4
    # Half precision: two bytes a weight, and some for the graph.
    assert path.stat().st_size < 2 * sum(weight.numel() for weight in generator.parameters()) + 60_000


def test_weights_come_back_from_the_file(tmp_path):
    generator, path = Generator(Shape((16, 8), (1, 1))), tmp_path / "generator.onnx"
    for weight in generator.parameters():
        torch.nn.init.normal_(weight)
    export(
        generator, path, example=torch.randn(1, 8, 16, 16), inputs=["latent"], outputs=["fields"], facts={}
    )
    back = weights_of(path, Generator(Shape((16, 8), (1, 1))))
    assert all(torch.equal(back[name], weight) for name, weight in generator.state_dict().items())


def test_a_larger_generator_begins_with_a_smaller_one_and_another_is_refused(tmp_path):
    small, path = Generator(Shape((16, 8), (1, 1))), tmp_path / "generator.onnx"
    for weight in small.parameters():
        torch.nn.init.normal_(weight)
    export(small, path, example=torch.randn(1, 8, 16, 16), inputs=["latent"], outputs=["fields"], facts={})
    begun = weights_of(path, Generator(Shape((16, 8, 4), (1, 1, 1))))
    assert torch.equal(begun["stages.0.0.layers.2.weight"], small.stages[0][0].layers[2].weight)
    for wider_or_shallower in (Shape((32, 8), (1, 1)), Shape((16, 8), (1, 0))):
        with pytest.raises(InputError, match="not the weights of this network"):
            weights_of(path, Generator(wider_or_shallower))


def test_an_init_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"no\.onnx: not an ONNX file"):
        weights_of(tmp_path / "no.onnx", Generator(Shape((16, 8), (1, 1))))


def test_all_is_ready_to_learn_when_a_training_begins():
    """Lightning warns of what is not."""
    lessons = GanLessons(Generator(Shape((16, 8), (1, 1))), Lesson(first_steps=1, steps=2), seed=0)
    assert all(module.training for module in lessons.modules())


def test_the_features_learn_for_the_steps_asked_for_and_are_the_same_written_twice(material, tmp_path):
    """The second time all is learnt, and only the file is to be written, as after a kill in the last moment."""
    config = PictureFeaturesTrainerConfig(steps=3, epoch=2, batch=2, size=64)
    models = []
    for name in ("first", "second"):
        scratch = tmp_path / name
        scratch.mkdir()
        with use_context(Context(scratch=scratch, checkpoint=tmp_path, seed=3)):
            models.append(PictureFeaturesTrainer(config).train(**material))
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert (state["global_step"], state["epoch"]) == (3, 1)
    assert models[0].metadata == models[1].metadata
    assert {"families_right", "faults_right"} <= models[0].metadata.keys()
    assert models[0].path.read_bytes() == models[1].path.read_bytes()


def test_the_model_has_a_card_and_a_history(model):
    session = onnx_session(model.path, distribution="ripieno-gan", gpu=False)
    card = GeneratorCard.of_session(session, model.path)
    assert (card.latent_shape, card.size, card.output) == ((8, 16, 16), (256, 256), "fields")
    assert len(card.anchors) == 5 and card.projection.shape == (5, 4)
    assert sorted(model.metadata["anchor_families"]) == sorted(
        ["colour_field", "flow", "glitch", "reaction", "warped"]
    )
    assert [entry["step"] for entry in model.metadata["history"]] == [2, 4]
    assert {"kid", "difference"} <= model.metadata["history"][-1].keys()


def test_both_rates_of_learning_have_fallen_to_nothing_in_the_end(model):
    state = torch.load(model.path.parents[1] / "checkpoint" / "last.ckpt", weights_only=True)
    assert [schedule["last_epoch"] for schedule in state["lr_schedulers"]] == [
        TINY.steps,
        TINY.steps - TINY.first_steps,
    ]
    groups = [optimizer["param_groups"][0] for optimizer in state["optimizer_states"]]
    assert [(group["lr"], group["initial_lr"]) for group in groups] == [
        (0, TINY.rate),
        (0, TINY.judging_rate),
    ]
    assert all(tuple(group["betas"]) == (0.5, 0.999) for group in groups)


def test_an_average_takes_a_thousandth_of_each_step_and_more_in_the_beginning():
    lessons = GanLessons(Generator(Shape((16, 8), (1, 1))), Lesson(first_steps=1, steps=2), seed=0)
    for done, share in ((8, 1 / 2), (100_000, 1 / 1000)):
        lessons.done.fill_(done)
        for weight, average in zip(
            lessons.generator.parameters(), lessons.averaged.parameters(), strict=True
        ):
            torch.nn.init.ones_(weight)
            torch.nn.init.zeros_(average)
        lessons._average()
        assert all(torch.allclose(average, torch.tensor(share)) for average in lessons.averaged.parameters())


def test_a_training_that_ran_away_says_so():
    lessons = GanLessons(Generator(Shape((16, 8), (1, 1))), Lesson(first_steps=1, steps=2), seed=0)
    seeing = PictureFeatures(5)
    for network in (lessons.averaged, seeing):
        torch.nn.init.constant_(next(network.parameters()), np.nan)
    with pytest.raises(ConfigError, match="after 0 steps it draws no numbers any more: lower rate"):
        lessons.validation_step(torch.zeros(2, 2, 256, 256, dtype=torch.uint8), 0)
    batch = [torch.zeros(1, 3, 64, 64), torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long)]
    with pytest.raises(ConfigError, match="no numbers any more: lower rate"):
        told_right(seeing, [batch])


@pytest.mark.slow
def test_it_learns_to_give_pictures_back(material, model, tmp_path):
    config = TINY.model_copy(update={"first_steps": 24, "steps": 26, "epoch": 13, "batch": 4})
    first = model.metadata["history"][0]
    last = trained(material, tmp_path, config).metadata["history"][-1]
    assert last["difference"] < 0.93 * first["difference"]


@pytest.mark.slow
def test_a_training_that_was_killed_ends_as_one_that_was_not(material, model, tmp_path):
    """A process is killed after its first epoch, in the middle of the second: run again, it gives the same bytes."""
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from ripieno.contracts import Context\n"
        "from test_gan_training import made, trained\n"
        "folder = Path(sys.argv[1])\n"
        "Context.progress = lambda self, done, total=0, unit='': print(int(done), flush=True)\n"
        "(folder / 'pictures').mkdir(exist_ok=True)\n"
        "print(trained({'pictures': [made(folder / 'pictures')]}, folder).path, flush=True)\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(script), str(tmp_path)]
    env = {**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    told = []
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as begun:
        for line in begun.stdout:
            told.append(line.strip())
            if told[-1] == "3":
                begun.kill()
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=True)
    again = done.stdout.split()
    assert told[-3:] == ["1", "2", "3"]
    assert again[-3:-1] == ["3", "4"]
    assert Path(again[-1]).read_bytes() == model.path.read_bytes()


@pytest.mark.slow
def test_a_generator_of_rgb_is_trained_from_rgb(tmp_path):
    data = made(tmp_path, form="rgb", count=16)
    found = trained({"pictures": [data]}, tmp_path)
    assert onnx_session(found.path, distribution="ripieno-gan").get_outputs()[0].name == "rgb"


@pytest.mark.slow
def test_training_begins_with_a_model_that_is_given(material, model, tmp_path):
    config = TINY.model_copy(update={"rate": 1e-9, "judged_rate": 1e-9})
    begun = trained(material, tmp_path, config, init=model)
    before, after = (weights_of(one.path, Generator(SMALL)) for one in (model, begun))
    assert all(torch.allclose(before[name], after[name], atol=1e-3) for name in before)


def test_pictures_of_two_forms_are_refused(tmp_path):
    both = [pictures.Listed(tmp_path / "a.png", form, "flow") for form in ("fields", "rgb")]
    with pytest.raises(InputError, match="a generator learns from one, fields or rgb"):
        of_one_form(both, what="learn")


def test_a_split_without_pictures_is_refused(tmp_path):
    data = made(tmp_path, validation_share=0.0, count=4)
    with pytest.raises(InputError, match="no pictures to validate on"):
        trained({"pictures": [data]}, tmp_path)


def test_a_data_set_of_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match='without "pictures" in its manifest'):
        trained({"pictures": [Dataset({}, {"clips": []})]}, tmp_path)


def test_what_is_no_generator_is_refused(material, tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"no\.onnx: not a network"):
        GeneratorScores().measure(Model(tmp_path / "no.onnx"), material["pictures"])


def test_a_training_without_a_discriminator_is_refused():
    with pytest.raises(ValidationError, match="leave some for the discriminator"):
        GanTrainerConfig(first_steps=10, steps=10)


def test_large_pictures_are_cut_to_their_middle_and_brought_to_size(tmp_path):
    pixels = np.zeros((40, 80, 2), np.uint8)
    pixels[:, 20:60] = 200
    pictures.keep(tmp_path, pixels, name="wide", facts={})
    material = Material((pictures.Listed(tmp_path / "wide.png", "fields", "flow"),), 20)
    assert (material.picture(0) == 200).all() and material.picture(0).shape == (20, 20, 2)
