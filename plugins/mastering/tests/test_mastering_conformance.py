import pytest

from ripieno.contracts import Audio
from ripieno.contracts.testing import EffectSuite, JoinerSuite, music
from ripieno_mastering.blend import Blend
from ripieno_mastering.filters import HighPass, HighPassConfig, HighShelf, HighShelfConfig
from ripieno_mastering.fusion import MaskFusion
from ripieno_mastering.gate import Gate, GateConfig
from ripieno_mastering.trim import Trim
from ripieno_mastering.wiener import Wiener


class ZeroPhaseSuite(EffectSuite):
    """Tests of a filter whose settings give no session."""

    def session(self):
        pytest.skip("it streams only with phase: minimum")


class TestZeroPhaseHighPass(ZeroPhaseSuite):
    plugin = HighPass


class TestMinimumPhaseHighPass(EffectSuite):
    plugin = HighPass
    config = HighPassConfig(phase="minimum", order=4)


class TestZeroPhaseHighShelf(ZeroPhaseSuite):
    plugin = HighShelf
    config = HighShelfConfig(corner_hz=3000)


class TestMinimumPhaseHighShelf(EffectSuite):
    plugin = HighShelf
    config = HighShelfConfig(phase="minimum", gain_db=6)


class TestTrim(EffectSuite):
    plugin = Trim


class TestGate(EffectSuite):
    plugin = Gate
    # Between the clicks of the kit's sound it closes.
    config = GateConfig(threshold_db=-8, hold_ms=20, release_ms=20)


def parts():
    mixture = music(rate_hz=16000, channels=2, frames=16000)
    estimate = music(rate_hz=16000, channels=2, frames=16000).samples.copy()
    estimate[:, 8000:] *= 0.3
    return mixture, Audio(estimate, 16000)


class TestMaskFusion(JoinerSuite):
    plugin = MaskFusion

    def example(self):
        mixture, estimate = parts()
        return {"mixture": mixture, "estimates": [estimate, mixture]}


class TestWiener(JoinerSuite):
    plugin = Wiener

    def example(self):
        mixture, estimate = parts()
        return {"mixture": mixture, "estimate": estimate}


class TestBlend(JoinerSuite):
    plugin = Blend

    def example(self):
        dry, wet = parts()
        return {"dry": dry, "wet": wet}
