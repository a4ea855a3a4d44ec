"""What plugins that make pictures keep: size, rate and length as asked for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..audio import Audio
from ..files import Video
from ..interfaces import Controller, FrameDecoder, FrameEffect, Renderer
from ..series import Trajectory
from .streaming import StreamingSuite
from .suite import PluginSuite, overrides


class ControllerSuite(StreamingSuite):
    """Tests of a `Controller`; the subclass defines `example`."""

    interface = Controller

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Trajectory)


class RendererSuite(PluginSuite):
    """Tests of a `Renderer`; the subclass defines `example`."""

    interface = Renderer

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert isinstance(result, Video)
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

    interface = FrameDecoder


class FrameEffectSuite(PictureSuite):
    """Tests of a `FrameEffect`."""

    interface = FrameEffect

    def example(self) -> dict[str, Any]:
        frames = np.random.default_rng(0).integers(0, 256, (3, 36, 64, 3), np.uint8)
        return {"frames": frames, "start_s": 1.0}

    def inputs(self, case: str) -> dict[str, Any]:
        example = self.example()
        return {**example, "frames": example["frames"][:0]} if case == "no frames" else example

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        super().check(inputs, result)
        assert result.shape == inputs["frames"].shape, "it changes the number or size of frames"

    def test_no_frames_are_taken(self) -> None:
        self.result("no frames")
