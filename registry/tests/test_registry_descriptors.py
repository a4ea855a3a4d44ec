import json
import os
import sys
from pathlib import Path

import pytest

from ripieno.contracts import ConfigError, MissingError, PluginError
from ripieno.contracts.describe import describe
from ripieno.registry import Descriptor, Registry

INSIDE = """
from pydantic import Field
from ripieno.contracts import Audio, ConfigError, Effect, PluginConfig, PluginRef, Preset


class ChainConfig(PluginConfig):
    first: PluginRef[Effect] = Field(PluginRef("effect/gain"), description="First.")
    rest: list[PluginRef[Effect]] = Field([], description="Then.")
    preset: PluginRef[Preset] | None = Field(None, description="Named settings.")


class Chain(Effect[ChainConfig]):
    \"\"\"Effects in a row.\"\"\"

    def process(self, audio: Audio) -> Audio:
        return audio


class LoopConfig(PluginConfig):
    inner: PluginRef[Effect] = Field(PluginRef("effect/loop"), description="Itself.")


class Loop(Effect[LoopConfig]):
    \"\"\"An effect in itself.\"\"\"

    def process(self, audio: Audio) -> Audio:
        return audio


class Choosy(Effect[ChainConfig]):
    \"\"\"Refuses some settings when it is built.\"\"\"

    def __init__(self, config=None):
        raise ConfigError("first: not together with rest")

    def process(self, audio: Audio) -> Audio:
        return audio


class Failing(Effect[ChainConfig]):
    \"\"\"Fails when it is built.\"\"\"

    def __init__(self, config=None):
        raise ValueError("no luck")

    @classmethod
    def output_names(cls, config):
        raise KeyError("no names")

    def process(self, audio: Audio) -> Audio:
        return audio


louder = Preset(uses="effect/gain", settings={"gain_db": 3}, description="Three louder.")
"""


@pytest.fixture
def inside(make_distribution, gain) -> None:
    """A distribution of plugins that hold others."""
    make_distribution(
        "ripieno-inside",
        entry_points={
            "ripieno.effects": {
                "chain": "ripieno_inside:Chain",
                "loop": "ripieno_inside:Loop",
                "failing": "ripieno_inside:Failing",
                "choosy": "ripieno_inside:Choosy",
            },
            "ripieno.presets": {"louder": "ripieno_inside:louder"},
        },
        modules={"ripieno_inside.py": INSIDE},
    )


def documents(cache: Path) -> list[Path]:
    return sorted((cache / "descriptors").rglob("*.json"))


def test_a_descriptor_says_what_contracts_say(gain, registry) -> None:
    descriptor = registry.describe("effect/gain")
    loaded = registry.load("effect/gain")
    assert descriptor == Descriptor.from_json(json.loads(json.dumps(describe(loaded))))
    assert [(port.name, port.kind, port.many, port.required) for port in descriptor.ports] == [
        ("audio", "audio", "one", True)
    ]
    assert descriptor.kind == "audio"
    assert descriptor.config_schema["properties"]["gain_db"]["unit"] == "dB"


def test_what_is_installed_here_is_described_as_contracts_do(registry) -> None:
    for entry in registry.entries("codec"):
        if entry.distribution == "ripieno-contracts":
            described = describe(registry.load(entry.uses))
            assert registry.describe(entry.uses).suffixes == tuple(described["suffixes"])


def test_a_process_that_finds_the_descriptor_imports_neither_plugin_nor_numpy_nor_pydantic(
    gain, in_new_process
) -> None:
    code = (
        "print(registry.describe('effect/gain').summary, registry.configure('effect/gain', {}).config,"
        " registry.identity('effect/gain')['distribution'],"
        " [m for m in ('numpy', 'pydantic', 'stevedore', 'ripieno_gain') if m in sys.modules])"
    )
    said = "Louder or softer. {'gain_db': 0.0} ripieno-gain"
    assert in_new_process(code) == f"{said} ['numpy', 'pydantic', 'stevedore', 'ripieno_gain']"
    assert in_new_process(code) == f"{said} []"


def test_an_edit_shows_in_the_next_process_even_within_the_same_second(gain, in_new_process) -> None:
    text = gain.read_text(encoding="utf-8")
    stamp = gain.stat().st_mtime_ns
    for word in ("Louder", "Softer", "Larger"):
        gain.write_text(text.replace("Louder", word), encoding="utf-8")
        os.utime(gain, ns=(stamp, stamp))
        assert in_new_process("print(registry.describe('effect/gain').summary)") == f"{word} or softer."


def test_what_was_imported_before_an_edit_is_not_remembered_under_the_new_code(
    gain, registry, cache, in_new_process
) -> None:
    registry.load("effect/gain")
    # Of another length: Python itself takes old bytecode for a file of the same size and second.
    gain.write_text(gain.read_text(encoding="utf-8").replace("Louder", "Quieter"), encoding="utf-8")
    assert Registry(cache=cache).describe("effect/gain").summary == "Louder or softer."
    assert in_new_process("print(registry.describe('effect/gain').summary)") == "Quieter or softer."


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "3", "null", "{}", '{"ports": 3}', '{"ports": [{"x": 1}]}']
)
def test_a_damaged_descriptor_is_made_again(gain, registry, cache, damage: str) -> None:
    first = registry.describe("effect/gain")
    (document,) = documents(cache)
    whole = document.read_text(encoding="utf-8")
    document.write_text(damage, encoding="utf-8")
    sys.modules.pop("ripieno_gain.effect")
    assert Registry(cache=cache).describe("effect/gain") == first
    assert document.read_text(encoding="utf-8") == whole
    assert not list(cache.rglob("*.tmp"))


def test_a_cache_that_cannot_be_written_costs_time_only(gain, site, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    registry = Registry(cache=tmp_path / "file")
    assert registry.describe("effect/gain").summary == "Louder or softer."
    assert registry.identity("effect/gain")["code"]


def test_another_version_of_a_dependency_asks_the_plugin_again(
    make_distribution, gain, registry, cache
) -> None:
    registry.describe("effect/gain")
    make_distribution("ripieno-base", "1.0")
    metadata = gain.parent.parent / "ripieno_gain-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("\n\n", "\nRequires-Dist: ripieno-base\n\n", 1))
    sys.modules.pop("ripieno_gain.effect")
    Registry(cache=cache).describe("effect/gain")
    assert len(documents(cache)) == 2


def test_settings_are_completed_and_remembered(gain, registry, cache, in_new_process) -> None:
    assert registry.configure("effect/gain", {"gain_db": 3}).config == {"gain_db": 3.0}
    assert registry.configure("effect/gain", {}).config == {"gain_db": 0.0}
    assert len(documents(cache)) == 2
    said = in_new_process(
        "print(registry.configure('effect/gain', {'gain_db': 3}).config, 'ripieno_gain' in sys.modules)"
    )
    assert said == "{'gain_db': 3.0} False"


def test_wrong_settings_are_a_line_each_and_not_remembered(gain, registry, cache) -> None:
    with pytest.raises(ConfigError) as caught:
        registry.configure("effect/gain", {"gain_db": 90, "gian": 1})
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["gain_db", "gian"]
    assert documents(cache) == []


def test_references_are_listed_with_their_place(inside, registry) -> None:
    configured = registry.configure("effect/chain", {"rest": [{"uses": "gain", "with": {"gain_db": 1}}]})
    assert configured.references == {
        "first": {"uses": "effect/gain", "with": {}},
        "rest.0": {"uses": "effect/gain", "with": {"gain_db": 1}},
    }
    assert (configured.outputs, configured.assets, configured.licences) == ((), (), ())


def test_data_is_told_from_classes_with_settings(inside, registry) -> None:
    assert registry.is_data("preset/louder")
    assert not registry.is_data("effect/chain")


def test_a_plugin_is_built_with_the_plugins_inside_it(inside, registry) -> None:
    settings = {"rest": [{"uses": "chain", "with": {"first": {"uses": "gain", "with": {"gain_db": 2}}}}]}
    chain = registry.build("effect/chain", {**settings, "preset": "louder"})
    assert chain.config.first.plugin.config.gain_db == 0
    assert chain.config.rest[0].plugin.config.first.plugin.config.gain_db == 2
    assert chain.config.preset.plugin.settings == {"gain_db": 3}


def test_a_fault_inside_has_its_place(inside, registry) -> None:
    with pytest.raises(ConfigError, match=r"^rest\.0\.with\.first\.with\.gain_db: "):
        registry.build(
            "effect/chain",
            {"rest": [{"uses": "chain", "with": {"first": {"uses": "gain", "with": {"gain_db": 99}}}}]},
        )
    with pytest.raises(ConfigError, match=r"^preset\.with\.x: unknown setting: preset/louder takes none$"):
        registry.build("effect/chain", {"preset": {"uses": "louder", "with": {"x": 1}}})
    with pytest.raises(MissingError, match=r'effect/gian is installed\. Did you mean "effect/gain"\?'):
        registry.build("effect/chain", {"first": "gian"})


def test_a_plugin_inside_itself_is_refused(inside, registry) -> None:
    with pytest.raises(PluginError, match=r"^effect/loop > effect/loop: a plugin inside itself"):
        registry.build("effect/loop", {})


def test_a_plugin_that_fails_is_one_line(inside, registry) -> None:
    name = "effect/failing of ripieno-inside 1.0: "
    end = ". Run: pip install -U ripieno-inside, or tell its authors"
    with pytest.raises(PluginError) as caught:
        registry.build("effect/failing", {})
    assert str(caught.value) == f"{name}cannot be built: ValueError: no luck{end}"
    with pytest.raises(PluginError) as caught:
        registry.configure("effect/failing", {})
    assert str(caught.value) == f"{name}fails on its settings: KeyError: 'no names'{end}"


def test_a_plugin_may_refuse_settings_when_it_is_built(inside, registry) -> None:
    with pytest.raises(ConfigError, match=r"^first: not together with rest$"):
        registry.build("effect/choosy", {})


def test_what_a_registry_loads_is_the_class(gain, registry) -> None:
    loaded = registry.load("effect/gain")
    assert (loaded.__module__, loaded.__qualname__) == ("ripieno_gain.effect", "Gain")


def test_data_is_described_and_takes_no_settings(inside, registry) -> None:
    descriptor = registry.describe("preset/louder")
    assert (descriptor.interface, descriptor.prefix, descriptor.summary) == (
        "Preset",
        "preset",
        "Three louder.",
    )
    assert registry.configure("preset/louder", {}).config == {}
    with pytest.raises(ConfigError, match=r"^x: unknown setting: preset/louder takes none$"):
        registry.configure("preset/louder", {"x": 1})


def test_a_command_is_described_by_its_help(make_distribution, registry) -> None:
    make_distribution(
        "ripieno-said",
        entry_points={"ripieno.commands": {"say": "ripieno_said:say", "mute": "ripieno_said:mute"}},
        modules={
            "ripieno_said.py": "import click\n@click.command()\ndef say():\n    'Say it.'\nclass C:\n  pass\nmute = C()"
        },
    )
    assert registry.describe("command/say").summary == "Say it."
    assert registry.describe("command/mute").summary == ""


def test_a_kind_is_its_class(registry) -> None:
    from ripieno.contracts import Beats

    assert registry.kind("beats") is Beats
    with pytest.raises(MissingError, match=r'artifact/beat is installed\. Did you mean "artifact/beats"\?'):
        registry.kind("beat")


def test_a_codec_is_found_by_kind_and_suffix(registry) -> None:
    assert registry.codec("beats", ".BEATS") == "codec/beats"
    assert registry.codec("bundle", "") == "codec/bundle"


def test_a_suffix_without_a_codec_is_answered_by_those_there_are(
    site, cache, make_distribution, monkeypatch
) -> None:
    make_distribution(
        "ripieno-contracts",
        "0.1.0",
        entry_points={
            "ripieno.codecs": {
                "text": "ripieno.contracts.codecs:TextFile",
                "bundle": "ripieno.contracts.codecs:BundleFolder",
            }
        },
    )
    monkeypatch.setenv("RIPIENO_PLUGINS", "ripieno-contracts")
    registry = Registry(cache=cache)
    for kind, suffix, answer in (
        ("text", ".pdf", "text as .pdf. There is: .md, .txt"),
        ("bundle", ".zip", "bundle as .zip. There is: a folder"),
        ("audio", ".wav", "audio as .wav. Run: pip install ripieno-media"),
        ("hum", "", "hum as a folder. Run: core plugins list"),
    ):
        with pytest.raises(MissingError) as caught:
            registry.codec(kind, suffix)
        assert str(caught.value) == f"nothing installed reads or writes {answer}"


def test_loading_leaves_the_disk_cache_of_stevedore_alone(
    gain, in_new_process, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert in_new_process("print(registry.load('effect/gain').__name__)") == "Gain"
    assert not (tmp_path / "xdg").exists()
