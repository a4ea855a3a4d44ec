"""Stable Diffusion end to end, by a pipeline of the same parts with a few thousand random weights."""

import json
import shutil
import string

import numpy as np
import pytest

from ripieno.contracts import InputError, derive_seed
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import DataSourceSuite
from ripieno_gan import pictures
from ripieno_gan.sd15 import Sd15, Sd15Config

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed: the extra sd15")
pytestmark = pytest.mark.slow
SMALL = {"size": 64, "saved": 32, "steps": 2, "batch": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd15")
    save_tiny(folder / "pipeline", folder)
    return folder / "pipeline"


def save_tiny(target, folder):
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    letters = string.ascii_letters + string.punctuation + string.digits
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    start, end = len(tokens) - 2, len(tokens) - 1
    torch.manual_seed(0)
    diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 8, 8, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=4,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokens),
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                bos_token_id=start,
                eos_token_id=end,
                pad_token_id=end,
            )
        ),
        tokenizer=CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77),
        unet=diffusers.UNet2DConditionModel(
            sample_size=8,
            layers_per_block=1,
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            norm_num_groups=4,
            attention_head_dim=4,
        ),
        scheduler=diffusers.PNDMScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(target, safe_serialization=True)


@pytest.fixture(scope="module")
def made(weights):
    return generated(weights, families=("glitch", "monochrome_noise"), per_family=3, keep=0.67)


def generated(weights, *, context=None, **settings):
    with use_context(context or new_context(seed=5)):
        return Sd15(Sd15Config(**{"folder": weights, **SMALL, **settings})).generate()


class TestSd15(DataSourceSuite):
    plugin = Sd15

    @pytest.fixture(autouse=True)
    def _weights(self, weights):
        type(self).config = Sd15Config(folder=weights, families=("abstract",), per_family=2, **SMALL)


def test_each_picture_has_a_png_and_a_json_that_says_how_it_was_made(made):
    entries = made.manifest["pictures"]
    assert set(made.files) == {f"{entry['name']}.{suffix}" for entry in entries for suffix in ("png", "json")}
    for entry in entries:
        assert json.loads(made.files[f"{entry['name']}.json"].read_text(encoding="utf-8")) == entry
        number = entry["name"].rpartition("-")[2]
        assert entry["seed"] == derive_seed(5, entry["family"], str(int(number)))
        assert entry["form"] == "rgb" and entry["size"] == [32, 32]
        assert entry["steps"] == 2 and entry["prompt"] and entry["negative"]
        assert pictures.read(made.files[entry["picture"]], channels=3).shape == (32, 32, 3)
    assert len({entry["prompt"] for entry in entries}) == len(entries)
    assert [one.path.name for one in pictures.listed([made])] == [entry["picture"] for entry in entries]


def test_what_was_culled_is_named_with_score_and_reason(made):
    assert made.manifest["counts"]["made"] == 6
    assert len(made.manifest["pictures"]) + len(made.manifest["culled"]) == 6
    assert made.manifest["counts"]["culled"] == len(made.manifest["culled"]) >= 2
    assert all(entry["culled"] and 0 <= entry["score"] <= 1 for entry in made.manifest["culled"])
    assert "folder" not in made.manifest["settings"]
    assert made.provenance.licences[0].name == made.manifest["licences"][0]["name"] == "CreativeML-OpenRAIL-M"


def test_a_set_that_was_broken_off_goes_on_and_is_the_same(weights, made):
    settings = {"families": ("glitch", "monochrome_noise"), "per_family": 3, "keep": 0.67}
    context = new_context(seed=5)
    first = generated(weights, context=context, **settings)
    pixels = {name: path.read_bytes() for name, path in made.files.items() if name.endswith(".png")}
    assert pixels == {name: first.files[name].read_bytes() for name in pixels}
    done = sorted(context.checkpoint.glob("glitch-*.json"))
    stamps = {path: path.with_suffix(".png").stat().st_mtime_ns for path in done[1:]}
    done[0].unlink()
    again = generated(weights, context=context, **settings)
    assert again.manifest == first.manifest
    assert pixels == {name: again.files[name].read_bytes() for name in pixels}
    assert all(path.with_suffix(".png").stat().st_mtime_ns == stamp for path, stamp in stamps.items())


def test_a_picture_that_is_made_again_is_the_same_to_the_last_bit(weights):
    """So large that it is another where it is drawn alone, and not beside those of its batch."""
    settings = {
        "families": ("abstract",),
        "per_family": 4,
        "keep": 1,
        "size": 256,
        "saved": 256,
        "steps": 4,
        "batch": 4,
    }
    context = new_context(seed=5)
    first = generated(weights, context=context, **settings)
    before = first.files["abstract-00000.png"].read_bytes()
    (context.checkpoint / "abstract-00000.json").unlink()
    again = generated(weights, context=context, **settings)
    assert again.files["abstract-00000.png"].read_bytes() == before


def test_steps_guidance_prompts_and_seeds_reach_the_pipeline(weights):
    plain = {"families": ("abstract",), "per_family": 1}

    def pixels(**settings):
        data = generated(weights, **{**plain, **settings})
        return pictures.read(next(path for path in data.files.values() if path.suffix == ".png"), channels=3)

    base = pixels()
    for change in (
        {"guidance": 1.0},
        {"scheduler": "saved"},
        {"negative": "blue"},
        {"context": new_context(seed=6)},
        {"families": ("glitch",)},
    ):
        assert np.abs(pixels(**change).astype(int) - base.astype(int)).max() > 0, change


def test_the_published_folder_is_read_without_the_parts_that_are_not_used(weights, tmp_path):
    folder = tmp_path / "published"
    shutil.copytree(weights, folder)
    index = json.loads((folder / "model_index.json").read_text())
    index |= {
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    assert generated(folder, families=("abstract",), per_family=1).manifest["counts"]["pictures"] == 1


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("unet/diffusion_pytorch_model.safetensors", lambda path: path.rename(path.with_suffix(".bin"))),
        ("text_encoder/model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:5000])),
        ("vae/config.json", lambda path: path.write_text("{}")),
        ("model_index.json", lambda path: path.write_text("[]")),
    ],
    ids=["pickled", "cut off", "of another shape", "no object"],
)
def test_weights_that_cannot_be_used_are_refused_in_a_line(weights, tmp_path, file, change):
    folder = tmp_path / "bad"
    shutil.copytree(weights, folder)
    change(folder / file)
    with pytest.raises(
        InputError, match=r"bad: no whole pipeline of Stable Diffusion with safetensors"
    ) as caught:
        generated(folder, families=("abstract",), per_family=1)
    assert "\n" not in str(caught.value)


def test_weights_that_are_no_numbers_draw_nothing(weights, tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "bad"
    shutil.copytree(weights, folder)
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    save_file(
        {name: np.nan * values for name, values in load_file(file).items()}, file, metadata={"format": "pt"}
    )
    with pytest.raises(InputError, match="all 2 pictures are blank: are these the weights"):
        generated(folder, families=("abstract",), per_family=2)
