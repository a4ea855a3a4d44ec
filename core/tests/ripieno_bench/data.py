"""Data of the tests: weights, a preset, a recipe."""

import hashlib
from pathlib import Path

from ripieno.contracts import Asset, Preset, Recipe, SampledPlayer, SampledTechnique, SampleLibrary

_SHA256 = hashlib.sha256(b"weights").hexdigest()

weights = Asset(
    version="1",
    url="package:ripieno_bench/weights.bin",
    sha256=_SHA256,
    size=7,
    licence="CC0-1.0",
    commercial=True,
)
hobby_weights = weights.model_copy(update={"licence": "CC-BY-NC-4.0", "commercial": False})
far_weights = weights.model_copy(update={"url": Path(__file__).with_name("weights.bin").as_uri()})
by_hand = Asset(version="1", url="https://example.org/by_hand", licence="CC-BY-4.0", commercial=False)
dear_samples = SampleLibrary(
    description="A harp that is not for sale.",
    instrument="harp",
    file="harp.sfz",
    techniques=(
        SampledTechnique(articulation="plucked", mode="finger", lowest_key=40, highest_key=60, release_s=1),
    ),
    player=SampledPlayer(excitation="plucked"),
    licence="CC-BY-NC-4.0",
    credit="A. Harpist",
    commercial=False,
    source="a harp",
)
louder = Preset(uses="joiner/shout", settings={"mark": "~"})
greeting = Recipe(path=Path(__file__).with_name("greeting.yaml"))
