import json

import numpy as np
from pydantic import Field

from ripieno.contracts import FrameEffect, PluginConfig, PluginRef
from ripieno.toolkit.portable import from_json, to_json


class LighterConfig(PluginConfig):
    """Settings of `Lighter`."""

    by: int = Field(1, ge=0, description="What is added.")


class Lighter(FrameEffect[LighterConfig]):
    """Adds light."""

    def apply(self, frames, start_s):
        return frames + np.uint8(self.config.by)


class TwiceConfig(PluginConfig):
    """Settings of `Twice`."""

    effect: PluginRef[FrameEffect] = Field(PluginRef("frame_effect/none"), description="What is done twice.")
    offset: int = Field(0, description="Added after it.")


class Twice(FrameEffect[TwiceConfig]):
    """Another effect, two times."""

    def apply(self, frames, start_s):
        inner = self.config.effect.plugin
        return inner.apply(inner.apply(frames, start_s), start_s) + np.uint8(self.config.offset)


def twice(by):
    return Twice(TwiceConfig(effect=PluginRef[FrameEffect].of(Lighter(LighterConfig(by=by)))))


def test_a_plugin_and_what_is_in_it_come_back_from_plain_text():
    document = json.loads(json.dumps(to_json(twice(7))))
    again = from_json(document)
    assert type(again) is Twice
    assert again.apply(np.zeros(3, np.uint8), 0.0).tolist() == [14, 14, 14]


def test_other_settings_may_be_given_and_what_is_inside_stays():
    plugin = twice(2)
    other = plugin.config.model_copy(update={"offset": 5})
    assert from_json(to_json(plugin, config=other)).apply(np.zeros(1, np.uint8), 0.0).tolist() == [9]


def test_the_same_text_gives_the_same_plugin():
    assert from_json(to_json(twice(3))) is from_json(to_json(twice(3)))
    assert from_json(to_json(twice(3))) is not from_json(to_json(twice(4)))
