"""Plugins that stream: one for each shape of what flows, and some that do not."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

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
    Codec,
    Controller,
    Effect,
    Event,
    EventFormat,
    Features,
    Framer,
    Frontend,
    InputError,
    Latency,
    NoConfig,
    PluginConfig,
    PluginRef,
    Sections,
    Separator,
    SeriesFormat,
    Stems,
    StructureAnalyzer,
    Tracked,
    Trajectory,
    joined_samples,
    run_offline,
)

FRAMES_PER_S = 20
LOUD = 0.5
SPB_S = 0.5


class PeakSession:
    """The peak of every twentieth of a second."""

    latency = Latency(hop_s=1 / FRAMES_PER_S)

    def __init__(self, format: AudioFormat) -> None:
        hop = format.rate_hz // FRAMES_PER_S
        self.format = SeriesFormat(format.rate_hz / hop, ("peak",))
        self.framer = Framer(window=hop, hop=hop)
        self.reset()

    def reset(self) -> None:
        self.framer.reset()
        self.frames = 0

    def push(self, audio: Chunk) -> Chunk:
        return self.given(self.framer.push(audio.samples))

    def flush(self) -> Chunk:
        return self.given(self.framer.flush())

    def given(self, windows: list[np.ndarray]) -> Chunk:
        self.frames += len(windows)
        peaks = np.array([abs(window).max() for window in windows], np.float32).reshape(-1, 1)
        return Chunk(self.frames / self.format.rate_hz, peaks)


class Peaks(Frontend[NoConfig]):
    """The peak of every twentieth of a second."""

    causal = True

    def transform(self, audio: Audio) -> Features:
        session = self.stream({"audio": audio.format})
        rows = [chunk.samples for chunk in run_offline(session, audio)]
        return Features.from_rows(np.concatenate(rows), session.format)

    def stream(self, formats: Any) -> PeakSession:
        return PeakSession(formats["audio"])


class FilePeaks(Peaks):
    """The same of files alone."""

    causal = False


class OnsetSession(PeakSession):
    """A beat wherever a twentieth of a second is loud after one that was not."""

    def __init__(self, format: AudioFormat, *, jitter: Any = None) -> None:
        super().__init__(format)
        self.format = SeriesFormat(self.format.rate_hz, BeatClock.columns((2, 3)))
        self.jitter = jitter

    def reset(self) -> None:
        super().reset()
        self.was_loud, self.beats, self.last_s = False, 0, 0.0

    def given(self, windows: list[np.ndarray]) -> Chunk:
        before = self.frames
        peaks = super().given(windows).samples[:, 0]
        rows, events = [], []
        for frame, peak in enumerate(peaks.tolist(), before):
            time_s = frame / self.format.rate_hz
            if peak > LOUD and not self.was_loud:
                events.append(self.beat(time_s, known_s=(frame + 1) / self.format.rate_hz))
            self.was_loud = peak > LOUD
            phase = math.modf((time_s - self.last_s) / SPB_S)[0]
            rows.append(
                [SPB_S, phase, (1 - phase) * SPB_S, 2 * SPB_S, 0.5, 0, 0, min(peak, 1), 0, 0.25, 0.75]
            )
        samples = np.array(rows, np.float32).reshape(-1, len(self.format.names))
        return Chunk(self.frames / self.format.rate_hz, samples, tuple(events))

    def beat(self, time_s: float, known_s: float) -> Event:
        self.last_s = time_s
        self.beats += 1
        confidence = 1.0 if self.jitter is None else float(self.jitter.random())
        value = {"position": 1 + self.beats % 2, "confidence": confidence, "tempo_bpm": 60 / SPB_S}
        return Event(time_s, known_s, "beat", value)


class Onsets(BeatTracker[NoConfig]):
    """Beats where it becomes loud."""

    causal = True

    def track(self, audio: Audio) -> Tracked:
        session = self.stream({"audio": audio.format})
        return Tracked.from_chunks(run_offline(session, audio), session.format)

    def stream(self, formats: Any) -> OnsetSession:
        return OnsetSession(formats["audio"])


class RandomOnsets(Onsets):
    """The same, with a confidence out of the air."""

    random = True

    def stream(self, formats: Any) -> OnsetSession:
        return OnsetSession(formats["audio"], jitter=self.context.rng)


class HoldSession:
    """Keeps all sound back until the end."""

    latency = Latency(lookahead_s=3600)

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.reset()

    def reset(self) -> None:
        self.held: list[np.ndarray] = []
        self.until_s = 0.0

    def push(self, audio: Chunk) -> Chunk:
        self.held.append(audio.samples)
        self.until_s = audio.until_s
        return Chunk(0.0)

    def flush(self) -> Chunk:
        return Chunk(self.until_s, np.concatenate(self.held, axis=1)) if self.held else Chunk(0.0)


class Hold(Effect[NoConfig]):
    """Keeps all sound back until the end."""

    causal = True

    def process(self, audio: Audio) -> Audio:
        chunks = run_offline(self.stream({"audio": audio.format}), audio)
        return Audio(joined_samples(chunks, channels=audio.channels), audio.rate_hz)

    def stream(self, formats: Any) -> HoldSession:
        return HoldSession(formats["audio"])


class SidesSession:
    """Every channel by itself, and all of them swapped."""

    latency = Latency()

    def __init__(self, format: AudioFormat) -> None:
        self.format = AudioFormat(format.rate_hz, 2 * format.channels)
        self.reset()

    def reset(self) -> None:
        self.until_s = 0.0

    def push(self, audio: Chunk) -> Chunk:
        self.until_s = audio.until_s
        return Chunk(self.until_s, np.concatenate([audio.samples, np.float32(0.25) * audio.samples]))

    def flush(self) -> Chunk:
        return Chunk(self.until_s)


class Sides(Separator[NoConfig]):
    """The sound as it is, and softly."""

    causal = True

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("loud", "soft")

    def separate(self, audio: Audio) -> Stems:
        return Stems({"loud": audio, "soft": Audio(np.float32(0.25) * audio.samples, audio.rate_hz)})

    def stream(self, formats: Any) -> SidesSession:
        return SidesSession(formats["audio"])


class CountSession:
    """Peaks times the number of beats so far, where both are known."""

    latency = Latency(hop_s=1 / FRAMES_PER_S)

    def __init__(self, features: SeriesFormat) -> None:
        self.format = SeriesFormat(features.rate_hz, ("0",))
        self.aligner = Aligner({"features": features.rate_hz, "beats": None})
        self.reset()

    def reset(self) -> None:
        self.aligner.reset()
        self.rows, self.times_s = 0, [math.inf]

    def push(self, **ports: Chunk) -> Chunk:
        beats = ports.get("beats", Chunk(0.0))
        assert all(event.what == "beat" for event in beats.events), "a port of beats gets beats"
        assert beats.samples is None, "and no rows of the clock"
        return self.given(self.aligner.push(**ports))

    def flush(self) -> Chunk:
        return self.given(self.aligner.flush())

    def given(self, joined: dict[str, Chunk]) -> Chunk:
        self.times_s[-1:] = [*(event.time_s for event in joined["beats"].events), math.inf]
        rows = joined["features"].samples
        rows = np.zeros((0, 1), np.float32) if rows is None else rows
        at_s = (self.rows + np.arange(len(rows))) / self.format.rate_hz
        self.rows += len(rows)
        counts = np.searchsorted(self.times_s, at_s, side="right").astype(np.float32)
        until_s = joined["features"].until_s
        events = (Event(until_s, until_s, "counted", {"sum": float(rows.sum())}),) if len(rows) else ()
        return Chunk(until_s, rows * counts[:, None], events)


class Count(Controller[NoConfig]):
    """Peaks times the number of beats so far."""

    causal = True

    def control(self, features: Features, beats: Beats) -> Trajectory:
        raise NotImplementedError

    def stream(self, formats: Any) -> CountSession:
        return CountSession(formats["features"])


class FollowSession:
    """The clock as it comes."""

    latency = Latency()

    def __init__(self, clock: SeriesFormat) -> None:
        self.format = clock
        self.reset()

    def reset(self) -> None:
        self.until_s = 0.0

    def push(self, clock: Chunk) -> Chunk:
        assert not clock.events, "a port of a clock gets rows alone"
        self.until_s = clock.until_s
        return Chunk(clock.until_s, clock.samples)

    def flush(self) -> Chunk:
        return Chunk(self.until_s)


class Follow(Controller[NoConfig]):
    """The clock as a trajectory."""

    causal = True

    def control(self, clock: BeatClock) -> Trajectory:
        raise NotImplementedError

    def stream(self, formats: Any) -> FollowSession:
        return FollowSession(formats["clock"])


class FormSession(PeakSession):
    """A section for every second that has passed."""

    latency = Latency(lookahead_s=1.0, hop_s=1 / FRAMES_PER_S)

    def __init__(self, format: AudioFormat) -> None:
        super().__init__(format)
        self.format = EventFormat()

    def push(self, audio: Chunk | None = None, beats: Chunk | None = None) -> Chunk:
        return self.given([]) if audio is None else super().push(audio)

    def given(self, windows: list[np.ndarray]) -> Chunk:
        ends = range(self.frames // FRAMES_PER_S + 1, (self.frames + len(windows)) // FRAMES_PER_S + 1)
        self.frames += len(windows)
        said = [Event(end - 1.0, float(end), "section", {"end_s": end, "label": "verse"}) for end in ends]
        return Chunk(self.frames / FRAMES_PER_S, events=tuple(said))


class Form(StructureAnalyzer[NoConfig]):
    """A section a second."""

    causal = True

    def analyze(self, audio: Audio, *, beats: Beats) -> Sections:
        raise NotImplementedError

    def stream(self, formats: Any) -> FormSession:
        return FormSession(formats["audio"])


class MarkSession(FollowSession):
    """The sections as they come."""

    def __init__(self) -> None:
        super().__init__(EventFormat())

    def push(self, sections: Chunk) -> Chunk:
        assert sections.samples is None and {event.what for event in sections.events} <= {"section"}
        self.until_s = sections.until_s
        told = [replace(event, what="mark") for event in sections.events]
        return Chunk(sections.until_s, events=tuple(told))


class Marks(Controller[NoConfig]):
    """Says when a section was heard."""

    causal = True

    def control(self, sections: Sections) -> Trajectory:
        raise NotImplementedError

    def stream(self, formats: Any) -> MarkSession:
        assert formats == {"sections": EventFormat()}
        return MarkSession()


class Gather(Controller[NoConfig]):
    """Streams, says it, but takes a list."""

    causal = True

    def control(self, features: list[Features]) -> Trajectory:
        raise NotImplementedError


class BeatsAloneSession(OnsetSession):
    def __init__(self, format: AudioFormat) -> None:
        super().__init__(format)
        self.format = EventFormat()

    def given(self, windows: list[np.ndarray]) -> Chunk:
        self.frames += len(windows)
        until_s = self.frames / FRAMES_PER_S
        is_loud = any(abs(window).max() > LOUD for window in windows)
        return Chunk(until_s, events=(Event(until_s, until_s, "beat"),) if is_loud else ())


class BeatsAlone(Onsets):
    """A tracker whose session gives events and no clock."""

    def stream(self, formats: Any) -> OnsetSession:
        return BeatsAloneSession(formats["audio"])


class WrongConfig(PluginConfig):
    fault: str = Field("", description="What its session does that no session may.")


class WrongSession(OnsetSession):
    def __init__(self, format: AudioFormat, fault: str) -> None:
        self.fault = fault
        super().__init__(format)
        if fault == "late":
            self.latency = Latency(window_s=math.inf)
        elif fault == "no format":
            self.format = None
        elif fault == "no clock":
            self.format = SeriesFormat(FRAMES_PER_S, tuple("abcdefghijk"))
        elif fault == "events alone":
            self.format = EventFormat()

    def push(self, audio: Chunk) -> Chunk:
        if self.fault == "writes":
            audio.samples[:] = 0
        return super().push(audio)

    def given(self, windows: list[np.ndarray]) -> Chunk:
        self.format, said = SeriesFormat(FRAMES_PER_S, BeatClock.columns((2, 3))), self.format
        chunk = super().given(windows)
        self.format = said
        event = Event(1.0, 1.0, "beat", {"position": 1})
        match self.fault:
            case "nothing":
                return None
            case "narrow":
                return replace(chunk, samples=chunk.samples[:, :2])
            case "flat":
                return replace(chunk, samples=chunk.samples[:, 0])
            case "nan":
                return replace(chunk, samples=chunk.samples * np.float32("nan"))
            case "back":
                return replace(chunk, until_s=-chunk.until_s)
            case "still":
                return replace(chunk, samples=chunk.samples * 0)
            case "reserved":
                return replace(chunk, events=(replace(event, what="end"),))
            case "never":
                return replace(chunk, events=(replace(event, time_s=math.nan),))
            case "no JSON":
                return replace(chunk, events=(replace(event, value={"position": np.int64(1)}),))
        return chunk


class Wrong(Onsets, BeatTracker[WrongConfig]):
    """Breaks its promises."""

    def stream(self, formats: Any) -> WrongSession:
        return WrongSession(formats["audio"], self.config.fault)


class FussyConfig(PluginConfig):
    until_s: float = Field(math.inf, description="When it has had enough.", json_schema_extra={"unit": "s"})
    bug: bool = Field(False, description="Whether it then fails as only a bug does.")


class FussySession(SidesSession):
    def __init__(self, format: AudioFormat, config: FussyConfig) -> None:
        super().__init__(format)
        self.format, self.config = format, config

    def push(self, audio: Chunk) -> Chunk:
        if audio.until_s >= self.config.until_s:
            raise ZeroDivisionError if self.config.bug else InputError("I have had enough")
        return Chunk(audio.until_s, audio.samples)


class Fussy(Effect[FussyConfig]):
    """Takes mono, and not for long."""

    causal = True

    def process(self, audio: Audio) -> Audio:
        return audio

    def stream(self, formats: Any) -> FussySession:
        if formats["audio"].channels != 1:
            raise InputError("I take mono")
        return FussySession(formats["audio"], self.config)


class OfflineDecoder(BeatDecoder[NoConfig]):
    """Decodes files alone."""

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        raise NotImplementedError


class DecodedConfig(PluginConfig):
    decoder: PluginRef[BeatDecoder[Any]] = Field(PluginRef("decoder/offline"), description="What decodes.")


class Decoded(BeatTracker[DecodedConfig]):
    """Streams, if its decoder does."""

    causal = True

    def track(self, audio: Audio) -> Tracked:
        raise NotImplementedError

    def stream(self, formats: Any) -> Any:
        raise AssertionError("it has a decoder in it that does not stream")


class Drip(Codec[NoConfig]):
    """Sound that goes on for as many blocks as its file says, and is damaged then; without a number, for ever."""

    kind, suffixes = Audio, (".drip",)

    def read(self, path: Any) -> Audio:
        count = path.read_text(encoding="utf-8")
        with self.context.audio_writer(AudioFormat(8000, 1)) as writer:
            for _ in range(int(count)) if count else itertools.count():
                writer.write(np.ones((1, 1000), np.float32))
        raise InputError(f"{path.name}: damaged")

    def write(self, artifact: Audio, path: Any) -> None:
        raise NotImplementedError
