"""Sound brought to a loudness, its peaks kept below a ceiling."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Effect, PluginConfig
from ripieno.toolkit.loudness import LoudnessMeter, TruePeakLimiter

BLOCK_FRAMES = 1 << 16
TOLERANCE_LU = 0.05
MOST_PASSES = 8
MOST_DRIVE_DB = 24.0


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

    The result is at the target, within 0.05 LU: what the limiter takes away is measured, and the gain before
    it raised, by 24 dB at most. It stays softer where that or `max_gain_db` binds. What has no loudness,
    silence or less than 0.4 s, gets no gain. Audio that needs neither gain nor limiter is passed on as it is.
    The audio is read twice, and up to eight times more where the limiter works.

    References
    ----------
    ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
    """

    def process(self, audio: Audio) -> Audio:
        meter = self._measured(audio, audio.blocks(BLOCK_FRAMES), passed=0)
        gain_db = self._gain_db(meter.integrated_lufs)
        if meter.true_peak_dbtp + gain_db > self.config.ceiling_dbtp:
            gain_db = self._driven_db(audio, gain_db)
        elif gain_db == 0:
            return audio
        with self.context.audio_writer(audio.format) as writer:
            for index, block in enumerate(self._limited(audio, gain_db)):
                writer.write(block)
                self._progress(audio, index, passed=MOST_PASSES + 1)
            return writer.close()

    def _gain_db(self, measured_lufs: float) -> float:
        if math.isinf(measured_lufs):
            return 0.0
        return min(self.config.target_lufs - measured_lufs, self.config.max_gain_db)

    def _driven_db(self, audio: Audio, gain_db: float) -> float:
        """The gain that reaches the target through the limiter, from the one that would without it.

        Loudness rises with the gain, by less and less: the secant comes near the target from below.
        """
        most_db = min(gain_db + MOST_DRIVE_DB, self.config.max_gain_db)
        slope, before_db, before_lufs = 1.0, gain_db, math.nan
        for passed in range(1, MOST_PASSES + 1):
            reached_lufs = self._measured(audio, self._limited(audio, gain_db), passed=passed).integrated_lufs
            missing_lu = self.config.target_lufs - reached_lufs
            if (
                abs(missing_lu) <= TOLERANCE_LU
                or math.isinf(missing_lu)
                or (missing_lu > 0 and gain_db >= most_db)
            ):
                break
            if gain_db != before_db:
                slope = min(1.0, max(0.1, (reached_lufs - before_lufs) / (gain_db - before_db)))
            before_db, before_lufs = gain_db, reached_lufs
            gain_db = min(gain_db + missing_lu / slope, most_db)
        return gain_db

    def _limited(self, audio: Audio, gain_db: float) -> Iterator[NDArray[np.float32]]:
        gain = 10 ** (gain_db / 20)
        limiter = TruePeakLimiter(
            audio.rate_hz,
            channels=audio.channels,
            ceiling_dbtp=self.config.ceiling_dbtp,
            lookahead_ms=self.config.lookahead_ms,
            release_ms=self.config.release_ms,
        )
        for block in audio.blocks(BLOCK_FRAMES):
            yield limiter.push(gain * block)
        yield limiter.flush()

    def _measured(self, audio: Audio, blocks: Iterable[NDArray[np.float32]], *, passed: int) -> LoudnessMeter:
        meter = LoudnessMeter(audio.rate_hz, channels=audio.channels)
        for index, block in enumerate(blocks):
            meter.push(block)
            self._progress(audio, index, passed=passed)
        return meter

    def _progress(self, audio: Audio, index: int, *, passed: int) -> None:
        total = -(-audio.frames // BLOCK_FRAMES) + 1
        self.context.progress(passed + index / total, MOST_PASSES + 2, unit="passes")
