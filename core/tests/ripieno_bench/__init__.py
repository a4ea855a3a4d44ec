"""Plugins of the tests: one for each shape of ports and results, and for each way to fail."""

import json
import os
import time
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

import click
from pydantic import BaseModel, Field

from ripieno.contracts import (
    Asset,
    Audio,
    AudioSpec,
    Binary,
    Bundle,
    Codec,
    Context,
    Effect,
    Hooks,
    Host,
    InputError,
    Joiner,
    Licence,
    Model,
    NoConfig,
    PluginConfig,
    PluginRef,
    Provenance,
    Resources,
    SampleLibrary,
    Scores,
    Separator,
    Stems,
    Text,
)


class ShoutConfig(PluginConfig):
    mark: str = Field("!", description="What stands at the end.")
    times: int = Field(1, ge=1, description="How often.")


class Shout(Joiner[ShoutConfig]):
    """Says it loud."""

    def join(self, text: Text) -> Text:
        return Text(text.text.upper() + self.config.mark * self.config.times)


class Concat(Joiner[NoConfig]):
    """All in a row."""

    def join(self, texts: list[Text]) -> Text:
        return Text("|".join(text.text for text in texts))


class Table(Joiner[NoConfig]):
    """All with their names."""

    def join(self, texts: dict[str, Text]) -> Text:
        return Text("|".join(f"{name}={text.text}" for name, text in texts.items()))


class Rest(Joiner[NoConfig]):
    """Those that are there, of two kinds, and why others are not."""

    partial = True

    def join(self, texts: dict[str, Text], others: list[Text] | None = None) -> Text:
        there = [f"{name}={text.text}" for name, text in texts.items()]
        lost = [f"{name}: {why}" for name, why in self.context.lost.items()]
        return Text("|".join([*there, *(text.text for text in others or []), *lost]))


class Pair(Joiner[NoConfig]):
    """Two beside each other."""

    def join(self, left: Text, right: Text | None = None) -> Text:
        return Text(f"{left.text}+{right.text if right else ''}")


class Counting(NamedTuple):
    text: Text
    count: Scores


class Counted(Joiner[NoConfig]):
    """The words, and how many there are."""

    def join(self, text: Text) -> Counting:
        return Counting(text, Scores({"words": len(text.text.split())}))


class InnerConfig(PluginConfig):
    inner: PluginRef[Joiner[Any]] = Field(PluginRef("joiner/shout"), description="Whom to ask.")


class Inner(Joiner[InnerConfig]):
    """Asks another plugin."""

    def join(self, text: Text) -> Text:
        answer: Text = self.config.inner.plugin.join(text)
        return Text(f"<{answer.text}>")


class Dice(Joiner[NoConfig]):
    """Throws dice."""

    random = True

    def join(self, text: Text) -> Text:
        return Text(f"{text.text} {self.context.rng.integers(1 << 40)}")


class FactsOf(Joiner[NoConfig]):
    """Tells what is known of an item."""

    def join(self, text: Text) -> Text:
        return Text(json.dumps(dict(self.context.facts), sort_keys=True))


class Told(Joiner[NoConfig]):
    """Tells how what it takes was made."""

    reads_history = True

    def join(self, text: Text) -> Text:
        return Text(json.dumps([asdict(made) for made in self.context.history], sort_keys=True))


class Beside(Joiner[NoConfig]):
    """Puts two texts side by side."""

    def join(self, left: Text, right: Text) -> Text:
        return Text(f"{left.text} {right.text}")


class WeightedConfig(PluginConfig):
    weights: PluginRef[Asset] = Field(PluginRef("asset/weights"), description="What to use.")


class Weighted(Joiner[WeightedConfig]):
    """Tells how many bytes its weights have."""

    def join(self, text: Text) -> Text:
        return Text(f"{text.text} {len(self.config.weights.plugin.path.read_bytes())}")


class SampledConfig(PluginConfig):
    map: PluginRef[SampleLibrary] = Field(PluginRef("sample_library/dear"), description="What is played.")


class Sampled(Joiner[SampledConfig]):
    """Tells what its samples are of."""

    def join(self, text: Text) -> Text:
        return Text(f"{text.text} {self.config.map.plugin.instrument}")


class BorrowedConfig(PluginConfig):
    lender: str = Field("", description="Whose words are used, which are not for sale.")


class Borrowed(Joiner[BorrowedConfig]):
    """Uses words on terms that follow from its settings."""

    @classmethod
    def terms(cls, config: BorrowedConfig) -> tuple[Licence, ...]:
        return (Licence("CC-BY-NC-4.0", credit=config.lender, commercial=False),) if config.lender else ()

    def join(self, text: Text) -> Text:
        return text


class Quoting(Joiner[NoConfig]):
    """Brings words that are not for sale, which only its result tells."""

    def join(self, text: Text) -> Text:
        quoted = Licence("CC-BY-NC-4.0", credit="A. Poet", commercial=False)
        own = Provenance(licences=(*text.provenance.licences, quoted))
        return Text(f"{text.text}, as she said").with_provenance(own)


class Hobby(Joiner[NoConfig]):
    """Carries weights that are not for sale."""

    licences = (Licence("CC-BY-NC-4.0", credit="A. Researcher", commercial=False),)

    def join(self, text: Text) -> Text:
        return text


class Needy(Joiner[NoConfig]):
    """Runs a program that nobody has."""

    binaries = (Binary("ripieno-bench-no-such-program", cure="pip install no-such-program"),)

    def join(self, text: Text) -> Text:
        return text


class LeafConfig(PluginConfig):
    """Settings of `Leaf`."""

    marked: bool = Field(False, description="Whether it is Markdown.")


class Leaf(Joiner[LeafConfig]):
    """A text that fits some files only."""

    @classmethod
    def written_as(cls, config: LeafConfig) -> tuple[str, ...]:
        return (".md",) if config.marked else (".txt", ".words")

    def join(self, text: Text) -> Text:
        return text


class Bound(Joiner[NoConfig]):
    """Leaves in a row, in files such as they fit."""

    @classmethod
    def written_as(cls, config: NoConfig) -> tuple[str, ...]:
        return ("texts",)

    def join(self, texts: list[Text]) -> Text:
        return Text("".join(text.text for text in texts))


class Page(Joiner[NoConfig]):
    """A folder of files."""

    def join(self, text: Text) -> Bundle:
        page, data = self.context.scratch / "page", self.context.scratch / "data"
        page.write_text(f"<p>{text.text}</p>", encoding="utf-8")
        data.write_bytes(bytes(range(3)))
        return Bundle({"index.html": page, "sub/data.bin": data})


class Learned(Joiner[NoConfig]):
    """A model that has learned a word."""

    def join(self, text: Text) -> Model:
        path = self.context.scratch / "model.onnx"
        path.write_text(text.text, encoding="utf-8")
        return Model(path, {"rate_hz": 8000})


class Device(Joiner[NoConfig]):
    """Tells where it computes."""

    def join(self, text: Text) -> Text:
        return Text(self.context.device)


class Accelerated(Device):
    """Needs a GPU."""

    resources = Resources(gpu=True)


Fault = Literal["none", "raises", "refuses", "exits", "hangs", "wrong", "nothing", "garbled", "prints"]


class Picky(Joiner[NoConfig]):
    """Takes no model."""

    def join(self, model: Model) -> Text:
        raise InputError(f"{model.path}: no words in it")


class FaultConfig(PluginConfig):
    fault: Fault = Field("none", description="What to do.")
    word: str = Field("", description="Only where the text has this word.")


class Faulty(Joiner[FaultConfig]):
    """Fails as it is told."""

    def join(self, text: Text) -> Text:
        if self.config.word in text.text:
            fail(self.config.fault, self.context)
            if self.config.fault in ("wrong", "nothing"):
                return None if self.config.fault == "nothing" else Scores({})  # type: ignore[return-value]
        return Text(f"{text.text} survived")


class SpreadConfig(PluginConfig):
    faults: list[Fault] = Field([], description="One for each job.")
    timeless: bool = Field(False, description="Whether to map what is no function of a module.")
    unjson: bool = Field(False, description="Whether to map what is no JSON.")


class Spread(Joiner[SpreadConfig]):
    """Fails in jobs on all workers, where it is told to."""

    random = True
    parallel = True

    def join(self, text: Text) -> Text:
        jobs = [{1, 2}] if self.config.unjson else self.config.faults
        made = self.context.map((lambda job, context: 0) if self.config.timeless else fail, jobs)
        return Text(json.dumps(made))


def fail(fault: str, context: Context) -> int:
    if fault == "raises":
        raise ZeroDivisionError("a bug in a plugin")
    if fault == "refuses":
        raise InputError("this text is not for me")
    if fault == "exits":
        os.write(2, b"I have had enough\n")
        os._exit(7)
    if fault == "hangs":
        while True:
            time.sleep(3600)
    if fault == "garbled":
        raise ValueError("half a character: \ud800")
    if fault == "prints":
        print("a plugin that talks")
        context.logger.warning("a plugin that warns")
        context.progress(1, 2, unit="words")
    return int(context.rng.integers(1 << 40)) if context.random else 0


class Headed(Joiner[NoConfig]):
    """Looks at headers first."""

    def check(self, headers: Any) -> None:
        if headers["texts"] and all(header["kind"] == "text" for header in headers["texts"]):
            raise InputError("headers were seen")

    def join(self, texts: list[Text]) -> Text:
        raise AssertionError("a plugin that refused is not called")


class DepthConfig(PluginConfig):
    channels: int = Field(1, ge=1, description="How many.")


class Downmix(Effect[DepthConfig]):
    """Fewer channels."""

    def process(self, audio: Audio) -> Audio:
        return audio


class ResampleConfig(PluginConfig):
    rate_hz: int = Field(44_100, ge=1, description="Rate.", json_schema_extra={"unit": "Hz"})
    streaming: bool = Field(False, description="Whether the filter is the live one.")


class Resample(Effect[ResampleConfig]):
    """Another rate."""

    def process(self, audio: Audio) -> Audio:
        return audio


class Phone(Effect[NoConfig]):
    """Takes 8 kHz mono."""

    accepts = {"audio": AudioSpec(rate_hz=8000, channels=1)}

    def process(self, audio: Audio) -> Audio:
        return audio


class Radio(Phone):
    """Takes 8 kHz mono, live."""

    causal = True


class Whole(Effect[NoConfig]):
    """Holds everything in memory."""

    whole_file = True

    def process(self, audio: Audio) -> Audio:
        return audio


class Halves(Separator[NoConfig]):
    """A sound twice."""

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("left", "right")

    def separate(self, audio: Audio) -> Stems:
        return Stems({"left": audio, "right": audio})


class WaveFile(Codec[NoConfig]):
    """Sound as text: a number a line."""

    kind, suffixes = Audio, (".numbers",)

    def read(self, path: Any) -> Audio:
        import numpy as np

        return Audio(np.array([path.read_text(encoding="utf-8").split()], dtype=np.float32), 8000)

    def write(self, artifact: Audio, path: Any) -> None:
        path.write_text(" ".join(str(value) for value in artifact.samples[0]), encoding="utf-8")


class WordFile(Codec[NoConfig]):
    """Text, a word a line."""

    kind, suffixes = Text, (".words",)

    def read(self, path: Any) -> Text:
        return Text(" ".join(path.read_text(encoding="utf-8").split()))

    def write(self, artifact: Text, path: Any) -> None:
        path.write_text("\n".join(artifact.text.split()), encoding="utf-8")


class Point(BaseModel):
    x: float = Field(0, description="Across.")


class NestedConfig(PluginConfig):
    points: list[Point] = Field([], description="Where.")


class Nested(Joiner[NestedConfig]):
    """Has settings with definitions of their own."""

    def join(self, text: Text) -> Text:
        return text


class Quiet(Hooks):
    """Listens to nothing."""


@click.command()
@click.argument("path")
@click.pass_obj
def hello(host: Host, path: str) -> None:
    """Shout what stands in a file."""
    folder = host.run(host.load("greeting").file, inputs={"word": path}, settings={"loud.mark": "?"})
    click.echo((folder / "loud.txt").read_text(encoding="utf-8"))
    click.echo(host.describe("joiner/shout")["summary"])
