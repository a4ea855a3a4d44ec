"""A gate: what is soft is made softer.

Conventions
-----------
The gain is decided once a millisecond, a hop, for all channels together, and moves in a straight line (of
gain, not of dB) from hop to hop.
"""

import math
from collections.abc import Mapping

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
    Session,
    run_offline,
)

from .sections import Cascade, high_pass_sections

HOPS_A_SECOND = 1000
# The key leaves out rumble and offset: neither is a reason to open.
KEY_CUTOFF_HZ = 80.0
# The envelope falls slowly enough to pass over the periods of a low voice.
PITCH_MS = 10.0


class GateConfig(PluginConfig):
    """Settings of `Gate`."""

    threshold_db: float = Field(
        -50.0,
        ge=-120,
        le=0,
        description="Peaks above it open the gate; re 1.0.",
        json_schema_extra={"unit": "dB"},
    )
    hysteresis_db: float = Field(
        6.0,
        ge=0,
        le=60,
        description="Below the threshold by this, an open gate begins to close.",
        json_schema_extra={"unit": "dB"},
    )
    ratio: float = Field(
        2.0, ge=1, le=100, description="Each dB below the threshold becomes this many; 1 changes nothing."
    )
    range_db: float = Field(
        30.0, ge=0, le=120, description="Never lowered by more.", json_schema_extra={"unit": "dB"}
    )
    attack_ms: float = Field(
        2.0,
        gt=0,
        le=1000,
        description="Time constant of opening.",
        json_schema_extra={"unit": "ms"},
    )
    hold_ms: float = Field(
        150.0,
        ge=0,
        le=10_000,
        description="How long the gate stays open after the last loud moment.",
        json_schema_extra={"unit": "ms"},
    )
    release_ms: float = Field(
        150.0,
        gt=0,
        le=10_000,
        description="Time constant of closing.",
        json_schema_extra={"unit": "ms"},
    )


class Gate(Effect[GateConfig]):
    """Downward expander with hysteresis and hold; at a large ratio a gate.

    It opens at the threshold, all channels at once, and stays open until the level has been below threshold
    less hysteresis for the hold. Then what is d dB below the threshold is lowered by (ratio - 1) * d dB,
    `range_db` at most. Its latency is one millisecond; nothing is shifted in time.

    References
    ----------
    Giannoulis, Massberg, Reiss: Digital dynamic range compressor design. JAES 60(6), 2012 (gain smoothing).
    """

    causal = True

    def process(self, audio: Audio) -> Audio:
        session = GateSession(self.config, audio.format)
        with self.context.audio_writer(audio.format) as writer:
            for chunk in run_offline(session, audio):
                assert chunk.samples is not None
                writer.write(chunk.samples)
            return writer.close()

    def stream(self, formats: Mapping[str, AudioFormat]) -> Session:
        return GateSession(self.config, formats["audio"])


class GateSession:
    """`Gate` on a stream."""

    def __init__(self, config: GateConfig, format: AudioFormat) -> None:
        self.format = format
        self._hop = max(1, round(format.rate_hz / HOPS_A_SECOND))
        hop_ms = 1000 * self._hop / format.rate_hz
        self.latency = Latency(hop_s=hop_ms / 1000)
        self._law = _GainLaw(config, hop_ms=hop_ms)
        cutoff_hz = min(KEY_CUTOFF_HZ, format.rate_hz / 8)
        self._key = Cascade(high_pass_sections(format.rate_hz, cutoff_hz=cutoff_hz, order=2))
        self.reset()

    def reset(self) -> None:
        self._law.reset()
        self._key.reset()
        self._waiting = np.zeros((2, self.format.channels, 0))
        self._frames = 0

    def push(self, **ports: Chunk) -> Chunk:
        samples = ports["audio"].samples
        if samples is None:
            samples = np.zeros((self.format.channels, 0), np.float32)
        both = np.stack([samples, self._key.push(samples)])
        self._waiting = np.concatenate([self._waiting, both], axis=2)
        whole = self._waiting.shape[2] // self._hop * self._hop
        ready, self._waiting = self._waiting[:, :, :whole], self._waiting[:, :, whole:]
        return self._chunk(self._under_gains(ready))

    def flush(self) -> Chunk:
        rest = self._waiting.shape[2]
        padded = np.pad(self._waiting, [(0, 0), (0, 0), (0, -rest % self._hop)])
        self._waiting = padded[:, :, :0]
        return self._chunk(self._under_gains(padded)[:, :rest])

    def _under_gains(self, both: NDArray[np.float64]) -> NDArray[np.float32]:
        samples, key = both
        hops = samples.shape[1] // self._hop
        peaks = np.abs(key).reshape(len(key), hops, self._hop).max(axis=(0, 2), initial=0)
        before, after = self._law.gains(peaks)
        ramp = np.arange(1, self._hop + 1) / self._hop
        gains = before[:, None] + (after - before)[:, None] * ramp
        return np.asarray(samples * gains.reshape(-1), np.float32)

    def _chunk(self, samples: NDArray[np.float32]) -> Chunk:
        self._frames += samples.shape[1]
        return Chunk(self._frames / self.format.rate_hz, samples)


class _GainLaw:
    """The gain after each hop, from the peak of the key in it."""

    def __init__(self, config: GateConfig, *, hop_ms: float) -> None:
        self._threshold = 10 ** (config.threshold_db / 20)
        self._closing = self._threshold * 10 ** (-config.hysteresis_db / 20)
        self._slope = config.ratio - 1
        self._lowest = 10 ** (-config.range_db / 20)
        self._attack = 1 - math.exp(-hop_ms / config.attack_ms)
        self._release = 1 - math.exp(-hop_ms / config.release_ms)
        self._hold = round(config.hold_ms / hop_ms)
        self._fall = math.exp(-hop_ms / PITCH_MS)
        self.reset()

    def reset(self) -> None:
        self._envelope = 0.0
        self._left = 0
        self._gain: float | None = None

    def gains(self, peaks: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gain before and after each hop."""
        start = self._gain
        after = np.array([self._next(peak) for peak in peaks.tolist()])
        first = after[:1] if start is None else np.array([start])
        return np.concatenate([first, after])[: len(after)], after

    def _next(self, peak: float) -> float:
        self._envelope = max(peak, self._envelope * self._fall)
        is_open = self._left > 0
        if self._envelope >= (self._closing if is_open else self._threshold):
            self._left = self._hold + 1
        elif is_open:
            self._left -= 1
        target = 1.0 if self._left else max(self._lowest, self._below())
        if self._gain is None:
            self._gain = target
        self._gain += (target - self._gain) * (self._attack if target > self._gain else self._release)
        return self._gain

    def _below(self) -> float:
        """Gain of a closed gate; 1 at the threshold."""
        return math.pow(min(1.0, self._envelope / self._threshold), self._slope)
