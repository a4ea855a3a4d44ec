import numpy as np
import pytest

from ripieno.contracts.testing import FrameEffectSuite
from ripieno_film_effects.chroma_shift import ChromaShift, ChromaShiftConfig
from ripieno_film_effects.grain import Grain, GrainConfig
from ripieno_film_effects.lut import Lut
from ripieno_film_effects.title import Title, TitleConfig
from ripieno_film_effects.tone import Tone, ToneConfig
from ripieno_film_effects.trails import Trails, TrailsConfig
from ripieno_film_effects.vignette import Vignette, VignetteConfig


class TestTone(FrameEffectSuite):
    plugin = Tone
    config = ToneConfig(curve="punch", saturation=1.3)


class TestLut(FrameEffectSuite):
    plugin = Lut


class TestChromaShift(FrameEffectSuite):
    plugin = ChromaShift
    config = ChromaShiftConfig(shift=-37.5)


class TestVerticalChromaShift(FrameEffectSuite):
    plugin = ChromaShift
    config = ChromaShiftConfig(shift=42, axis="vertical")


class TestTrails(FrameEffectSuite):
    plugin = Trails
    config = TrailsConfig(strength=0.8, length_s=0.15)


class TestVignette(FrameEffectSuite):
    plugin = Vignette
    config = VignetteConfig(strength=0.6)


class TestGrain(FrameEffectSuite):
    plugin = Grain
    config = GrainConfig(strength=0.3, fps=25)


class TestTitle(FrameEffectSuite):
    plugin = Title
    config = TitleConfig(title="Aurora", artist="Ripieno", start_s=0.9, length_s=1, fps=60)

    def example(self):
        frames = np.random.default_rng(0).integers(0, 256, (3, 60, 96, 3), np.uint8)
        return {"frames": frames, "start_s": 1.0}


@pytest.mark.parametrize("effect", [Tone, Lut, ChromaShift, Trails, Vignette, Grain, Title])
def test_an_effect_without_settings_changes_nothing(effect):
    frames = np.random.default_rng(0).integers(0, 256, (2, 90, 160, 3), np.uint8)
    assert effect().neutral
    assert np.array_equal(effect().apply(frames, 1.0), frames)
    assert not getattr(effect(), "lead_frames", 0)
