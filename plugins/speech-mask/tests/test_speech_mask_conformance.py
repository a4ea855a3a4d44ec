"""What the kit asks of a separator that streams, with the networks that come with the package."""

import pytest

from ripieno.contracts import AudioFormat
from ripieno.contracts.testing import SeparatorSuite
from ripieno_speech_mask.separation import SpeechMask, SpeechMaskConfig


class TestWithLookAhead(SeparatorSuite):
    plugin = SpeechMask


class TestWithoutLookAhead(SeparatorSuite):
    plugin = SpeechMask
    config = SpeechMaskConfig(look_ahead_s=0.0)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
def test_what_does_not_look_ahead_is_40_ms_late_at_most(rate_hz):
    plugin = SpeechMask(SpeechMaskConfig(look_ahead_s=0.0))
    assert plugin.stream({"audio": AudioFormat(rate_hz, 2)}).latency.total_s <= 0.040
