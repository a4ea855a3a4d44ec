"""A step that does nothing."""

from pydantic import Field

from ripieno.contracts import Joiner, PluginConfig, Text


class NoopConfig(PluginConfig):
    """Settings of `Noop`."""

    number: int = Field(0, description="Tells one use from another.")


class Noop(Joiner[NoopConfig]):
    """Gives back what it takes."""

    def join(self, text: Text) -> Text:
        return text
