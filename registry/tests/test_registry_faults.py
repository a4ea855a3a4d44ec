import pytest

from ripieno.contracts import MissingError, PluginError

NAME = "effect/gain of ripieno-gain 0.3.0: "


@pytest.fixture
def broken(make_distribution, registry, gain_source):
    """Install ripieno-gain 0.3.0 with this module and these requirements; gives what describing says."""

    def describe(
        source=gain_source, *, value="ripieno_gain:Gain", requires=(), group="ripieno.effects", **modules
    ):
        make_distribution(
            "ripieno-gain",
            "0.3.0",
            entry_points={group: {"gain": value}},
            modules={"ripieno_gain.py": source, **modules},
            requires=requires,
        )
        (entry,) = [entry for entry in registry.entries() if entry.distribution == "ripieno-gain"]
        with pytest.raises(PluginError) as caught:
            registry.describe(entry.uses)
        assert registry.check(entry) == str(caught.value)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return describe


def test_a_module_that_is_not_installed_is_named_with_its_cure(broken) -> None:
    assert broken("import no_such.thing") == (
        NAME + "cannot be imported: No module named 'no_such'. Run: pip install no-such"
    )


def test_a_module_of_the_distribution_itself_that_is_gone_means_installing_again(broken) -> None:
    assert broken(value="ripieno_gain_moved:Gain") == (
        NAME + "cannot be imported: No module named 'ripieno_gain_moved'. "
        "Run: pip install --force-reinstall ripieno-gain"
    )


def test_a_requirement_that_is_not_installed_is_named_before_anything_is_imported(broken, registry) -> None:
    line = 'needs demucs-x>=4.1, which is not installed. Run: pip install -U "demucs-x>=4.1"'
    assert broken("raise SystemExit", requires=["demucs-x>=4.1"]) == NAME + line
    assert f"ripieno-gain 0.3.0: {line}" in registry.problems()


def test_a_requirement_of_another_version_is_named_with_the_one_found(broken, make_distribution) -> None:
    make_distribution("demucs-x", "4.0.1")
    assert broken(requires=["demucs-x (>=4.1)"]) == (
        NAME + 'needs demucs-x>=4.1, found 4.0.1. Run: pip install -U "demucs-x>=4.1"'
    )


def test_a_plugin_for_another_contract_is_refused_with_the_pair_to_install(broken) -> None:
    from ripieno.contracts import __version__

    assert broken(requires=["ripieno-contracts<0.1,>=0.0.1"]) == (
        NAME + f"needs ripieno-contracts<0.1,>=0.0.1, found {__version__}. "
        "Run: pip install -U ripieno-contracts ripieno-gain"
    )


def test_requirements_of_other_systems_and_extras_are_not_asked_for(
    make_distribution, registry, gain_source
) -> None:
    make_distribution(
        "ripieno-gain",
        entry_points={"ripieno.effects": {"gain": "ripieno_gain:Gain"}},
        modules={"ripieno_gain.py": gain_source},
        requires=['no-such; sys_platform == "amiga"', 'no-such; extra == "gpu"'],
    )
    assert registry.describe("effect/gain").interface == "Effect"


def test_metadata_that_cannot_be_read_is_one_line(broken, registry) -> None:
    said = broken(requires=["what is this?"])
    assert said.startswith("ripieno-gain 0.3.0: its metadata cannot be read: ")
    assert said.endswith("Run: pip install --force-reinstall ripieno-gain")
    assert said in registry.problems()


def test_an_attribute_that_is_not_there_is_named_with_what_was_meant(broken) -> None:
    assert broken(value="ripieno_gain:Gian") == (
        NAME + "ripieno_gain has no attribute 'Gian'. Did you mean \"Gain\"? Run: pip install -U ripieno-gain"
    )


def test_an_attribute_that_is_like_none_is_named(broken) -> None:
    assert broken(value="ripieno_gain:Qq.Zz") == (
        NAME + "ripieno_gain has no attribute 'Qq.Zz'. Run: pip install -U ripieno-gain"
    )


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("raise ValueError('one\\n  two')", "ValueError: one two"),
        ("raise RuntimeError", "RuntimeError: RuntimeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os\nos.no_such_thing", "AttributeError: module 'os' has no attribute 'no_such_thing'"),
        ("from os import no_such_thing", "ImportError: cannot import name 'no_such_thing' from 'os'"),
        ("def f(:\n", "SyntaxError: invalid syntax"),
        ("assert False", "AssertionError: AssertionError"),
    ],
)
def test_an_import_that_fails_is_one_line_with_its_type(broken, source: str, cause: str) -> None:
    said = broken(source)
    assert said.startswith(NAME + f"cannot be imported: {cause}")
    assert said.endswith(". Run: pip install -U ripieno-gain, or pip uninstall it")


def test_a_class_of_no_interface_is_refused_with_the_one_to_derive_from(broken) -> None:
    assert broken("class Gain: ...") == (
        NAME + "ripieno_gain:Gain derives from no Effect. Derive it from Effect of ripieno.contracts, "
        "or register it under another group than ripieno.effects"
    )


def test_a_class_under_the_wrong_group_is_refused(broken) -> None:
    assert "derives from no BeatDecoder or PerformanceDecoder or FrameDecoder. " in broken(
        group="ripieno.decoders"
    )


def test_an_object_under_a_class_group_is_refused(broken) -> None:
    assert "derives from no Effect. " in broken("Gain = 3")


def test_data_of_the_wrong_class_is_refused(broken) -> None:
    assert broken("Gain = 3", group="ripieno.presets") == (
        "preset/gain of ripieno-gain 0.3.0: ripieno_gain:Gain is a int, no Preset. "
        "Serve it by resources(__name__, Preset)"
    )


def test_a_kind_under_another_name_is_refused(broken) -> None:
    source = "from ripieno.contracts import Artifact\nclass Gain(Artifact):\n    kind = 'score'\n"
    assert broken(source, group="ripieno.artifacts") == (
        "artifact/gain of ripieno-gain 0.3.0: ripieno_gain:Gain is of kind 'score'. "
        'Register it as score = "ripieno_gain:Gain"'
    )


def test_settings_without_a_description_are_one_line(broken, gain_source) -> None:
    said = broken(gain_source.replace('description="Gain.", ', ""))
    assert said.startswith(NAME + "ripieno_gain.GainConfig.gain_db has no description. Write: ")


def test_a_plugin_without_a_docstring_is_one_line(broken, gain_source) -> None:
    said = broken(gain_source.replace('"""Louder or softer."""', ""))
    assert said == NAME + "ripieno_gain.Gain has no docstring"


def test_a_plugin_without_its_verb_is_one_line(broken, gain_source) -> None:
    said = broken(gain_source.replace("def process", "def work"))
    assert said == NAME + "ripieno_gain.Gain does not define process"


def test_a_port_of_no_artifact_is_one_line_with_its_place(broken, gain_source) -> None:
    said = broken(gain_source.replace("audio: Audio)", "audio: int)"))
    assert said.startswith(NAME)
    assert "ripieno_gain.py:13: parameter audio has the type int. " in said


def test_settings_that_no_schema_can_describe_are_one_line(broken, gain_source) -> None:
    field = "    curve: Callable[[], int] = Field(default_factory=lambda: int, description='Of gain.')\n"
    source = gain_source.replace("    gain_db", field + "    gain_db", 1)
    said = broken("from collections.abc import Callable\n" + source)
    assert said.startswith(NAME + "cannot be described: PydanticInvalidForJsonSchema: ")
    assert said.endswith(". Run: pip install -U ripieno-gain, or tell its authors")


@pytest.mark.parametrize(
    "value", ["", "ripieno gain:Gain", "ripieno_gain:recipes/first.yaml", "1a:B", "a:b:c"]
)
def test_a_malformed_entry_point_is_one_line(broken, registry, value: str) -> None:
    said = broken(value=value)
    assert said == (
        NAME + f"{value!r} is no entry point, which is module:attribute. "
        "Correct the pyproject.toml of ripieno-gain and install it again"
    )
    assert said in registry.problems()
    with pytest.raises(PluginError, match="is no entry point"):
        registry.code_hash(registry.find("effect/gain"))
    with pytest.raises(PluginError, match="is no entry point"):
        registry.load("effect/gain")


def test_one_broken_plugin_does_not_break_another(make_distribution, gain, registry) -> None:
    make_distribution(
        "ripieno-broken",
        entry_points={
            "ripieno.effects": {"broken": "ripieno_broken:X"},
            "ripieno.codecs": {"a": "ripieno_broken:Y"},
        },
        modules={"ripieno_broken.py": "raise ValueError"},
    )
    assert registry.describe("effect/gain").summary == "Louder or softer."
    assert registry.codec("beats", ".beats") == "codec/beats"
    assert registry.check(registry.find("effect/gain")) is None
    with pytest.raises(MissingError) as caught:
        registry.codec("hum", ".hum")
    assert str(caught.value).startswith(
        "nothing installed reads or writes hum as .hum; codec/a of ripieno-broken 1.0: cannot be imported"
    )
