"""Beats to be heard: a click on each, another on downbeats."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, AudioFormat, Beats, Generator, PluginConfig

BEAT_HZ, DOWNBEAT_HZ = 1000.0, 1500.0
CLICK_S, DECAY_S = 0.05, 0.008
# Silence after the last beat where no audio says how long the track is.
TAIL_S = 1.0
BLOCK = 1 << 16

Samples = NDArray[np.float32]


class ClickTrackConfig(PluginConfig):
    """Settings of `ClickTrack`."""

    gain_db: float = Field(
        -6.0,
        le=0,
        ge=-60,
        description="Peak of a click beside full scale.",
        json_schema_extra={"unit": "dB"},
    )
    rate_hz: int = Field(
        44100,
        ge=8000,
        description="Sample rate of clicks without audio.",
        json_schema_extra={"unit": "Hz"},
    )


class ClickTrack(Generator[ClickTrackConfig]):
    """Clicks at beat times, mixed over the audio where there is some.

    A click begins with its peak, on the sample nearest to its beat.
    """

    def generate(self, beats: Beats, audio: Audio | None = None) -> Audio:
        """The click track of `beats`.

        Parameters
        ----------
        beats : Beats
            Positions tell downbeats, where they are known.
        audio : Audio, optional
            Any rate and channels; clicks are the same on all channels.

        Returns
        -------
        Audio
            As long as the audio, beats beyond it left out; without audio mono, until a second after the
            last beat. Where the sum would pass full scale, all of it is softer.
        """
        if audio is None:
            end_s = beats.times_s[-1] + TAIL_S if len(beats.times_s) else 0
            format, frames = AudioFormat(self.config.rate_hz, 1), round(end_s * self.config.rate_hz)
        else:
            format, frames = audio.format, audio.frames
        clicks = Clicks(beats, rate_hz=format.rate_hz, gain_db=self.config.gain_db)

        def mixed() -> Iterator[Samples]:
            for start in range(0, frames, BLOCK):
                stop = min(frames, start + BLOCK)
                track = clicks.read(start, stop)
                yield track[None] if audio is None else audio.read(start, stop) + track

        peak = max((float(np.abs(block).max(initial=0)) for block in mixed()), default=0)
        with self.context.audio_writer(format) as writer:
            for block in mixed():
                writer.write(block / np.float32(peak) if peak > 1 else block)
            return writer.close()


class Clicks:
    """A mono track of clicks, read piece by piece.

    Parameters
    ----------
    beats : Beats
        Where they are.
    rate_hz : int
        Samples a second.
    gain_db : float
        Peak of a click.
    """

    def __init__(self, beats: Beats, *, rate_hz: int, gain_db: float) -> None:
        self._starts = np.round(beats.times_s * rate_hz).astype(np.int64)
        self._is_downbeat = beats.positions == 1
        self._sounds = {
            is_downbeat: 10 ** (gain_db / 20) * click(hz, rate_hz=rate_hz)
            for is_downbeat, hz in ((False, BEAT_HZ), (True, DOWNBEAT_HZ))
        }
        self._length = len(self._sounds[True])

    def read(self, start: int, stop: int) -> Samples:
        """Samples [stop - start] of the track."""
        track = np.zeros(stop - start, np.float32)
        first, last = np.searchsorted(self._starts, [start - self._length + 1, stop])
        for at, is_downbeat in zip(self._starts[first:last], self._is_downbeat[first:last], strict=True):
            begin, end = max(start, at), min(stop, at + self._length)
            track[begin - start : end - start] += self._sounds[bool(is_downbeat)][begin - at : end - at]
        return track


def click(frequency_hz: float, *, rate_hz: int) -> Samples:
    """A decaying cosine [samples] that begins with its peak, 1."""
    time_s = np.arange(round(CLICK_S * rate_hz)) / rate_hz
    return (np.exp(-time_s / DECAY_S) * np.cos(2 * np.pi * frequency_hz * time_s)).astype(np.float32)
