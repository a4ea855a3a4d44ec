"""Intelligibility and quality of a voice beside the true one, as models of listeners predict them.

Conventions
-----------
Both models take mono: more channels are brought to their mean, so what stands in opposite phase is not heard.
Long sounds are measured in equal parts and the mean is given, so that an hour takes the memory of a part;
what is shorter than the longest part is measured whole. Parts without speech are left out.
"""

import math
import warnings
from typing import Literal

import numpy as np
from pydantic import Field

from ripieno.contracts import Audio, Metric, MissingError, PluginConfig, Scores

from .comparing import Samples, check_lengths, is_silent, mean, parts_together, scored, told

# STOI compares stretches of 30 frames of 256 samples every 128, at 10 kHz.
STOI_LEAST_S = (29 * 128 + 256) / 10_000
NO_SPEECH = "no part has speech in the reference and sound in the estimate for long enough"


class StoiConfig(PluginConfig):
    """Settings of `Stoi`."""

    extended: bool = Field(False, description="Whether to give the extended measure, `estoi`, too.")
    part_s: float = Field(
        60.0,
        ge=5,
        le=600,
        description="Longest part that is measured at once; the mean of equal parts is given.",
        json_schema_extra={"unit": "s"},
    )


class Stoi(Metric[StoiConfig]):
    """Short-time objective intelligibility, by pystoi.

    References
    ----------
    Taal, Hendriks, Heusdens, Jensen: An algorithm for intelligibility prediction of time-frequency weighted
    noisy speech. IEEE TASLP 19(7), 2011.
    Jensen, Taal: An algorithm for predicting the intelligibility of speech masked by modulated noise maskers.
    IEEE/ACM TASLP 24(11), 2016.
    """

    def measure(self, estimate: Audio, reference: Audio) -> Scores:
        """Figures of `estimate` beside `reference`.

        Parameters
        ----------
        estimate : Audio
            What came out.
        reference : Audio
            The clean voice, as long. The estimate is brought to its rate.

        Returns
        -------
        Scores
            ``stoi``, and ``estoi`` where asked for: about 0 to 1, higher is easier to understand. Left out
            where there is less than 0.4 s of speech.

        Raises
        ------
        InputError
            If the lengths differ.
        MissingError
            If pystoi is not installed.
        """
        check_lengths(estimate=estimate, reference=reference)
        rate_hz = reference.rate_hz
        extended = {"stoi": False} | ({"estoi": True} if self.config.extended else {})
        pairs = parts_together([estimate, reference], rate_hz=rate_hz, longest_s=self.config.part_s)
        found = [
            [stoi(heard, truth, rate_hz=rate_hz, extended=extend) for extend in extended.values()]
            for heard, truth in pairs
        ]
        return _mean_of_parts(found, names=list(extended), reference=reference)


def stoi(estimate: Samples, reference: Samples, *, rate_hz: int, extended: bool = False) -> float:
    """pystoi's figure of mono sounds [frames]; nan where too little of the reference is speech.

    Raises
    ------
    MissingError
        If pystoi is not installed.
    """
    try:
        import pystoi
    except ImportError as cause:
        raise MissingError(
            'metric/stoi needs pystoi. Run: pip install "ripieno-speech-metrics[stoi]"'
        ) from cause
    if len(reference) < STOI_LEAST_S * rate_hz or is_silent(reference):
        return math.nan
    # The extended measure adds noise of 1e-16 from numpy's global generator; it is put back as it was.
    state = np.random.get_state()
    np.random.seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            return float(pystoi.stoi(reference.astype(float), estimate.astype(float), rate_hz, extended))
    except RuntimeWarning:
        return math.nan
    finally:
        np.random.set_state(state)


class PesqConfig(PluginConfig):
    """Settings of `Pesq`."""

    band: Literal["wide", "narrow"] = Field(
        "wide", description="wide: P.862.2 at 16 kHz; narrow: P.862.1 at 8 kHz, as of a telephone."
    )
    # Longer ones may have more utterances than the 50 that the reference code keeps.
    part_s: float = Field(
        20.0,
        ge=5,
        le=20,
        description="Longest part that is measured at once; the mean of equal parts is given.",
        json_schema_extra={"unit": "s"},
    )


class Pesq(Metric[PesqConfig]):
    """Perceptual evaluation of speech quality, by the ITU's code in the package pesq.

    References
    ----------
    ITU-T P.862: Perceptual evaluation of speech quality. 2001. P.862.1: Mapping function. 2003.
    P.862.2: Wideband extension. 2007.
    """

    def measure(self, estimate: Audio, reference: Audio) -> Scores:
        """Figures of `estimate` beside `reference`.

        Parameters
        ----------
        estimate : Audio
            What came out.
        reference : Audio
            The clean voice, as long. Both are brought to 16 kHz, or 8 kHz for the narrow band.

        Returns
        -------
        Scores
            ``pesq_wb`` or ``pesq_nb``: mean opinion score, about 1 to 4.6. Left out where less than 0.25 s, no
            speech in the reference, or silence is compared.

        Raises
        ------
        InputError
            If the lengths differ.
        MissingError
            If pesq is not installed.
        """
        check_lengths(estimate=estimate, reference=reference)
        wide = self.config.band == "wide"
        rate_hz = 16_000 if wide else 8000
        pairs = parts_together([estimate, reference], rate_hz=rate_hz, longest_s=self.config.part_s)
        found = [[pesq(heard, truth, rate_hz=rate_hz)] for heard, truth in pairs]
        return _mean_of_parts(found, names=["pesq_wb" if wide else "pesq_nb"], reference=reference)


def pesq(estimate: Samples, reference: Samples, *, rate_hz: int) -> float:
    """The figure of mono sounds [frames], wide band at 16 kHz and narrow at 8 kHz; nan where there is none.

    Raises
    ------
    MissingError
        If pesq is not installed.
    """
    try:
        from pesq import BufferTooShortError, NoUtterancesError, pesq as measured
    except ImportError as cause:
        raise MissingError(
            'metric/pesq needs pesq. Run: pip install "ripieno-speech-metrics[pesq]"'
        ) from cause
    if is_silent(estimate) or is_silent(reference):
        return math.nan
    try:
        return float(measured(rate_hz, reference, estimate, "wb" if rate_hz == 16_000 else "nb"))
    except (BufferTooShortError, NoUtterancesError):
        return math.nan


def _mean_of_parts(found: list[list[float]], *, names: list[str], reference: Audio) -> Scores:
    """The mean of each figure over the parts that have all of them."""
    measured = [figures for figures in found if not any(map(math.isnan, figures))]
    values = {name: mean(figures[index] for figures in measured) for index, name in enumerate(names)}
    of_parts = f", mean of {len(measured)} of {len(found)} parts" if len(found) > 1 else ""
    return scored(values, against=f"the reference, {told(reference)}{of_parts}", otherwise=NO_SPEECH)
