"""What plugins that are not wired to sound alone keep: decoders, pictures, data, models, figures, pages."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import interfaces
from ..audio import Audio
from .streaming import StreamingSuite
from .suite import PluginSuite, digest, overrides


class BeatDecoderSuite(StreamingSuite):
    """Tests of a `BeatDecoder`; the subclass defines `example`."""

    interface = interfaces.BeatDecoder

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        activations = inputs["activations"]
        frames = max((len(head) for head in activations.heads.values()), default=0)
        end_s = activations.start_s + frames / activations.rate_hz
        assert (result.beats.times_s <= end_s).all(), "beats after the activations"


class PerformanceDecoderSuite(StreamingSuite):
    """Tests of a `PerformanceDecoder`; the subclass defines `example`."""

    interface = interfaces.PerformanceDecoder


class JoinerSuite(PluginSuite):
    """Tests of a `Joiner`; the subclass defines `example`."""

    interface = interfaces.Joiner


class GeneratorSuite(PluginSuite):
    """Tests of a `Generator`; the subclass defines `example`."""

    interface = interfaces.Generator


class MetricSuite(PluginSuite):
    """Tests of a `Metric`; the subclass defines `example`."""

    interface = interfaces.Metric

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert result.values, "no figures"


class SinkSuite(PluginSuite):
    """Tests of a `Sink`; the subclass defines `example`."""

    interface = interfaces.Sink

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        _check_files(result.files)


class TrainerSuite(PluginSuite):
    """Tests of a `Trainer`; the subclass defines `example`."""

    interface = interfaces.Trainer

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        _check_files({result.path.name: result.path})
        assert result.metadata, "a model without a card: say data, seed and metrics in its metadata"


class DataSourceSuite(PluginSuite):
    """Tests of a `DataSource`."""

    interface = interfaces.DataSource

    def example(self) -> dict[str, Any]:
        return {}

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        _check_files(result.files)
        assert json.loads(json.dumps(dict(result.manifest))) == result.manifest, "the manifest is not JSON"


class AugmenterSuite(PluginSuite):
    """Tests of an `Augmenter`; the subclass defines `augmented`, an example as its trainer gives it."""

    interface = interfaces.Augmenter

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


class ControllerSuite(StreamingSuite):
    """Tests of a `Controller`; the subclass defines `example`."""

    interface = interfaces.Controller


class RendererSuite(PluginSuite):
    """Tests of a `Renderer`; the subclass defines `example`."""

    interface = interfaces.Renderer

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert result.path.stat().st_size, "an empty film"
        settings: Any = self.settings()
        assert [result.width, result.height] == list(settings.size), "not the size that was asked for"
        assert result.fps == settings.fps, "not the frame rate that was asked for"
        longest_s = max(
            (value.duration_s for value in inputs.values() if isinstance(value, Audio)), default=None
        )
        assert longest_s is None or abs(result.duration_s - longest_s) <= 1 / result.fps, (
            f"a film of {result.duration_s:.3f} s for music of {longest_s:.3f} s"
        )


class PictureSuite(PluginSuite):
    """Tests of what gives frames."""

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert result.dtype == np.uint8, f"frames are {result.dtype}, expected uint8"
        assert result.ndim == 4, f"frames have shape {result.shape}"
        assert result.shape[3] == 3, f"frames have shape {result.shape}"

    @overrides("frames are an array, no artifact; `check` looks at them")
    def test_the_result_is_what_it_declares(self) -> None:
        self.result()


class FrameDecoderSuite(PictureSuite):
    """Tests of a `FrameDecoder`; the subclass defines `example`."""

    interface = interfaces.FrameDecoder


class FrameEffectSuite(PictureSuite):
    """Tests of a `FrameEffect`.

    An effect may look back: as many frames as its `lead_frames` says, an attribute or property that is a
    number; none where it has none. An effect whose settings say ``fps`` is tried at that rate.
    """

    interface = interfaces.FrameEffect

    def example(self) -> dict[str, Any]:
        frames = np.random.default_rng(0).integers(0, 256, (3, 36, 64, 3), np.uint8)
        return {"frames": frames, "start_s": 1.0}

    def inputs(self, case: str) -> dict[str, Any]:
        example = self.example()
        frames = example["frames"]
        cases = {
            "no frames": frames[:0],
            "one frame": frames[:1],
            "odd size": frames[:, :35, :63],
            "one pixel": frames[:, :1, :1],
            "black": np.zeros_like(frames),
            "white": np.full_like(frames, 255),
            "frames of a larger array": np.repeat(np.repeat(frames, 2, axis=1), 2, axis=2)[:, ::2, ::2],
        }
        return {**example, "frames": cases.get(case, frames)}

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        super().check(inputs, result)
        assert result.shape == inputs["frames"].shape, "it changes the number or size of frames"

    def test_no_frames_are_taken(self) -> None:
        self.result("no frames")

    def test_one_frame_is_taken(self) -> None:
        self.result("one frame")

    def test_frames_of_any_size_are_taken(self) -> None:
        self.result("odd size")
        self.result("one pixel")

    def test_black_and_white_frames_are_taken(self) -> None:
        self.result("black")
        self.result("white")

    def test_where_frames_lie_in_memory_makes_no_difference(self) -> None:
        scattered = self.result("frames of a larger array")
        assert np.array_equal(scattered, self.result()), "it reads frames as if they were contiguous"

    def test_what_it_gives_does_not_depend_on_how_frames_are_dealt_out(self) -> None:
        self.needs_reproducible()
        plugin: Any = self.plugin(self.settings())
        fps = float(getattr(plugin.config, "fps", 30.0))
        lead = int(getattr(plugin, "lead_frames", 0))
        frames = np.random.default_rng(1).integers(0, 256, (lead + 6, 24, 32, 3), np.uint8)
        first = round(self.example()["start_s"] * fps)
        whole = self.call(plugin, {"frames": frames, "start_s": first / fps})
        for start, stop in ((lead, lead + 1), (lead + 1, lead + 4), (lead + 4, lead + 6)):
            part = {"frames": frames[start - lead : stop], "start_s": (first + start - lead) / fps}
            assert np.array_equal(self.call(plugin, part)[lead:], whole[start:stop]), (
                f"frames {start} to {stop - 1} differ where a call begins {lead} before them"
            )


def _check_files(files: Mapping[str, Any]) -> None:
    assert files, "no files"
    lost = [name for name, path in files.items() if not path.is_file()]
    assert not lost, f"named, but not there: {', '.join(lost)}"
