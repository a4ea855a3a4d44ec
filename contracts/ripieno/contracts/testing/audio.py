"""What plugins that take sound keep: every length, rate and number of channels that they accept."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from ..audio import Audio, AudioSpec
from ..errors import InputError
from ..events import Beats
from ..interfaces import BeatTracker, Effect, Frontend, Separator, StructureAnalyzer, Transcriber
from .streaming import StreamingSuite


def music(*, rate_hz: int, channels: int, frames: int) -> Audio:
    """A tone, a click every quarter of a second and a little noise; each channel softer than the last."""
    time_s = np.arange(frames) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * 220 * time_s)
    clicks = 0.5 * np.exp(-(time_s % 0.25) * 200)
    noise = 0.01 * np.random.default_rng(0).standard_normal(frames)
    gains = 1 / np.arange(1, channels + 1)
    return Audio(np.outer(gains, tone + clicks + noise).astype(np.float32), rate_hz)


class AudioSuite(StreamingSuite):
    """Tests of the interfaces whose input is sound."""

    clip_s: ClassVar[float] = 1.0
    """Length of the sound that most tests use."""
    rate_hz: ClassVar[int] = 44100
    """Its rate, where the plugin accepts any."""

    def spec(self) -> AudioSpec:
        """What the plugin accepts."""
        return self.plugin.accepts.get("audio", AudioSpec())

    def clip(self, *, seconds: float = 0, frames: int = 0, rate_hz: int = 0, channels: int = 0) -> Audio:
        """Sound as the plugin accepts it; two channels where it leaves them open."""
        rate_hz = rate_hz or self.spec().rate_hz or self.rate_hz
        channels = channels or self.spec().channels or 2
        return music(rate_hz=rate_hz, channels=channels, frames=frames or round(seconds * rate_hz))

    def ports(self, audio: Audio) -> dict[str, Any]:
        """Arguments of the verb for this sound."""
        return {"audio": audio}

    def example(self) -> dict[str, Any]:
        return self.ports(self.clip(seconds=self.clip_s))

    def inputs(self, case: str) -> dict[str, Any]:
        cases = {
            "silence": lambda: Audio(0 * self.clip(seconds=self.clip_s).samples, self.clip().rate_hz),
            "one sample": lambda: self.clip(frames=1),
            "empty": lambda: self.clip(),
            "mono": lambda: self.clip(seconds=self.clip_s, channels=1),
            "odd": lambda: self.clip(frames=10007),
            "8 kHz": lambda: self.clip(seconds=self.clip_s, rate_hz=8000),
            "192 kHz": lambda: self.clip(seconds=self.clip_s / 4, rate_hz=192000),
        }
        return self.ports(cases[case]()) if case in cases else self.example()

    def test_silence_is_taken(self) -> None:
        self.result("silence")

    def test_one_sample_is_taken(self) -> None:
        self.result("one sample")

    def test_empty_audio_is_taken(self) -> None:
        self.result("empty")

    def test_an_odd_length_is_taken(self) -> None:
        self.result("odd")

    def test_mono_is_taken(self) -> None:
        if self.spec().channels not in (None, 1):
            pytest.skip(f"it accepts {self.spec().channels} channels")
        self.result("mono")

    @pytest.mark.parametrize("case", ["8 kHz", "192 kHz"])
    def test_an_extreme_rate_is_taken(self, case: str) -> None:
        if self.spec().rate_hz is not None:
            pytest.skip(f"it accepts {self.spec().rate_hz} Hz")
        self.result(case)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite_never_reaches_it(self, value: float) -> None:
        samples = self.clip(frames=100).samples.copy()
        samples[0, 50] = value
        with pytest.raises(InputError, match="sample 50 of channel 0"):
            self.ports(Audio(samples, self.clip().rate_hz))


class SeparatorSuite(AudioSuite):
    """Tests of a `Separator`."""

    interface = Separator

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        audio = inputs["audio"]
        assert result.names == tuple(self.plugin.output_names(self.settings())), "stems are not output_names"
        shapes = {name: (stem.format, stem.frames) for name, stem in result.items.items()}
        assert set(shapes.values()) == {(audio.format, audio.frames)}, f"{audio} became {shapes}"


class EffectSuite(AudioSuite):
    """Tests of an `Effect`."""

    interface = Effect

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert inputs["audio"].frames or not result.frames, "empty audio became sound"


class FrontendSuite(AudioSuite):
    """Tests of a `Frontend`."""

    interface = Frontend

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        audio = inputs["audio"]
        assert audio.frames or not len(result.values), "empty audio has frames"
        assert not (result.times_s > audio.duration_s + 1 / result.rate_hz).any(), "frames after the audio"


class TranscriberSuite(AudioSuite):
    """Tests of a `Transcriber`."""

    interface = Transcriber

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        frames = max((len(head) for head in result.heads.values()), default=0)
        end_s = result.start_s + frames / result.rate_hz
        assert end_s <= inputs["audio"].duration_s + 2 / result.rate_hz, "frames after the audio"


class BeatTrackerSuite(AudioSuite):
    """Tests of a `BeatTracker`."""

    interface = BeatTracker
    clip_s = 4.0

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        assert (result.beats.times_s <= inputs["audio"].duration_s).all(), "beats after the audio"

    def test_silence_has_no_beats(self) -> None:
        assert not len(self.result("silence").beats.times_s)


class StructureAnalyzerSuite(AudioSuite):
    """Tests of a `StructureAnalyzer`."""

    interface = StructureAnalyzer
    clip_s = 8.0

    def ports(self, audio: Audio) -> dict[str, Any]:
        return {"audio": audio, "beats": Beats(np.arange(0, audio.duration_s, 0.5))}

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        duration_s = inputs["audio"].duration_s
        edges = [0.0] if duration_s else []
        assert [*result.start_s, *([duration_s] if duration_s else [])] == [*edges, *result.end_s], (
            "sections do not cover the audio from start to end without a gap"
        )
