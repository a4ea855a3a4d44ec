"""Plugins whose settings name files, in every form that a setting may have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ripieno.contracts import Joiner, PluginConfig, PluginRef, Text


class Page(PluginConfig):
    """A file, or the number of one."""

    kind: Literal["page"] = Field("page", description="Told from a word by this.")
    file: Path | None = Field(None, description="Where it is.")


class Word(PluginConfig):
    """A word, which is no file."""

    kind: Literal["word"] = Field("word", description="Told from a page by this.")
    file: str = Field("", description="What it says.")


class QuoteConfig(PluginConfig):
    file: Path | None = Field(None, description="A file.")
    files: tuple[Path, ...] = Field((), description="Files.")
    pair: tuple[str, Path] | None = Field(None, description="What to say, then a file.")
    named: dict[str, Path] = Field({}, description="Files by name.")
    page: Page | None = Field(None, description="A page.")
    parts: list[Annotated[Page | Word, Field(discriminator="kind")]] = Field([], description="Either.")
    either: Path | Literal["none"] = Field("none", description="A file, or a word of our own.")
    note: str = Field("", description="What to say.")


class Quote(Joiner[QuoteConfig]):
    """Says what stands in files."""

    @classmethod
    def assets(cls, config: QuoteConfig) -> tuple[Path, ...]:
        return tuple(one for one in _said(config) if isinstance(one, Path))

    def join(self, text: Text) -> Text:
        said = [
            one.read_text(encoding="utf-8") if isinstance(one, Path) else one for one in _said(self.config)
        ]
        return Text("|".join([text.text.strip(), *said]))


def _said(config: QuoteConfig) -> Iterator[Path | str]:
    parts = [part.file for part in config.parts if part.file is not None]
    pages = [config.page.file] if config.page and config.page.file else []
    either = [] if config.either == "none" else [config.either]
    yield from (config.file,) if config.file else ()
    yield from (*config.files, *(config.pair or ()), *config.named.values(), *pages, *parts, *either)
    yield from (config.note,) if config.note else ()


class Asked(PluginConfig):
    """One of those who are asked."""

    whom: PluginRef[Joiner[Any]] = Field(PluginRef("joiner/shout"), description="A joiner.")


class AskConfig(PluginConfig):
    whom: PluginRef[Joiner[Any]] = Field(
        PluginRef("joiner/quote", **{"with": {"note": "asked"}}), description="A joiner."
    )
    others: tuple[Asked, ...] = Field((), description="Who is asked next.")


class Ask(Joiner[AskConfig]):
    """Asks one plugin after the other."""

    def join(self, text: Text) -> Text:
        for one in (self.config.whom, *(other.whom for other in self.config.others)):
            text = one.plugin.join(text)
        return text
