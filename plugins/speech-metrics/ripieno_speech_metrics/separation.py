"""What a separation left of the voice and of the music, by the true ones.

Conventions
-----------
Everything is brought to the rate of the true speech. Channels are measured one by one; a mono sound stands
for each channel of the others.
"""

from ripieno.contracts import Audio, Metric, NoConfig, Scores
from ripieno.toolkit.distortion import ResidualMusicMeter, SiSdrMeter

from .comparing import blocks_together, check_lengths, common_channels, scored, told


class SiSdr(Metric[NoConfig]):
    """Scale-invariant signal-to-distortion ratio, and by how much it is better than that of the mixture.

    References
    ----------
    Le Roux, Wisdom, Erdogan, Hershey: SDR - half-baked or well done? ICASSP 2019.
    """

    def measure(self, estimate: Audio, reference: Audio, mixture: Audio | None = None) -> Scores:
        """Figures of `estimate` beside `reference`.

        Parameters
        ----------
        estimate : Audio
            What came out.
        reference : Audio
            The true signal, as long.
        mixture : Audio, optional
            What the estimate was made from.

        Returns
        -------
        Scores
            ``si_sdr_db``, the mean over the channels whose reference is not silent; with a mixture
            ``si_sdr_mixture_db`` and ``si_sdr_improvement_db``. A ratio that is not finite is left out.

        Raises
        ------
        InputError
            If lengths or numbers of channels do not fit.
        """
        others = {"estimate": estimate} | ({"mixture": mixture} if mixture is not None else {})
        check_lengths(reference=reference, **others)
        channels = common_channels(reference=reference, **others)
        meters = [SiSdrMeter(channels=channels) for _ in others]
        sounds = [reference, *others.values()]
        for truth, *blocks in blocks_together(sounds, rate_hz=reference.rate_hz, channels=channels):
            for meter, block in zip(meters, blocks, strict=True):
                meter.push(block, truth)
        ratios = [meter.db for meter in meters]
        values = {"si_sdr_db": ratios[0]}
        if mixture is not None:
            values |= {"si_sdr_mixture_db": ratios[1], "si_sdr_improvement_db": ratios[0] - ratios[1]}
        against = (
            f"{'the reference' if mixture is None else 'the reference and the mixture'}, {told(reference)}"
        )
        return scored(
            values, against=against, otherwise="one of the signals is silent, or the same as the reference"
        )


class ResidualMusic(Metric[NoConfig]):
    """Music left in what should be speech alone, by local projection on the true speech and music.

    The definition, and what it can tell apart, is `ripieno.toolkit.distortion.ResidualMusicMeter`.

    References
    ----------
    Vincent, Gribonval, Fevotte: Performance measurement in blind audio source separation. IEEE TASLP 14(4),
    2006.
    """

    def measure(self, estimate: Audio, speech: Audio, music: Audio) -> Scores:
        """Figures of `estimate` beside the two parts of its mixture.

        Parameters
        ----------
        estimate : Audio
            What came out.
        speech, music : Audio
            The true parts at their levels in the mixture, as long.

        Returns
        -------
        Scores
            ``residual_music_db``: 0 = as in the mixture of both, -15 = the music 15 dB further below the
            voice. Left out where there is no music, or nothing is left of either.

        Raises
        ------
        InputError
            If lengths or numbers of channels do not fit.
        """
        sounds = {"estimate": estimate, "speech": speech, "music": music}
        check_lengths(**sounds)
        channels = common_channels(**sounds)
        meter = ResidualMusicMeter(speech.rate_hz, channels=channels)
        for block, voice, bed in blocks_together(
            list(sounds.values()), rate_hz=speech.rate_hz, channels=channels
        ):
            meter.push(block, speech=voice, music=bed)
        against = f"the mix of speech and music, {told(speech)}"
        otherwise = "the music or the estimate is silent, or one of the two is wholly gone"
        return scored({"residual_music_db": meter.db}, against=against, otherwise=otherwise)
