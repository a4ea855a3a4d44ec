"""The example of training a generator, at its smallest: pictures made, a generator trained, measured and shown."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples" / "train-gan"
SMALLEST = {
    "pictures.count": 20,
    "generator.first_steps": 1,
    "generator.steps": 2,
    "generator.epoch": 1,
    "generator.batch": 2,
    "generator.judged": 4,
    "generator.anchors": 5,
    "scores.count": 4,
}


@pytest.mark.slow
def test_a_generator_is_trained_measured_and_shown(bench):
    pytest.importorskip("lightning")
    settings = [word for key, value in SMALLEST.items() for word in ("--set", f"{key}={value}")]
    ran = bench.run(FOLDER / "pipeline.yaml", *settings)
    card = json.loads(ran.text("generator.json"))["metadata"]
    assert card["settings"]["steps"] == 2 and [entry["step"] for entry in card["history"]] == [1, 2]
    assert "kid" in json.loads(ran.text("scores.json"))["values"]
    page = ran.text("report/index.html")
    for name in ("data", "bank", "mixtures", "interpolations", "axes"):
        assert f'src="{name}.png"' in page and (ran.folder / "report" / f"{name}.png").stat().st_size
