"""Sound brought to a loudness, its peaks kept below a ceiling."""

import math

from pydantic import Field

from ripieno.contracts import Audio, Effect, PluginConfig
from ripieno.toolkit.loudness import LoudnessMeter, TruePeakLimiter

BLOCK_FRAMES = 1 << 16


class LoudnessConfig(PluginConfig):
    """Settings of `Loudness`."""

    target_lufs: float = Field(
        -16.0,
        ge=-70,
        le=0,
        description="Integrated loudness of the output.",
        json_schema_extra={"unit": "LUFS"},
    )
    ceiling_dbtp: float = Field(
        -1.0, ge=-40, le=0, description="Highest true peak of the output.", json_schema_extra={"unit": "dBTP"}
    )
    max_gain_db: float = Field(
        30.0, ge=0, description="Gain is never more than this.", json_schema_extra={"unit": "dB"}
    )
    lookahead_ms: float = Field(
        5.0,
        ge=1,
        le=100,
        description="How long before a peak the limiter begins to lower the gain.",
        json_schema_extra={"unit": "ms"},
    )
    release_ms: float = Field(
        200.0,
        gt=0,
        le=5000,
        description="How long the limiter takes from full reduction to none.",
        json_schema_extra={"unit": "ms"},
    )


class Loudness(Effect[LoudnessConfig]):
    """Loudness normalisation: one gain for the whole, then a true-peak limiter.

    The result is at the target unless the limiter works or `max_gain_db` binds. What has no loudness, silence
    or less than 0.4 s, gets no gain. Audio that needs neither gain nor limiter is passed on as it is.

    References
    ----------
    ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
    """

    def process(self, audio: Audio) -> Audio:
        meter = LoudnessMeter(audio.rate_hz, channels=audio.channels)
        for index, block in enumerate(audio.blocks(BLOCK_FRAMES)):
            meter.push(block)
            self._progress(audio, index * BLOCK_FRAMES / 2)
        gain_db = self._gain_db(meter.integrated_lufs)
        if gain_db == 0 and meter.true_peak_dbtp <= self.config.ceiling_dbtp:
            return audio
        return self._amplified(audio, gain_db)

    def _gain_db(self, measured_lufs: float) -> float:
        if math.isinf(measured_lufs):
            return 0.0
        return min(self.config.target_lufs - measured_lufs, self.config.max_gain_db)

    def _amplified(self, audio: Audio, gain_db: float) -> Audio:
        gain = 10 ** (gain_db / 20)
        limiter = TruePeakLimiter(
            audio.rate_hz,
            channels=audio.channels,
            ceiling_dbtp=self.config.ceiling_dbtp,
            lookahead_ms=self.config.lookahead_ms,
            release_ms=self.config.release_ms,
        )
        with self.context.audio_writer(audio.format) as writer:
            for index, block in enumerate(audio.blocks(BLOCK_FRAMES)):
                writer.write(limiter.push(gain * block))
                self._progress(audio, (audio.frames + index * BLOCK_FRAMES) / 2)
            writer.write(limiter.flush())
            return writer.close()

    def _progress(self, audio: Audio, frames: float) -> None:
        self.context.progress(frames / audio.rate_hz, audio.duration_s, unit="s")
