"""Beats, bars and a clock of music as it is played: BeatNet's network, then any beat decoder."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import Field

from ripieno.contracts import (
    Activations,
    Audio,
    BeatDecoder,
    BeatTracker,
    Chunk,
    Features,
    Latency,
    PluginError,
    PluginRef,
    SeriesFormat,
    Session,
    StreamFormat,
    Tracked,
)
from ripieno.contracts.streaming import run_offline
from ripieno.toolkit.cues import CUE_NAMES, CueStream

from .activations import (
    CREDIT,
    FORMAT,
    LATENCY,
    SPEC,
    ActivationsConfig,
    ActivationStream,
    SteadyAudio,
    joined_rows,
    require_format,
)
from .features import AHEAD, FRAMES_PER_S, HOP, RATE_HZ

CUES = SeriesFormat(FRAMES_PER_S, CUE_NAMES)

_KNOWN_AFTER_S = (AHEAD + 1) / RATE_HZ
"""From a frame's time to the end of its window, when it can be known."""


class BeatNetConfig(ActivationsConfig):
    """Settings of `BeatNet`."""

    decoder: PluginRef[BeatDecoder[Any]] = Field(
        PluginRef("decoder/bar_pointer_forward"),
        description="What finds beats and bars in the network's activations; one that streams, for live use.",
    )
    cues: bool = Field(
        True,
        description="Whether the decoder also hears changes of harmony and the bass, which tell bars apart.",
    )


class BeatNet(BeatTracker[BeatNetConfig]):
    """Beats, bars, tempo and phase, live and offline the same.

    References
    ----------
    Heydari, Cwitkowitz, Duan: BeatNet: CRNN and particle filtering for online joint beat, downbeat and
    meter tracking. ISMIR 2021.
    """

    accepts = {"audio": SPEC}
    causal = True
    licences = (CREDIT,)

    def track(self, audio: Audio) -> Tracked:
        """Beats and clock of the audio, as the decoder gives them.

        Parameters
        ----------
        audio : Audio
            22050 Hz, mono.

        Raises
        ------
        InputError
            If rate or channels are others.
        MissingError
            If onnxruntime is not installed.
        """
        require_format(audio.format)
        decoder = self.config.decoder.plugin
        if not decoder.causal:
            activations, cues = listen(audio, self.config)
            return decoder.decode(activations, cues=cues)
        session = _TrackerSession(self.config)
        return Tracked.from_chunks(run_offline(session, audio), session.format)

    def stream(self, formats: Mapping[str, StreamFormat]) -> Session:
        """A session that takes `audio` and gives what the decoder's session gives.

        Raises
        ------
        InputError
            If the audio is not mono at 22050 Hz.
        PluginError
            If the decoder does not stream.
        """
        require_format(formats["audio"])
        reference = self.config.decoder
        if not reference.plugin.causal:
            raise PluginError(
                f"{reference.uses} does not stream, so beat_tracker/beatnet with it does not: "
                "take decoder/bar_pointer_forward"
            )
        return _TrackerSession(self.config)


def listen(audio: Audio, config: BeatNetConfig) -> tuple[Activations, Features | None]:
    """Activations of a whole recording, and its cues where they are asked for."""
    ears = _Ears(config)
    heard = [*ears.push(Chunk(audio.duration_s, audio.samples)), ears.flush()]
    rows = {port: joined_rows([chunks[port] for chunks in heard]) for port in ears.formats}
    cues = Features.from_rows(rows["cues"], CUES) if config.cues else None
    return Activations.from_rows(rows["activations"], FORMAT), cues


class _Ears:
    """What a decoder is given, of sound that arrives piece by piece."""

    def __init__(self, config: BeatNetConfig) -> None:
        self.audio = SteadyAudio()
        self.formats = {"activations": FORMAT}
        self._streams: dict[str, ActivationStream | CueStream] = {
            "activations": ActivationStream(config.weights)
        }
        if config.cues:
            self.formats["cues"] = CUES
            self._streams["cues"] = CueStream(rate_hz=RATE_HZ, hop=HOP, ahead=AHEAD)
        self._frames = 0

    def push(self, chunk: Chunk) -> Iterator[dict[str, Chunk]]:
        for block in self.audio.blocks(chunk):
            rows = {port: stream.push(block) for port, stream in self._streams.items()}
            self._frames += len(rows["activations"])
            yield {port: Chunk(self._frames / FRAMES_PER_S, rows[port]) for port in rows}

    def flush(self) -> dict[str, Chunk]:
        end_s = self.audio.heard_s
        return {port: Chunk(end_s, stream.flush()) for port, stream in self._streams.items()}

    def reset(self) -> None:
        self.audio.reset()
        for stream in self._streams.values():
            stream.reset()
        self._frames = 0


class _TrackerSession:
    def __init__(self, config: BeatNetConfig) -> None:
        self._ears = _Ears(config)
        self._decoder = config.decoder.plugin.stream(self._ears.formats)
        self.format = cast(SeriesFormat, self._decoder.format)
        waited = self._decoder.latency
        self.latency = Latency(LATENCY.window_s, waited.window_s + waited.lookahead_s, LATENCY.hop_s)

    def push(self, **ports: Chunk) -> Chunk:
        return _joined([self._decoder.push(**heard) for heard in self._ears.push(ports["audio"])])

    def flush(self) -> Chunk:
        end_s = self._ears.audio.heard_s
        left = _joined([self._decoder.push(**self._ears.flush()), self._decoder.flush()], end_s=end_s)
        return replace(left, until_s=end_s)

    def reset(self) -> None:
        self._ears.reset()
        self._decoder.reset()


def _joined(chunks: Sequence[Chunk], *, end_s: float = math.inf) -> Chunk:
    """One chunk of a decoder's, whose events say when the audio was heard by which they were known."""
    has_rows = any(chunk.samples is not None for chunk in chunks)
    events = tuple(
        replace(event, known_s=min(event.known_s + _KNOWN_AFTER_S, end_s))
        for chunk in chunks
        for event in chunk.events
    )
    return Chunk(chunks[-1].until_s, joined_rows(chunks) if has_rows else None, events)
