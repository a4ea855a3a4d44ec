"""Small plugins for sound, and a recipe."""

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    Audio,
    AudioSpec,
    Effect,
    NoConfig,
    PluginConfig,
    Recipe,
    Separator,
    Stems,
    resources,
)

__getattr__ = resources(__name__, Recipe)


class GainConfig(PluginConfig):
    gain: float = Field(1.0, ge=0, le=4, description="Factor.")


class Gain(Effect[GainConfig]):
    """Louder or softer."""

    def process(self, audio: Audio) -> Audio:
        with self.context.audio_writer(audio.format) as writer:
            for block in audio.blocks(1 << 16):
                writer.write(block * np.float32(self.config.gain))
            return writer.close()


class Telephone(Effect[NoConfig]):
    """What fixes both rate and channels."""

    accepts = {"audio": AudioSpec(rate_hz=16_000, channels=1)}

    def process(self, audio: Audio) -> Audio:
        assert (audio.rate_hz, audio.channels) == (16_000, 1)
        return audio


class Halves(Separator[NoConfig]):
    """The loud and the soft half of a sound."""

    @classmethod
    def output_names(cls, config: NoConfig) -> tuple[str, ...]:
        return ("loud", "soft")

    def separate(self, audio: Audio) -> Stems:
        soft = np.clip(audio.samples, -0.25, 0.25)
        return Stems({"loud": Audio(audio.samples - soft, audio.rate_hz), "soft": Audio(soft, audio.rate_hz)})
