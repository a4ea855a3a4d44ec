"""Settings are documented, immutable and strict; a reference names another plugin or holds it."""

import pytest
from pydantic import Field, ValidationError

from ripieno.contracts import (
    Activations,
    BeatDecoder,
    ConfigError,
    Effect,
    Features,
    NoConfig,
    PluginConfig,
    PluginError,
    PluginRef,
    Tracked,
)
from ripieno.contracts.config import references
from ripieno.contracts.describe import validated


class Decoder(BeatDecoder[NoConfig]):
    """Decodes nothing."""

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked: ...


class Inner(PluginConfig):
    """Nested settings."""

    decoder: PluginRef[BeatDecoder] = Field(PluginRef("inner"), description="Decoder.")


class Settings(PluginConfig):
    """Settings with references of every shape."""

    decoder: PluginRef[BeatDecoder] = Field(PluginRef("decoder/viterbi"), description="Decoder.")
    anything: PluginRef[object] | None = Field(None, description="Any plugin.")
    many: tuple[PluginRef[BeatDecoder], ...] = Field((), description="Decoders.")
    named: dict[str, PluginRef[BeatDecoder]] = Field({}, description="Decoders by name.")
    inner: Inner = Field(Inner(), description="Nested.")


def test_a_field_without_description_is_refused_on_definition():
    with pytest.raises(PluginError, match=r"Bad\.gain has no description\. Write: gain: "):

        class Bad(PluginConfig):
            gain: float = 1.0


def test_a_field_without_default_is_refused_on_definition():
    with pytest.raises(PluginError, match=r"Bad\.gain has no default"):

        class Bad(PluginConfig):
            gain: float = Field(description="Gain.")


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().decoder = PluginRef("decoder/other")


def test_a_bare_name_is_a_plugin_of_the_interface():
    assert Settings(decoder="viterbi").decoder.uses == "decoder/viterbi"
    assert Settings(decoder={"uses": "viterbi", "with": {"a": 1}}).decoder.settings == {"a": 1}
    assert Settings(anything="effect/gain").anything.uses == "effect/gain"
    assert PluginRef[BeatDecoder].prefix() == "decoder"
    assert PluginRef.prefix() == ""


@pytest.mark.parametrize("given", ["separator/hpss", {"uses": "separator/hpss"}, PluginRef("separator/hpss")])
def test_a_plugin_of_another_interface_is_refused(given):
    with pytest.raises(ValidationError, match="separator/hpss is not a decoder"):
        Settings(decoder=given)


@pytest.mark.parametrize("given", [3, {}, {"uses": 3}, {"uses": "x", "extra": 1}, None])
def test_what_is_no_reference_is_refused(given):
    with pytest.raises(ValidationError):
        Settings(decoder=given)


@pytest.mark.parametrize("reference", [PluginRef, PluginRef[BeatDecoder]])
def test_an_instance_stays_in_its_reference(reference):
    decoder = Decoder()
    held = reference.of(decoder)
    assert held.plugin is decoder
    config = Settings(decoder=held, many=(held,), inner=Inner(decoder=held))
    assert all(
        config_ref.plugin is decoder for config_ref in (config.decoder, *config.many, config.inner.decoder)
    )


@pytest.mark.parametrize("default", [PluginRef("decoder/a"), PluginRef[BeatDecoder]("decoder/a")])
def test_binding_one_configs_reference_binds_no_other(default):
    class Own(PluginConfig):
        """Own."""

        decoder: PluginRef[BeatDecoder] = Field(default, description="Decoder.")

    first = Own()
    first.decoder.bind(Decoder())
    with pytest.raises(PluginError, match=r"decoder/a is only named here.*PluginRef\.of\(instance\)"):
        _ = Own().decoder.plugin


def test_references_are_found_wherever_they_stand():
    config = Settings(many=("a", "b"), named={"x": "c"}, anything="effect/d")
    assert {place: reference.uses for place, reference in references(config).items()} == {
        "decoder": "decoder/viterbi",
        "anything": "effect/d",
        "many.0": "decoder/a",
        "many.1": "decoder/b",
        "named.x": "decoder/c",
        "inner.decoder": "decoder/inner",
    }


class Tuned(PluginConfig):
    """A reference whose default has settings."""

    decoder: PluginRef[BeatDecoder] = Field(
        PluginRef("decoder/viterbi", **{"with": {"low": 1, "high": 2}}), description="Decoder."
    )


def test_settings_without_a_name_are_for_the_default_plugin():
    assert Tuned(decoder={"with": {"high": 3}}).decoder == PluginRef(
        "decoder/viterbi", **{"with": {"low": 1, "high": 3}}
    )
    assert dict(Tuned(decoder={"uses": "viterbi", "with": {"high": 3}}).decoder.settings) == {"high": 3}
    for wrong in ({}, {"with": 1}, {"with": {}, "wiht": {}}):
        with pytest.raises(ValidationError):
            Tuned(decoder=wrong)


def test_a_setting_without_a_default_plugin_needs_a_name():
    with pytest.raises(ValidationError, match="uses"):
        Settings(anything={"with": {"gain": 1}})


@pytest.mark.parametrize(
    ("said", "inside"),
    [
        ("gian: unknown setting", "decoder.with.gian: unknown setting"),
        (": low is above high", "decoder.with: low is above high"),
        ("a: no\nb.0: nor this", "decoder.with.a: no\ndecoder.with.b.0: nor this"),
    ],
)
def test_what_is_wrong_inside_a_plugin_of_a_setting_is_said_with_its_place(said, inside):
    assert str(ConfigError(said).inside("decoder")) == inside


def test_references_survive_json_under_both_names():
    config = Settings(many=({"uses": "a", "with": {"b": [1, 2]}},))
    for by_alias in (True, False):
        assert Settings.model_validate_json(config.model_dump_json(by_alias=by_alias)) == config


class Shaped(PluginConfig):
    """Settings with limits."""

    window: str = Field("Hann", pattern="^(Hann|Hamming)$", description="Window.")
    hops: tuple[int, ...] = Field((1,), description="Hops.")
    gain: float = Field(0, le=24, description="Gain.")


class Shaping(Effect[Shaped]):
    """Shapes."""

    def process(self, audio): ...


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gian": 1}, "^gian: unknown setting$"),
        ({"hops": [1, "x"]}, r"^hops\.1: input should be a valid integer.*, got 'x'$"),
        ({"window": "Blackman"}, "^window: string should match pattern '.*Hann.Hamming.*', got 'Blackman'$"),
        ({"gain": float("nan")}, "^gain: "),
        ({"gain": 99, "hops": 3}, r"(?s)^hops: .*\ngain: input should be less than or equal to 24, got 99$"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(settings, message):
    with pytest.raises(ConfigError, match=message):
        validated(Shaping, settings)
