"""What a mask could do at best, were speech and music known."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, InputError, Joiner, PluginConfig
from ripieno.toolkit.spectra import Analysis, Synthesis, matched_tapers

HOP_S = 0.016
HOPS = 4
BLOCK_HOPS = 512


class OracleMaskConfig(PluginConfig):
    """Settings of `OracleMask`."""

    exponent: float = Field(
        1.0,
        gt=0,
        description="Of the ratio of powers: 1 is the Wiener filter, least in squared error; 0.5 is the mask "
        "that networks are often trained on.",
    )


class OracleMask(Joiner[OracleMaskConfig]):
    """The ideal ratio mask S / (S + M) of the powers of the true speech and music, laid on the mixture.

    No real mask of a frame's bins that is made of their powers alone does better; the grid is that of
    `separator/speech_mask`, 64 ms every 16 ms. One mask for each channel.

    References
    ----------
    Srinivasan, Roman, Wang: Binary and ratio time-frequency masks for robust speech recognition. Speech
    Communication 48(11), 2006.
    Wang, Narayanan, Wang: On training targets for supervised speech separation. IEEE/ACM TASLP 22(12), 2014.
    """

    def join(self, mix: Audio, speech: Audio, music: Audio) -> Audio:
        """The speech as the mask lets it through.

        Parameters
        ----------
        mix, speech, music : Audio
            Of one format and length.

        Raises
        ------
        InputError
            If formats or lengths differ.
        """
        shapes = {(audio.format, audio.frames) for audio in (mix, speech, music)}
        if len(shapes) > 1:
            raise InputError(
                "mix, speech and music differ in rate, channels or length: "
                f"{mix}, {speech}, {music}. An oracle needs the parts of this very mixture"
            )
        hop = max(1, round(HOP_S * mix.rate_hz))
        taper, back = matched_tapers(HOPS * hop, hop)
        analyses = [Analysis(taper, hop=hop, channels=mix.channels) for _ in range(3)]
        synthesis = Synthesis(back, hop=hop, channels=mix.channels)
        with self.context.audio_writer(mix.format) as writer:
            for start in range(0, mix.frames, BLOCK_HOPS * hop):
                stop = min(start + BLOCK_HOPS * hop, mix.frames)
                parts = [audio.read(start, stop) for audio in (mix, speech, music)]
                spectra = [analysis.push(part) for analysis, part in zip(analyses, parts, strict=True)]
                writer.write(synthesis.push(self._masked(*spectra)))
                self.context.progress(stop, mix.frames, unit="samples")
            last = self._masked(*(analysis.flush() for analysis in analyses))
            writer.write(synthesis.flush(mix.frames, spectra=last))
            return writer.close()

    def _masked(
        self, mix: NDArray[np.complex64], speech: NDArray[np.complex64], music: NDArray[np.complex64]
    ) -> NDArray[np.complex64]:
        powers = [np.square(np.abs(spectra.astype(np.complex128))) for spectra in (speech, music)]
        total = powers[0] + powers[1]
        ratio = np.divide(powers[0], total, out=np.zeros_like(total), where=total > 0)
        return np.asarray(mix * ratio**self.config.exponent, np.complex64)
