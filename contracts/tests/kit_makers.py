"""Plugins that make files, models and figures, for the tests of the kit."""

from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    Audio,
    Augmenter,
    Bundle,
    Dataset,
    FrameDecoder,
    Generator,
    Joiner,
    Model,
    NoConfig,
    PluginConfig,
    Renderer,
    Sink,
    Text,
    Trainer,
    Video,
)


class FilmConfig(PluginConfig):
    """Settings of `Film`."""

    size: tuple[int, int] = Field((64, 36), description="Width and height.", json_schema_extra={"unit": "px"})
    fps: float = Field(25, gt=0, description="Frame rate.", json_schema_extra={"unit": "Hz"})


class Film(Renderer[FilmConfig]):
    """A film that nobody can watch."""

    seconds_more = 0.0

    def render(self, audio: Audio) -> Video:
        path = self.context.new_file(".mp4")
        path.write_bytes(b"film")
        return Video(path, *self.config.size, self.config.fps, audio.duration_s + self.seconds_more)


class LongFilm(Film):
    """Longer than its music."""

    seconds_more = 1.0


class EmptyFilm(Film):
    """A film without a byte."""

    def render(self, audio: Audio) -> Video:
        film = super().render(audio)
        film.path.write_bytes(b"")
        return film


class Page(Sink[NoConfig]):
    """A page."""

    def publish(self, text: Text) -> Bundle:
        path = self.context.new_file(".html")
        path.write_text(text.text, encoding="utf-8")
        return Bundle({"index.html": path})


class LostPage(Page):
    """A page that is not there."""

    def publish(self, text: Text) -> Bundle:
        return Bundle({"index.html": self.context.scratch / "lost.html"})


class Learner(Trainer[NoConfig]):
    """Learns nothing, otherwise each time."""

    def train(self, datasets: list[Dataset]) -> Model:
        path = self.context.new_file(".onnx")
        path.write_bytes(np.random.default_rng().bytes(8))
        return Model(path, {"examples": len(datasets)})


class Cardless(Learner):
    """Says nothing of its model."""

    def train(self, datasets: list[Dataset]) -> Model:
        return replace(super().train(datasets), metadata={})


@dataclass(frozen=True)
class Example:
    """Sound and its label."""

    samples: np.ndarray
    label: str


class Louder(Augmenter[NoConfig]):
    """Changes the level."""

    def draw(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(0.5, 2))

    def apply(self, example: Example, draw: float) -> Example:
        return replace(example, samples=example.samples * draw)


class Whim(Louder):
    """Draws past the generator that it is given."""

    def draw(self, rng: np.random.Generator) -> float:
        return float(np.random.default_rng().uniform(0.5, 2))


class Tone(Generator[NoConfig]):
    """A tone as long as its prompt."""

    def generate(self, prompt: Text) -> Audio:
        return Audio(np.sin(np.arange(len(prompt.text)) / 10), 8000)


class Concat(Joiner[NoConfig]):
    """One text of many."""

    def join(self, items: list[Text]) -> Text:
        return Text("".join(item.text for item in items))


class Blend(FrameDecoder[NoConfig]):
    """Grey levels of coefficients."""

    def decode(self, coefficients: np.ndarray) -> np.ndarray:
        levels = np.clip(coefficients[:, :1] * 255, 0, 255).astype(np.uint8)
        return np.broadcast_to(levels[:, :, None, None], (len(levels), 1, 4, 3))


class FloatBlend(Blend):
    """Frames of another type."""

    def decode(self, coefficients: np.ndarray) -> np.ndarray:
        return super().decode(coefficients) / 255
