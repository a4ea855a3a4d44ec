"""Sound made to fit: another rate, another number of channels.

Conventions
-----------
Audio that fits already is passed on as it is, not copied. Both adapters work on blocks in constant memory,
and their output does not depend on the size of the blocks.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import (
    Audio,
    AudioFormat,
    Chunk,
    Effect,
    Latency,
    PluginConfig,
    PluginError,
    Session,
)
from ripieno.toolkit.mixing import mix, mix_gains
from ripieno.toolkit.resampling import PolyphaseResampler, SoxrResampler

BLOCK_FRAMES = 1 << 16


class _Resampler(Protocol):
    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def flush(self) -> NDArray[np.float32]: ...


class ResampleConfig(PluginConfig):
    """Settings of `Resample`."""

    rate_hz: int = Field(
        0, ge=0, description="Rate of the output; 0 leaves it as it is.", json_schema_extra={"unit": "Hz"}
    )
    streaming: bool = Field(
        True,
        description="A short filter of fixed latency, the same offline and live; false: soxr at its best, "
        "for files alone.",
    )


class Resample(Effect[ResampleConfig]):
    """Change of rate: n frames become ceil(n * to / from), nothing is shifted in time.

    With ``streaming: false`` it has no session: soxr gives its output in bursts.
    """

    causal = True

    def process(self, audio: Audio) -> Audio:
        rate_hz = self._rate_hz(audio.format)
        if rate_hz == audio.rate_hz:
            return audio
        kind = PolyphaseResampler if self.config.streaming else SoxrResampler
        resampler: _Resampler = kind(audio.rate_hz, rate_hz, channels=audio.channels)
        with self.context.audio_writer(AudioFormat(rate_hz, audio.channels)) as writer:
            for block in audio.blocks(BLOCK_FRAMES):
                writer.write(resampler.push(block))
            writer.write(resampler.flush())
            return writer.close()

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        if not self.config.streaming:
            raise PluginError("effect/resample streams only with: {streaming: true}")
        format = formats["audio"]
        return _ResampleSession(format, self._rate_hz(format))

    def _rate_hz(self, format: AudioFormat) -> int:
        return self.config.rate_hz or format.rate_hz


class _ResampleSession:
    def __init__(self, format: AudioFormat, rate_hz: int) -> None:
        self._resampler = PolyphaseResampler(format.rate_hz, rate_hz, channels=format.channels)
        self._rate_hz = rate_hz
        self.format = AudioFormat(rate_hz, format.channels)
        self._nothing = np.zeros((format.channels, 0), np.float32)
        self.latency = Latency(lookahead_s=self._resampler.latency_s)
        self.reset()

    def push(self, **ports: Chunk) -> Chunk:
        samples = ports["audio"].samples
        return self._chunk(self._resampler.push(self._nothing if samples is None else samples))

    def flush(self) -> Chunk:
        return self._chunk(self._resampler.flush())

    def reset(self) -> None:
        self._resampler.reset()
        self._frames = 0

    def _chunk(self, samples: NDArray[np.float32]) -> Chunk:
        self._frames += samples.shape[1]
        return Chunk(self._frames / self._rate_hz, samples)


class DownmixConfig(PluginConfig):
    """Settings of `Downmix`."""

    channels: int = Field(0, ge=0, description="Channels of the output; 0 leaves them as they are.")


class Downmix(Effect[DownmixConfig]):
    """Change of the number of channels by the fixed gains of `ripieno.toolkit.mixing.mix_gains`, without latency."""

    causal = True

    def process(self, audio: Audio) -> Audio:
        channels = self.config.channels or audio.channels
        if channels == audio.channels:
            return audio
        gains = mix_gains(audio.channels, channels)
        with self.context.audio_writer(AudioFormat(audio.rate_hz, channels)) as writer:
            for block in audio.blocks(BLOCK_FRAMES):
                writer.write(mix(block, gains=gains))
            return writer.close()

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        format = formats["audio"]
        return _MixSession(format, self.config.channels or format.channels)


class _MixSession:
    latency = Latency()

    def __init__(self, format: AudioFormat, channels: int) -> None:
        self.format = AudioFormat(format.rate_hz, channels)
        self._gains = mix_gains(format.channels, channels)
        self.reset()

    def push(self, **ports: Chunk) -> Chunk:
        chunk = ports["audio"]
        self._until_s = chunk.until_s
        samples = None if chunk.samples is None else mix(chunk.samples, gains=self._gains)
        return Chunk(chunk.until_s, samples, chunk.events)

    def flush(self) -> Chunk:
        return Chunk(self._until_s)

    def reset(self) -> None:
        self._until_s = 0.0
