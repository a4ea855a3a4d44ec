"""Small plugins for words: one for each shape of ports, results and contexts."""

import json
import time
from typing import Any, NamedTuple

from pydantic import Field

from ripieno.contracts import Context, Joiner, NoConfig, PluginConfig, PluginRef, Scores, Text


class ShoutConfig(PluginConfig):
    mark: str = Field("!", description="What stands at the end.")


class Shout(Joiner[ShoutConfig]):
    """Says it loud."""

    def join(self, text: Text) -> Text:
        return Text(text.text.strip().upper() + self.config.mark)


class Gather(Joiner[NoConfig]):
    """All in a row."""

    def join(self, texts: list[Text]) -> Text:
        return Text("|".join(text.text.strip() for text in texts))


class Table(Joiner[NoConfig]):
    """All with their names."""

    def join(self, texts: dict[str, Text]) -> Text:
        return Text("|".join(f"{name}={text.text.strip()}" for name, text in texts.items()))


class Pair(Joiner[NoConfig]):
    """Two beside each other."""

    def join(self, left: Text, right: Text | None = None) -> Text:
        return Text(f"{left.text.strip()}+{right.text.strip() if right else ''}")


class Counting(NamedTuple):
    """Words and how many."""

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
        return Text(f"{text.text.strip()} {self.context.rng.integers(1 << 40, size=4).tolist()}")


def throw(job: int, context: Context) -> tuple[int, int]:
    """One throw of `Spread`."""
    return job, int(context.rng.integers(1 << 40))


class SpreadConfig(PluginConfig):
    jobs: int = Field(7, ge=0, description="How many.")


class Spread(Joiner[SpreadConfig]):
    """Throws dice on all workers."""

    random = True
    parallel = True

    def join(self, text: Text) -> Text:
        return Text(repr(self.context.map(throw, list(range(self.config.jobs)))))


class Facts(Joiner[ShoutConfig]):
    """Tells what is known of an item."""

    def join(self, text: Text) -> Text:
        return Text(json.dumps(dict(self.context.facts), sort_keys=True) + self.config.mark)


class PatientConfig(PluginConfig):
    rounds: int = Field(20, ge=1, description="How many.")
    pause_s: float = Field(0.05, ge=0, description="Of each.", json_schema_extra={"unit": "s"})


class Patient(Joiner[PatientConfig]):
    """Counts slowly, remembers how far it came, and says so."""

    def join(self, text: Text) -> Text:
        note = self.context.checkpoint / "round.json"
        first = json.loads(note.read_text(encoding="utf-8")) if note.exists() else 0
        if first:
            self.context.logger.warning("went on at round %d", first)
        for done in range(first, self.config.rounds):
            time.sleep(self.config.pause_s)
            fresh = note.with_suffix(".new")
            fresh.write_text(str(done + 1), encoding="utf-8")
            fresh.replace(note)
            self.context.progress(done + 1, self.config.rounds, unit="rounds")
        return Text(f"{text.text.strip()} {self.config.rounds}")
