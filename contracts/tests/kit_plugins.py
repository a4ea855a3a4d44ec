"""Plugins for the tests of the kit: each keeps everything, or breaks one thing."""

from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

from ripieno.contracts import (
    Audio,
    AudioFormat,
    Beats,
    Chunk,
    Context,
    Dataset,
    DataSource,
    Effect,
    Features,
    FrameEffect,
    Framer,
    Frontend,
    Latency,
    Metric,
    NoConfig,
    PluginConfig,
    Scores,
    Sections,
    Separator,
    Stems,
    StructureAnalyzer,
    Text,
    joined_samples,
    run_offline,
)
from ripieno.contracts.codecs import BeatsFile


class GainConfig(PluginConfig):
    """Settings of `Gain`."""

    gain: float = Field(0.5, ge=0, description="Factor.")


class Gain(Effect[GainConfig]):
    """Multiplies, and streams: what it keeps back is nothing."""

    causal = True

    def process(self, audio: Audio) -> Audio:
        chunks = run_offline(self.stream({"audio": audio.format}), audio)
        return Audio(joined_samples(chunks, channels=audio.channels), audio.rate_hz)

    def stream(self, formats: dict[str, AudioFormat]) -> "GainSession":
        return GainSession(formats["audio"], self.config.gain)


class GainSession:
    latency = Latency()

    def __init__(self, format: AudioFormat, gain: float) -> None:
        self.format = format
        self.gain = np.float32(gain)
        self.reset()

    def push(self, audio: Chunk) -> Chunk:
        self.until_s = audio.until_s
        return Chunk(audio.until_s, audio.samples * self.gain)

    def flush(self) -> Chunk:
        return Chunk(self.until_s)

    def reset(self) -> None:
        self.until_s = 0.0


class HopSession:
    """Gives whole hops only, and leaves the rest to the flush."""

    latency = Latency(hop_s=441 / 8000)

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.framer = Framer(window=441, hop=441)
        self.reset()

    def push(self, audio: Chunk) -> Chunk:
        self.taken += audio.samples.shape[1]
        return self.given_by(self.framer.push(audio.samples))

    def flush(self) -> Chunk:
        left = self.taken - self.given
        frames = [frame[:, :left] for frame in self.framer.flush()]
        return self.given_by(frames)

    def given_by(self, frames: list[np.ndarray]) -> Chunk:
        samples = np.concatenate([np.zeros((self.format.channels, 0), np.float32), *frames], axis=1)
        self.given += samples.shape[1]
        return Chunk(self.given / self.format.rate_hz, samples)

    def reset(self) -> None:
        self.framer.reset()
        self.taken = self.given = 0


class Hopped(Gain):
    """Passes sound on in hops, a hop late at most, at 8 kHz or more."""

    def stream(self, formats: dict[str, AudioFormat]) -> HopSession:
        return HopSession(formats["audio"])


class HastySession(HopSession):
    latency = Latency()


class Hasty(Hopped):
    """Declares no latency, and has a hop of it."""

    def stream(self, formats: dict[str, AudioFormat]) -> HastySession:
        return HastySession(formats["audio"])


class BoastfulSession(HastySession):
    def push(self, audio: Chunk) -> Chunk:
        return Chunk(audio.until_s, super().push(audio).samples)


class Boastful(Hopped):
    """Says that it has reached what it still keeps back."""

    def stream(self, formats: dict[str, AudioFormat]) -> BoastfulSession:
        return BoastfulSession(formats["audio"])


class BlockySession(GainSession):
    def push(self, audio: Chunk) -> Chunk:
        mean = audio.samples.mean() if audio.samples.size else np.float32(0)
        return Chunk(audio.until_s, audio.samples - mean)


class Blocky(Gain):
    """Takes the mean off each block."""

    def stream(self, formats: dict[str, AudioFormat]) -> BlockySession:
        return BlockySession(formats["audio"], 1)


class ForgetfulSession(GainSession):
    def reset(self) -> None:
        self.gain = getattr(self, "gain", np.float32(1)) * np.float32(0.5)
        self.until_s = 0.0


class Forgetful(Gain):
    """Is another one after each reset."""

    def stream(self, formats: dict[str, AudioFormat]) -> ForgetfulSession:
        return ForgetfulSession(formats["audio"], 1)


class Otherwise(Gain):
    """Has a verb that is not its session."""

    def process(self, audio: Audio) -> Audio:
        return Audio(audio.samples * np.float32(0.25), audio.rate_hz)


class Silent(Gain):
    """Says that it streams, and does not."""

    stream = Effect.stream


class Mutating(Effect[NoConfig]):
    """Writes into its input behind the read-only view."""

    def process(self, audio: Audio) -> Audio:
        base = audio.rows.array
        while isinstance(base.base, np.ndarray):
            base = base.base
        base *= 0.5
        return Audio(base.T.copy(), audio.rate_hz)


class Wavering(Effect[NoConfig]):
    """Adds noise that no seed decides."""

    def process(self, audio: Audio) -> Audio:
        return Audio(audio.samples + np.random.standard_normal(audio.samples.shape) * 1e-3, audio.rate_hz)


class Dithering(Effect[NoConfig]):
    """Adds noise that the seed decides."""

    random = True

    def process(self, audio: Audio) -> Audio:
        noise = self.context.rng.standard_normal(audio.samples.shape) * 1e-3
        return Audio(audio.samples + noise, audio.rate_hz)


class Covert(Dithering):
    """Draws from the seed without saying so."""

    random = False


class Remembering(Effect[NoConfig]):
    """Is louder at each call."""

    gain = 0.5

    def process(self, audio: Audio) -> Audio:
        self.gain *= 0.9
        return Audio(audio.samples * self.gain, audio.rate_hz)


class Dividing(Effect[NoConfig]):
    """Divides by the peak, also where there is none."""

    def process(self, audio: Audio) -> Audio:
        with np.errstate(invalid="ignore"):
            return Audio(audio.samples / abs(audio.samples).max(initial=0), audio.rate_hz)


class Halves(Separator[NoConfig]):
    """Two halves of the sound."""

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("left", "right")

    def separate(self, audio: Audio) -> Stems:
        half = Audio(audio.samples * 0.5, audio.rate_hz)
        return Stems(dict.fromkeys(self.output_names(self.config), half))


class Misnamed(Halves):
    """Names other stems than it gives."""

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("left", "right", "middle")

    def separate(self, audio: Audio) -> Stems:
        return Stems({"left": audio, "right": audio})


class Shortening(Halves):
    """Loses the last sample."""

    def separate(self, audio: Audio) -> Stems:
        short = Audio(audio.samples[:, : max(0, audio.frames - 1)], audio.rate_hz)
        return Stems({"left": short, "right": short})


class Levels(Frontend[NoConfig]):
    """The peak of every tenth of a second."""

    def transform(self, audio: Audio) -> Features:
        hop = max(1, audio.rate_hz // 10)
        peaks = [[abs(block).max()] for block in audio.blocks(hop)]
        return Features(np.reshape(peaks, (-1, 1)), ("peak",), audio.rate_hz / hop)


class Mistaken(Effect[NoConfig]):
    """Gives features where it says sound."""

    def process(self, audio: Audio) -> Audio:
        return Features(audio.samples.T, tuple(map(str, range(audio.channels))), 10.0)


class Gapped(StructureAnalyzer[NoConfig]):
    """Forgets the first second."""

    def analyze(self, audio: Audio, *, beats: Beats) -> Sections:
        if audio.duration_s <= 1:
            return Sections(np.zeros(0), np.zeros(0), ())
        return Sections(np.array([1.0]), np.array([audio.duration_s]), ("A",))


class Nested(BaseModel):
    width: int = 3


class UndescribedConfig(PluginConfig):
    """Settings of `Undescribed`."""

    shape: Nested = Field(Nested(), description="Shape.")


class Undescribed(Effect[UndescribedConfig]):
    """Has a setting inside a setting that nobody describes."""

    def process(self, audio: Audio) -> Audio:
        return audio


class Unlicensed(Effect[NoConfig]):
    """Reads a file of weights and names no licence."""

    @classmethod
    def assets(cls, config: NoConfig) -> tuple[Path, ...]:
        return (Path(__file__),)

    def process(self, audio: Audio) -> Audio:
        return audio


class Calling(Effect[NoConfig]):
    """Asks the network when it is built."""

    def __init__(self, config: NoConfig | None = None) -> None:
        super().__init__(config)
        import socket

        socket.getaddrinfo("localhost", 80)

    def process(self, audio: Audio) -> Audio:
        return audio


def peak_of(job: list[float], context: Context) -> float:
    return max(job)


class Mapping(Effect[NoConfig]):
    """Maps over jobs."""

    parallel = True

    def process(self, audio: Audio) -> Audio:
        jobs = [block.max(axis=0).tolist() for block in audio.blocks(10000)]
        peak = max(self.context.map(peak_of, jobs), default=1)
        return Audio(audio.samples / (abs(peak) + 1), audio.rate_hz)


class MappingUnsaid(Mapping):
    """Maps over jobs without saying so."""

    parallel = False


class MappingClosure(Mapping):
    """Maps a function that no other process can import."""

    def process(self, audio: Audio) -> Audio:
        self.context.map(lambda job, context: job, [1])
        return audio


class Counting(Metric[NoConfig]):
    """Counts letters."""

    def measure(self, text: Text) -> Scores:
        return Scores({"letters": len(text.text)})


class Diary(DataSource[NoConfig]):
    """Two files."""

    def generate(self) -> Dataset:
        paths = [self.context.new_file(".txt") for _ in range(2)]
        for number, path in enumerate(paths):
            path.write_text(str(number), encoding="utf-8")
        return Dataset({path.name: path for path in paths}, {"examples": [path.name for path in paths]})


class Invert(FrameEffect[NoConfig]):
    """A negative."""

    def apply(self, frames: np.ndarray, start_s: float) -> np.ndarray:
        return 255 - frames


class Writing(Invert):
    """A negative in place."""

    def apply(self, frames: np.ndarray, start_s: float) -> np.ndarray:
        frames[:] = 255 - frames
        return frames


class Counted(Invert):
    """Every other frame of a call a negative."""

    def apply(self, frames: np.ndarray, start_s: float) -> np.ndarray:
        out = frames.copy()
        out[::2] = 255 - out[::2]
        return out


class Echo(Invert):
    """The frame before, which it says that it looks back at."""

    lead_frames = 1

    def apply(self, frames: np.ndarray, start_s: float) -> np.ndarray:
        return np.concatenate([frames[:1], frames[:-1]])


class Rounding(BeatsFile):
    """Loses what lies behind the point."""

    def write(self, artifact, path):
        path.write_text("".join(f"{time:.0f}\t0\n" for time in artifact.times_s), encoding="utf-8")
