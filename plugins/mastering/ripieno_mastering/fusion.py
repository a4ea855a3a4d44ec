"""Several separators' estimates of one part, joined on the mixture."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from ripieno.contracts import Audio, InputError, Joiner

from .masks import Mask, Rule, fuse, ratio_mask
from .spans import Grid, SpectralConfig, apply_gains, check_same_shape, smoothed


class MaskFusionConfig(SpectralConfig):
    """Settings of `MaskFusion`."""

    rule: Rule = Field(
        "geometric_mean", description="How the masks become one; `weighted` is the mean by `weights`."
    )
    weights: tuple[float, ...] = Field(
        (), description="With `rule: weighted`, one for each estimate, 0 or more, not all 0."
    )
    exponent: float = Field(
        2.0,
        gt=0,
        le=8,
        description="To which magnitudes of an estimate and of the rest are raised before they are compared: 1 gives "
        "back the mask that made an estimate, 2 compares powers, more comes near a binary mask.",
    )

    @model_validator(mode="after")
    def _weights_belong_to_their_rule(self) -> Self:
        if (self.rule == "weighted") != bool(self.weights):
            raise ValueError("weights go with rule: weighted, one for each estimate")
        if self.weights and (min(self.weights) < 0 or sum(self.weights) == 0):
            raise ValueError("weights must be 0 or more, and not all 0")
        return self


class MaskFusion(Joiner[MaskFusionConfig]):
    """One part of a mixture, of several estimates of it.

    Each estimate makes a ratio mask of its own spectrum and of what it leaves of the mixture's; the masks
    become one, which is applied to the mixture.

    References
    ----------
    Liutkus, Badeau: Generalized Wiener filtering with fractional power spectrograms. ICASSP 2015 (the mask).
    """

    def join(self, mixture: Audio, estimates: list[Audio]) -> Audio:
        """The part.

        Parameters
        ----------
        mixture : Audio
            Any rate and channels.
        estimates : list of Audio
            Of the part, one at least, each of the mixture's rate, channels and length.

        Returns
        -------
        Audio
            Of the mixture's rate, channels and length.

        Raises
        ------
        InputError
            If there is no estimate, one has another shape, or the weights are not one for each.
        """
        self._check(mixture, estimates)
        grid = Grid.of(mixture.rate_hz, window_ms=self.config.window_ms)
        total = grid.count(mixture.frames)

        def fused(first: int, last: int) -> Mask:
            self.context.progress(first, total, unit="frames")
            spectra = grid.spectra(mixture, first, last)
            parts = (grid.spectra(estimate, first, last) for estimate in estimates)
            masks = [ratio_mask(part, spectra - part, exponent=self.config.exponent) for part in parts]
            return fuse(masks, rule=self.config.rule, weights=self.config.weights)

        gains = smoothed(fused, grid=grid, total=total, config=self.config)
        with self.context.audio_writer(mixture.format) as writer:
            apply_gains(mixture, gains, grid=grid, writer=writer)
            return writer.close()

    def _check(self, mixture: Audio, estimates: Sequence[Audio]) -> None:
        if not estimates:
            raise InputError("joiner/mask_fusion has no estimates: wire one separator's stem at least")
        for number, estimate in enumerate(estimates, start=1):
            check_same_shape(mixture, estimate, name=f"estimate {number}", reference_name="the mixture")
        if self.config.weights and len(self.config.weights) != len(estimates):
            raise InputError(
                f"{len(self.config.weights)} weights for {len(estimates)} estimates: give one for each"
            )
