"""Treated and untreated sound mixed, what the treatment cannot carry taken from the untreated."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ripieno.contracts import Audio, Joiner, PluginConfig

from .convolution import Kernel, convolved, low_pass_kernel, read_held
from .spans import check_same_shape


class BlendConfig(PluginConfig):
    """Settings of `Blend`."""

    wet: float = Field(1.0, ge=0, le=1, description="Share of the treated sound, the rest untreated.")
    residual: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of what the treatment took out that is added again; at most `wet`.",
    )
    crossover_hz: float | None = Field(
        7500.0,
        ge=20,
        description="Above it all is untreated: where the band of a denoiser at 16 kHz ends. null: no such band.",
        json_schema_extra={"unit": "Hz"},
    )
    transition_hz: float = Field(
        800.0,
        ge=50,
        description="Width of the passage from one band to the other; half of `crossover_hz` at most.",
        json_schema_extra={"unit": "Hz"},
    )

    @model_validator(mode="after")
    def _no_more_comes_back_than_was_taken(self) -> Self:
        if self.residual > self.wet:
            raise ValueError("residual must not be above wet: no more can come back than was taken out")
        return self


class Blend(Joiner[BlendConfig]):
    """wet * treated + (1 - wet) * untreated + residual * (untreated - treated), below a crossover.

    The crossover is complementary and has no phase: both bands of one sound sum to that sound.
    """

    def join(self, dry: Audio, wet: Audio) -> Audio:
        """The mix.

        Parameters
        ----------
        dry : Audio
            Untreated; any rate and channels.
        wet : Audio
            Treated, in time with `dry`.

        Returns
        -------
        Audio
            Of the rate, channels and length of both.

        Raises
        ------
        InputError
            If the two differ in rate, channels or length.
        """
        check_same_shape(dry, wet, name="wet", reference_name="dry")
        share = self.config.wet - self.config.residual

        def taken(start: int, stop: int) -> NDArray[np.float64]:
            return share * (read_held(dry, start, stop) - read_held(wet, start, stop))

        start = 0
        with self.context.audio_writer(dry.format) as writer:
            for block in convolved(taken, self._kernel(dry.rate_hz), length=dry.frames):
                stop = start + block.shape[1]
                writer.write(dry.read(start, stop) - block)
                start = stop
                self.context.progress(stop, dry.frames, unit="samples")
            return writer.close()

    def _kernel(self, rate_hz: int) -> Kernel:
        crossover_hz = self.config.crossover_hz
        if crossover_hz is None:
            return np.ones(1)
        # A wider passage would reach below 0 Hz, and the untreated sound be in all of the lower band.
        transition_hz = min(self.config.transition_hz, crossover_hz / 2)
        return low_pass_kernel(rate_hz, crossover_hz=crossover_hz, transition_hz=transition_hz)
