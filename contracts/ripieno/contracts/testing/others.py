"""What plugins without fixed ports keep: decoders, data, models, figures, pages."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..files import Bundle, Dataset, Model, Scores
from ..interfaces import (
    Augmenter,
    BeatDecoder,
    DataSource,
    Generator,
    Joiner,
    Metric,
    PerformanceDecoder,
    Sink,
    Trainer,
)
from .streaming import StreamingSuite
from .suite import PluginSuite, digest, overrides


class BeatDecoderSuite(StreamingSuite):
    """Tests of a `BeatDecoder`; the subclass defines `example`."""

    interface = BeatDecoder

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        activations = inputs["activations"]
        frames = max((len(head) for head in activations.heads.values()), default=0)
        end_s = activations.start_s + frames / activations.rate_hz
        assert (result.beats.times_s <= end_s).all(), "beats after the activations"


class PerformanceDecoderSuite(StreamingSuite):
    """Tests of a `PerformanceDecoder`; the subclass defines `example`."""

    interface = PerformanceDecoder


class JoinerSuite(PluginSuite):
    """Tests of a `Joiner`; the subclass defines `example`."""

    interface = Joiner


class GeneratorSuite(PluginSuite):
    """Tests of a `Generator`; the subclass defines `example`."""

    interface = Generator


class MetricSuite(PluginSuite):
    """Tests of a `Metric`; the subclass defines `example`."""

    interface = Metric

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Scores)
        assert result.values, "no figures"


class SinkSuite(PluginSuite):
    """Tests of a `Sink`; the subclass defines `example`."""

    interface = Sink

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Bundle)
        _check_files(result.files)


class TrainerSuite(PluginSuite):
    """Tests of a `Trainer`; the subclass defines `example`."""

    interface = Trainer

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Model)
        _check_files({result.path.name: result.path})
        assert result.metadata, "a model without a card: say data, seed and metrics in its metadata"


class DataSourceSuite(PluginSuite):
    """Tests of a `DataSource`."""

    interface = DataSource

    def example(self) -> dict[str, Any]:
        return {}

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Dataset)
        _check_files(result.files)
        assert json.loads(json.dumps(dict(result.manifest))) == result.manifest, "the manifest is not JSON"


class AugmenterSuite(PluginSuite):
    """Tests of an `Augmenter`; the subclass defines `augmented`, an example as its trainer gives it."""

    interface = Augmenter

    def augmented(self) -> Any:
        """An example."""
        raise NotImplementedError(f"{type(self).__name__} must define augmented()")

    def draw(self, seed: int) -> Any:
        """Parameters of one use."""
        plugin: Any = self.plugin(self.settings())
        return plugin.draw(np.random.default_rng(seed))

    def example(self) -> dict[str, Any]:
        return {"example": self.augmented(), "draw": self.draw(0)}

    def test_the_same_generator_draws_the_same(self) -> None:
        assert digest([self.draw(seed) for seed in range(5)]) == digest(
            [self.draw(seed) for seed in range(5)]
        )

    @overrides("an example is of the trainer's own type")
    def test_the_result_is_what_it_declares(self) -> None:
        assert type(self.result()) is type(self.augmented())


def _check_files(files: Mapping[str, Any]) -> None:
    assert files, "no files"
    lost = [name for name, path in files.items() if not path.is_file()]
    assert not lost, f"named, but not there: {', '.join(lost)}"
