"""Loudness, its range and true peak, of a sound alone."""

import math

from ripieno.contracts import Audio, Metric, NoConfig, Scores
from ripieno.toolkit.loudness import LoudnessMeter

from .comparing import BLOCK_FRAMES, scored

SHORT_TERM_S = 3.0
"""Length of what the range is the spread of."""


class LoudnessScores(Metric[NoConfig]):
    """Integrated loudness, loudness range and true peak.

    References
    ----------
    ITU-R BS.1770-4: Algorithms to measure audio programme loudness and true-peak audio level. 2015.
    EBU Tech 3342: Loudness range. 2016.
    """

    def measure(self, audio: Audio) -> Scores:
        """Figures of `audio`.

        Parameters
        ----------
        audio : Audio
            From 8000 Hz, with 1, 2, 3, 5 (5.0), 6 (5.1) or 8 (7.1) channels.

        Returns
        -------
        Scores
            ``loudness_lufs``, left out below the absolute gate of -70 LUFS and for less than 0.4 s;
            ``loudness_range_lu``, left out below that gate and for less than 3 s; ``true_peak_dbtp``, left
            out for silence.

        Raises
        ------
        InputError
            If the rate or the number of channels is another.
        """
        meter = LoudnessMeter(audio.rate_hz, channels=audio.channels)
        for block in audio.blocks(BLOCK_FRAMES):
            meter.push(block)
        has_range = audio.duration_s >= SHORT_TERM_S and math.isfinite(meter.integrated_lufs)
        values = {
            "loudness_lufs": meter.integrated_lufs,
            "loudness_range_lu": meter.range_lu if has_range else math.nan,
            "true_peak_dbtp": meter.true_peak_dbtp,
        }
        otherwise = "silent, or shorter than 0.4 s, or than 3 s for the range"
        return scored(values, against="full scale (ITU-R BS.1770-4), no reference", otherwise=otherwise)
