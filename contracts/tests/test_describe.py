"""A descriptor says as JSON what a plugin is; a class that is none is refused with a reason."""

import json
from pathlib import Path

import kit_plugins
import numpy as np
import pytest
from pydantic import Field

from ripieno.contracts import (
    Asset,
    Audio,
    AudioSpec,
    Binary,
    ConfigError,
    Effect,
    FrameDecoder,
    FrameEffect,
    Licence,
    MissingError,
    NoConfig,
    Plugin,
    PluginConfig,
    PluginError,
    PluginRef,
    Resources,
    Separator,
    Stems,
)
from ripieno.contracts.codecs import BeatsFile
from ripieno.contracts.describe import configure, describe


class GainConfig(PluginConfig):
    """Settings."""

    gain_db: float = Field(0, description="Gain.", json_schema_extra={"unit": "dB"})
    after: PluginRef[Effect] = Field(PluginRef("effect/none"), description="What follows.")


class Gain(Effect[GainConfig]):
    """Makes louder.

    And softer.
    """

    accepts = {"audio": AudioSpec(rate_hz=44100)}
    binaries = (Binary("sox", cure="install sox"),)
    licences = (Licence("CC0-1.0"),)
    resources = Resources(cpu=2)

    @classmethod
    def assets(cls, config):
        return (Path("weights.onnx"),)

    @classmethod
    def terms(cls, config):
        return (Licence("CC-BY-4.0", credit="Ada"),)

    def process(self, audio: Audio) -> Audio: ...


def test_a_descriptor_is_json_and_complete():
    descriptor = describe(Gain)
    assert json.loads(json.dumps(descriptor)) == descriptor
    assert descriptor["interface"] == "Effect"
    assert descriptor["summary"] == "Makes louder."
    assert descriptor["description"] == "Makes louder.\n\nAnd softer."
    assert descriptor["ports"] == [{"name": "audio", "kind": "audio", "many": "one", "required": True}]
    assert descriptor["accepts"] == {"audio": {"rate_hz": 44100, "channels": None}}
    assert descriptor["resources"] == {"cpu": 2, "gpu": False, "memory_mb": 0}
    assert descriptor["licences"][0]["name"] == "CC0-1.0"
    assert descriptor["config_schema"]["properties"]["gain_db"]["unit"] == "dB"


def test_configuring_completes_settings_and_names_what_follows():
    configured = configure(Gain, {"after": {"uses": "gain", "with": {"gain_db": 3}}})
    assert configured == {
        "config": {"gain_db": 0.0, "after": {"uses": "effect/gain", "with": {"gain_db": 3}}},
        "outputs": [],
        "assets": ["weights.onnx"],
        "licences": [{"name": "CC-BY-4.0", "credit": "Ada", "commercial": True, "source": ""}],
        "written_as": [],
        "references": {"after": {"uses": "effect/gain", "with": {"gain_db": 3}}},
    }
    assert configure(kit_plugins.Halves, {})["outputs"] == ["left", "right"]


def test_codecs_have_a_kind_and_suffixes_in_place_of_ports():
    descriptor = describe(BeatsFile)
    assert (descriptor["kind"], descriptor["suffixes"], descriptor["ports"]) == ("beats", [".beats"], [])


class Grey(FrameEffect[NoConfig]):
    """Greys."""

    def apply(self, frames: np.ndarray, start_s: float) -> np.ndarray: ...


class Blend(FrameDecoder[NoConfig]):
    """Blends."""

    def decode(self, coefficients: np.ndarray) -> np.ndarray: ...


@pytest.mark.parametrize("plugin", [Grey, Blend])
def test_what_others_use_has_no_ports(plugin):
    assert describe(plugin)["ports"] == []


class Baseless(Plugin[NoConfig]):
    """Of no interface."""


class Verbless(Effect[NoConfig]):
    """Has no verb."""


class Undocumented(Effect[NoConfig]):
    def process(self, audio: Audio) -> Audio: ...


class Misaccepting(Effect[NoConfig]):
    """Accepts what is no port."""

    accepts = {"sound": AudioSpec()}

    def process(self, audio: Audio) -> Audio: ...


class Misreturning(Separator[NoConfig]):
    """Gives sound where stems are due."""

    def separate(self, audio: Audio) -> Audio: ...


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Baseless, "Baseless derives from no interface"),
        (Verbless, "Verbless does not define process"),
        (Undocumented, "Undocumented has no docstring"),
        (Misaccepting, "accepts names 'sound', which is no port: audio"),
        (Misreturning, r"gives audio, where Separator\.separate gives stems"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused(plugin, message):
    with pytest.raises(PluginError, match=message):
        describe(plugin)


def test_a_plugin_names_its_config():
    class Bare(Effect):
        """Without a config."""

        def process(self, audio: Audio) -> Audio: ...

    with pytest.raises(PluginError, match=r"Bare names no config\. Write: class Bare\(Effect\[NoConfig\]\)"):
        Bare()


def test_a_plugin_takes_its_own_config_only_and_defaults_without_one():
    assert Gain().config == GainConfig()
    assert Gain(GainConfig(gain_db=3)).config.gain_db == 3
    with pytest.raises(ConfigError, match="Gain takes a GainConfig, got NoConfig"):
        Gain(NoConfig())


def test_a_derived_plugin_keeps_the_config():
    class Louder(Gain):
        """Louder."""

    assert Louder.config_class() is GainConfig


def test_by_default_a_plugin_has_no_outputs_no_assets_no_stream_and_no_objections():
    plugin = Grey()
    assert Grey.output_names(NoConfig()) == ()
    assert Grey.assets(NoConfig()) == Grey.terms(NoConfig()) == ()
    plugin.check({})
    with pytest.raises(PluginError, match="Grey does not stream"):
        plugin.stream({})
    assert BeatsFile().header(Path("x")) == {}
    assert Stems({}).header() == {"kind": "stems", "items": {}}
    assert Asset.prefix == "asset"


def test_an_asset_has_a_path_once_it_is_looked_up(tmp_path):
    asset = Asset(version="1", url="file:///w", sha256="0" * 64, size=1, licence="CC0-1.0", commercial=True)
    located = asset.at(tmp_path / "w.onnx")
    assert located.path == tmp_path / "w.onnx" and located.model_dump() == asset.model_dump()
    with pytest.raises(MissingError, match="only described here"):
        _ = asset.path
