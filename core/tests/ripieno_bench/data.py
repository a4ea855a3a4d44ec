"""Data of the tests: weights, a preset, a recipe."""

import hashlib
from pathlib import Path

from ripieno.contracts import Asset, Preset, Recipe

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
drift = Preset(uses="joiner/shout", settings={"mark": "~"})
greeting = Recipe(path=Path(__file__).with_name("greeting.yaml"))
