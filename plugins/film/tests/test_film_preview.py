"""A preview changes of a pipeline what it must, and nothing else."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from ripieno.contracts import ConfigError, MissingError
from ripieno_film.preview import films_in, preview_settings, split_inputs


@dataclass
class Step:
    uses: str
    sources: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Pipeline:
    steps: dict[str, Step]


def album(**more):
    steps = {
        "dream": Step("controller/latent"),
        "film": Step("renderer/latent_film", {"trajectory": "dream"}, {"size": [1080, 1350]}),
    }
    return Pipeline({**steps, **more})


def settings(pipeline=None, **given):
    asked = {"step": None, "part_s": (60.0, 65.0), "scale": 0.5, "preset": None, **given}
    return preview_settings(pipeline or album(), **asked)


def test_a_preview_is_a_part_at_a_smaller_size():
    assert settings() == ("film", {"film.part_s": [60.0, 65.0], "film.size": [540, 676]})


@pytest.mark.parametrize(("scale", "size"), [(1, [1920, 1080]), (0.333, [640, 360]), (0.05, [96, 54])])
def test_sizes_are_even(scale, size):
    plain = Pipeline({"film": Step("renderer/latent_film")})
    assert settings(plain, scale=scale)[1]["film.size"] == size


def test_another_preset_is_given_to_the_controller_of_the_film():
    assert settings(preset="surge")[1]["dream.preset"] == "surge"
    alone = Pipeline({"film": Step("renderer/latent_film", {"trajectory": "path"})})
    with pytest.raises(ConfigError, match="the trajectory of film comes from no controller/latent"):
        settings(alone, preset="surge")


def test_it_must_be_known_which_film():
    two = album(tall=Step("renderer/latent_film", {"trajectory": "dream"}))
    assert settings(two, step="tall")[0] == "tall"
    with pytest.raises(ConfigError, match="several films. Say which: --step film"):
        settings(two)
    with pytest.raises(ConfigError, match="--step fim: no film is made there. There is: film"):
        settings(step="fim")
    with pytest.raises(ConfigError, match="there is no film to look at"):
        settings(Pipeline({"dream": Step("controller/latent")}))


def test_inputs_are_names_and_paths():
    assert split_inputs(["album=a=b.ogg"]) == {"album": "a=b.ogg"}
    with pytest.raises(ConfigError, match="--input album: write NAME=PATH"):
        split_inputs(["album"])


def test_the_films_of_a_run_are_found_in_its_manifest(tmp_path):
    def written(*outputs):
        (tmp_path / "manifest.json").write_text(json.dumps({"outputs": outputs}), encoding="utf-8")
        return films_in(tmp_path, "film")

    film = {"kind": "video", "path": "films/a.mp4", "error": ""}
    data = {"kind": "trajectory", "path": "a.npz", "error": ""}
    assert written(film, data) == [tmp_path / "films/a.mp4"]
    with pytest.raises(MissingError, match=r"Add to its outputs: film: \{item\}\.mp4"):
        written(data)
