"""A plugin whose module imports more than it says it needs."""

import jinja2  # noqa: F401

from ripieno.contracts import Audio, Effect, NoConfig


class Heavy(Effect[NoConfig]):
    """Passes sound on."""

    def process(self, audio: Audio) -> Audio:
        return audio
