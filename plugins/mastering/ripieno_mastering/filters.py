"""High-pass and high shelf, without phase for files or causal for streams.

Conventions
-----------
`phase` changes the phase alone: both ways have the same gain at every frequency. ``zero`` shifts nothing in
time and needs the whole sound; ``minimum`` streams without latency, and moves low frequencies against high
ones.
"""

from collections.abc import Mapping
from functools import partial
from typing import Literal

from pydantic import Field

from ripieno.contracts import (
    Audio,
    AudioFormat,
    AudioWriter,
    Effect,
    InputError,
    PluginConfig,
    PluginError,
    Session,
)

from .convolution import BLOCK_FRAMES, convolved, read_held, zero_phase_kernel
from .sections import (
    UNCHANGED,
    Cascade,
    CascadeSession,
    Sections,
    high_pass_sections,
    high_shelf_sections,
    magnitude,
)

Phase = Literal["zero", "minimum"]
# Of the rate. Nearer to half of it nothing is left above, and a filter rings without end.
HIGHEST_CORNER = 0.49
PHASE = "`zero` leaves every frequency where it was in time, for files alone; `minimum` streams."


class HighPassConfig(PluginConfig):
    """Settings of `HighPass`."""

    cutoff_hz: float = Field(
        40.0,
        ge=5,
        description="Where the gain is -3 dB; at most 0.49 of the rate.",
        json_schema_extra={"unit": "Hz"},
    )
    order: Literal[2, 4, 6, 8] = Field(2, description="6 dB an octave for each.")
    phase: Phase = Field("zero", description=PHASE)


class HighPass(Effect[HighPassConfig]):
    """Butterworth high-pass.

    References
    ----------
    Butterworth: On the theory of filter amplifiers. Experimental Wireless 7, 1930.
    """

    causal = True

    def process(self, audio: Audio) -> Audio:
        sections = self._sections(audio.format)
        with self.context.audio_writer(audio.format) as writer:
            _filter(audio, sections, phase=self.config.phase, writer=writer)
            return writer.close()

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        _check_streams("effect/high_pass", self.config.phase)
        return CascadeSession(self._sections(formats["audio"]), formats["audio"])

    def _sections(self, format: AudioFormat) -> Sections:
        cutoff_hz = self.config.cutoff_hz
        highest_hz = HIGHEST_CORNER * format.rate_hz
        if cutoff_hz > highest_hz:
            raise InputError(
                f"effect/high_pass: a cutoff_hz of {cutoff_hz:g} leaves nothing of sound at {format.rate_hz} Hz: "
                f"take {highest_hz:g} at most"
            )
        return high_pass_sections(format.rate_hz, cutoff_hz=cutoff_hz, order=self.config.order)


class HighShelfConfig(PluginConfig):
    """Settings of `HighShelf`."""

    corner_hz: float = Field(
        8000.0, ge=20, description="Where half the gain (in dB) is reached.", json_schema_extra={"unit": "Hz"}
    )
    gain_db: float = Field(
        1.0, ge=-40, le=40, description="Gain above the corner.", json_schema_extra={"unit": "dB"}
    )
    slope: float = Field(
        1.0, ge=0.1, le=1, description="Steepness; 1 is the steepest that does not overshoot."
    )
    phase: Phase = Field("zero", description=PHASE)


class HighShelf(Effect[HighShelfConfig]):
    """High shelf: all above the corner is raised or lowered, what lies below stays.

    Sound whose rate has no band above the corner is passed on as it is.

    References
    ----------
    Bristow-Johnson: Cookbook formulae for audio equalizer biquad filter coefficients. 1998 (W3C Note, 2021).
    """

    causal = True

    def process(self, audio: Audio) -> Audio:
        sections = self._sections(audio.format)
        if sections is UNCHANGED:
            return audio
        with self.context.audio_writer(audio.format) as writer:
            _filter(audio, sections, phase=self.config.phase, writer=writer)
            return writer.close()

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        _check_streams("effect/high_shelf", self.config.phase)
        return CascadeSession(self._sections(formats["audio"]), formats["audio"])

    def _sections(self, format: AudioFormat) -> Sections:
        config = self.config
        if config.corner_hz > HIGHEST_CORNER * format.rate_hz:
            return UNCHANGED
        return high_shelf_sections(
            format.rate_hz, corner_hz=config.corner_hz, gain_db=config.gain_db, slope=config.slope
        )


def _filter(audio: Audio, sections: Sections, *, phase: Phase, writer: AudioWriter) -> None:
    if phase == "zero":
        kernel = zero_phase_kernel(partial(magnitude, sections))
        for filtered in convolved(partial(read_held, audio), kernel, length=audio.frames):
            writer.write(filtered)
        return
    cascade = Cascade(sections)
    for block in audio.blocks(BLOCK_FRAMES):
        writer.write(cascade.push(block))


def _check_streams(uses: str, phase: Phase) -> None:
    if phase == "zero":
        raise PluginError(f"{uses} streams only with: {{phase: minimum}}")
