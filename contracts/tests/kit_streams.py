"""Causal plugins of every interface that streams, for the tests of the kit."""

import numpy as np

from ripieno.contracts import (
    Activations,
    Aligner,
    Audio,
    AudioFormat,
    BeatClock,
    BeatDecoder,
    Beats,
    BeatTracker,
    Chunk,
    Controller,
    Event,
    EventFormat,
    Features,
    Framer,
    Frontend,
    Latency,
    NoConfig,
    Separator,
    SeriesFormat,
    Stems,
    StreamFormat,
    Tracked,
    Trajectory,
    Transcriber,
    joined_samples,
    run_offline,
)

HOP_S = 0.1


class LevelSession:
    """The peak of every tenth of a second, as rows."""

    latency = Latency(hop_s=HOP_S)

    name = "peak"

    def __init__(self, format: AudioFormat) -> None:
        self.hop_s = hop_of(format) / format.rate_hz
        self.format: StreamFormat = SeriesFormat(1 / self.hop_s, (self.name,))
        self.framer = Framer(window=hop_of(format), hop=hop_of(format))
        self.reset()

    def reset(self) -> None:
        self.framer.reset()
        self.hops = 0

    def push(self, audio: Chunk) -> Chunk:
        return self.given(self.framer.push(audio.samples))

    def flush(self) -> Chunk:
        return self.given(self.framer.flush())

    def given(self, frames: list[np.ndarray]) -> Chunk:
        self.hops += len(frames)
        peaks = [abs(frame).max() for frame in frames]
        return Chunk(self.hops * self.hop_s, np.array(peaks, np.float32).reshape(-1, 1))


def hop_of(format: AudioFormat) -> int:
    return max(1, int(HOP_S * format.rate_hz))


def levels(session: LevelSession, audio: Audio) -> np.ndarray:
    chunks = run_offline(session, audio)
    return np.concatenate([chunk.samples for chunk in chunks])


class Levels(Frontend[NoConfig]):
    """The peak of every tenth of a second."""

    causal = True

    def transform(self, audio: Audio) -> Features:
        session = self.stream({"audio": audio.format})
        return Features(levels(session, audio), ("peak",), 1 / session.hop_s)

    def stream(self, formats: dict[str, AudioFormat]) -> LevelSession:
        return LevelSession(formats["audio"])


class HeadSession(LevelSession):
    name = "level"


class Loudness(Transcriber[NoConfig]):
    """The same as a head."""

    causal = True

    def transcribe(self, audio: Audio) -> Activations:
        session = self.stream({"audio": audio.format})
        return Activations({"level": levels(session, audio)[:, 0]}, 1 / session.hop_s)

    def stream(self, formats: dict[str, AudioFormat]) -> HeadSession:
        return HeadSession(formats["audio"])


class TickSession(LevelSession):
    """A beat in every fifth hop that is not silent."""

    def __init__(self, format: AudioFormat) -> None:
        super().__init__(format)
        self.format = EventFormat()

    def given(self, frames: list[np.ndarray]) -> Chunk:
        hops = range(self.hops, self.hops + len(frames))
        loud = [hop for hop, frame in zip(hops, frames, strict=True) if hop % 5 == 0 and frame.any()]
        until_s = super().given(frames).until_s
        beats = (Event(hop * self.hop_s, self.known_s(hop), "beat") for hop in loud)
        return Chunk(until_s, events=tuple(beats))

    def known_s(self, hop: int) -> float:
        return (hop + 1) * self.hop_s


class Ticker(BeatTracker[NoConfig]):
    """Two beats a second."""

    causal = True

    def track(self, audio: Audio) -> Tracked:
        chunks = run_offline(self.stream({"audio": audio.format}), audio)
        beats = Beats([event.time_s for chunk in chunks for event in chunk.events])
        return Tracked(beats, BeatClock.from_beats(beats, rate_hz=10, duration_s=audio.duration_s))

    def stream(self, formats: dict[str, AudioFormat]) -> TickSession:
        return TickSession(formats["audio"])


class ProphetSession(TickSession):
    def known_s(self, hop: int) -> float:
        return (hop + 10) * self.hop_s


class Prophet(Ticker):
    """Says that it knew its beats later than it says them."""

    def stream(self, formats: dict[str, AudioFormat]) -> ProphetSession:
        return ProphetSession(formats["audio"])


class LateSession(TickSession):
    def given(self, frames: list[np.ndarray]) -> Chunk:
        chunk = super().given(frames)
        return Chunk(chunk.until_s + 0.2, events=chunk.events)


class Late(Ticker):
    """Gives beats that lie before a watermark it has passed."""

    def stream(self, formats: dict[str, AudioFormat]) -> LateSession:
        return LateSession(formats["audio"])


class HalvesSession:
    """Both halves, one after the other along the channels."""

    latency = Latency()

    def __init__(self, format: AudioFormat) -> None:
        self.format = AudioFormat(format.rate_hz, 2 * format.channels)
        self.reset()

    def reset(self) -> None:
        self.until_s = 0.0

    def push(self, audio: Chunk) -> Chunk:
        self.until_s = audio.until_s
        half = audio.samples * np.float32(0.5)
        return Chunk(self.until_s, np.concatenate([half, half]))

    def flush(self) -> Chunk:
        return Chunk(self.until_s)


class Halves(Separator[NoConfig]):
    """Two halves of the sound."""

    causal = True

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("left", "right")

    def separate(self, audio: Audio) -> Stems:
        chunks = run_offline(self.stream({"audio": audio.format}), audio)
        left, right = np.split(joined_samples(chunks, channels=2 * audio.channels), 2)
        return Stems({"left": Audio(left, audio.rate_hz), "right": Audio(right, audio.rate_hz)})

    def stream(self, formats: dict[str, AudioFormat]) -> HalvesSession:
        return HalvesSession(formats["audio"])


class CountingSession:
    """Features times the number of beats so far."""

    latency = Latency()

    def __init__(self, format: SeriesFormat) -> None:
        self.rate_hz = rate_hz = format.rate_hz
        self.format = SeriesFormat(rate_hz, ())
        self.aligner = Aligner({"features": rate_hz, "beats": None})
        self.reset()

    def reset(self) -> None:
        self.aligner.reset()
        self.rows, self.times_s = 0, []

    def push(self, **ports: Chunk) -> Chunk:
        return self.given(self.aligner.push(**ports))

    def flush(self) -> Chunk:
        return self.given(self.aligner.flush())

    def given(self, joined: dict[str, Chunk]) -> Chunk:
        self.times_s += [event.time_s for event in joined["beats"].events]
        rows = joined["features"].samples
        if rows is None:
            return Chunk(joined["features"].until_s)
        at_s = (self.rows + np.arange(len(rows))) / self.rate_hz
        self.rows += len(rows)
        beats = np.searchsorted(self.times_s, at_s, side="right").astype(np.float32)
        return Chunk(joined["features"].until_s, rows * beats[:, None])


class Counting(Controller[NoConfig]):
    """Features times the number of beats so far."""

    causal = True

    def control(self, features: Features, beats: Beats) -> Trajectory:
        session = self.stream({"features": features.format})
        events = tuple(Event(at, at, "beat") for at in beats.times_s.tolist())
        until_s = len(features.values) / features.rate_hz
        chunks = [
            session.push(features=Chunk(until_s, features.values), beats=Chunk(until_s, events=events)),
            session.flush(),
        ]
        rows = [chunk.samples for chunk in chunks if chunk.samples is not None]
        return Trajectory(np.concatenate(rows), features.rate_hz)

    def stream(self, formats: dict[str, SeriesFormat]) -> CountingSession:
        return CountingSession(formats["features"])


class ThresholdSession:
    """A beat in every frame that is likely one; frames come at 50 Hz."""

    latency = Latency()
    format = EventFormat()

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.frames, self.until_s = 0, 0.0

    def push(self, activations: Chunk) -> Chunk:
        frames = self.frames + np.flatnonzero(activations.samples[:, 0] > 0.5)
        self.frames += len(activations.samples)
        self.until_s = activations.until_s
        events = (Event(at, at, "beat") for at in (frames / 50).tolist())
        return Chunk(self.until_s, events=tuple(events))

    def flush(self) -> Chunk:
        return Chunk(self.until_s)


class Threshold(BeatDecoder[NoConfig]):
    """A beat in every frame that is likely one."""

    causal = True

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        beats = Beats(np.flatnonzero(activations["beat"] > 0.5) / 50)
        duration_s = len(activations["beat"]) / 50
        return Tracked(beats, BeatClock.from_beats(beats, rate_hz=50, duration_s=duration_s))

    def stream(self, formats: dict[str, AudioFormat]) -> ThresholdSession:
        return ThresholdSession()
