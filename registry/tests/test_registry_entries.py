import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import MissingError, PluginError, RefusedError
from ripieno.registry import Entry, Registry, did_you_mean
from ripieno.registry.entries import Index, normalised
from ripieno.registry.suggest import closest_uses

SEPARATOR = {"ripieno.separators": {"hum": "ripieno_hum:Hum"}}


@pytest.mark.parametrize(
    ("group", "uses"),
    [
        ("ripieno.separators", "separator/x"),
        ("ripieno.data_sources", "data_source/x"),
        ("ripieno.structure_analyzers", "structure_analyzer/x"),
        ("ripieno.pipelines", "recipe/x"),
    ],
)
def test_a_group_s_singular_is_the_prefix(group: str, uses: str) -> None:
    assert Entry(group, "x", "m:X", "d", "1").uses == uses


def test_every_interface_s_group_gives_its_own_prefix() -> None:
    from ripieno.contracts.interfaces import INTERFACES

    for interface in INTERFACES:
        assert Entry(interface.group, "x", "m:X", "d", "1").prefix == interface.prefix


def test_every_kind_of_data_has_a_group_that_gives_its_own_prefix() -> None:
    from ripieno.contracts import DataPlugin, InstrumentProfile, Preset, SampleLibrary

    kinds = DataPlugin.__subclasses__()
    assert {InstrumentProfile, Preset, SampleLibrary} <= set(kinds)
    for kind in kinds:
        assert Entry(kind.group, "x", "m:x", "d", "1").prefix == kind.prefix


def test_reading_imports_nothing(make_distribution, registry, site) -> None:
    make_distribution(
        "ripieno-hum", "0.3.0", entry_points=SEPARATOR, modules={"ripieno_hum.py": "raise SystemExit(1)"}
    )
    entry = registry.find("separator/hum")
    assert (entry.distribution, entry.version, entry.value) == ("ripieno-hum", "0.3.0", "ripieno_hum:Hum")
    assert entry in registry.entries("separator")
    assert "hum" in registry.names("separator")
    assert registry.problems() == [line for line in registry.problems() if "hum" not in line]
    assert registry.identity  # the code is hashed without an import too
    assert len(registry.code_hash(entry)) == 64
    assert "ripieno_hum" not in sys.modules


def test_entries_are_sorted_and_of_every_group(make_distribution, registry) -> None:
    make_distribution(
        "z",
        entry_points={
            "ripieno.sinks": {"b": "z:B", "a": "z:A"},
            "ripieno.own_things": {"c": "z:C"},
            "x": {"d": "z"},
        },
    )
    of_z = [entry.uses for entry in registry.entries() if entry.distribution == "z"]
    assert of_z == ["own_thing/c", "sink/a", "sink/b"]


def test_the_first_on_the_path_hides_the_same_distribution(make_distribution, tmp_path, monkeypatch) -> None:
    make_distribution("Ripieno.Hum", "1.0", entry_points=SEPARATOR)
    first = tmp_path / "first"
    hidden = first / "ripieno_hum-2.0.dist-info"
    hidden.mkdir(parents=True)
    (hidden / "entry_points.txt").write_text("[ripieno.separators]\nhum = other:Hum\n", encoding="utf-8")
    monkeypatch.syspath_prepend(first)
    entries = [entry for entry in Index.read(sys.path).entries if entry.uses == "separator/hum"]
    assert [(entry.version, entry.value) for entry in entries] == [("2.0", "other:Hum")]


def test_what_pip_put_aside_is_no_distribution(make_distribution, registry) -> None:
    make_distribution("ripieno-hum", "1.0", entry_points=SEPARATOR)
    make_distribution("~ipieno-hum", "0.9", entry_points=SEPARATOR)
    assert registry.find("separator/hum").version == "1.0"


def test_a_folder_that_is_not_there_and_one_that_is_there_twice_add_nothing(tmp_path: Path) -> None:
    metadata = tmp_path / "hum-1.5.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[ripieno.sinks]\nh=m:X", encoding="utf-8")
    index = Index.read([str(tmp_path), str(tmp_path / "nothing"), str(tmp_path)])
    assert [(entry.distribution, entry.version) for entry in index.entries] == [("hum", "1.5")]


def test_comments_other_groups_and_blank_lines_are_no_entries(tmp_path: Path) -> None:
    metadata = tmp_path / "a-1.dist-info"
    metadata.mkdir()
    text = "# one\n; two\n\n[console_scripts]\nx = a:x\n[ripieno.sinks]\n  y  =  a:y  \n"
    (metadata / "entry_points.txt").write_text(text, encoding="utf-8")
    assert [(entry.uses, entry.value) for entry in Index.read([str(tmp_path)]).entries] == [("sink/y", "a:y")]


def test_two_hundred_distributions_are_read(tmp_path: Path, record_property) -> None:
    import time

    for number in range(200):
        metadata = tmp_path / f"dummy_{number}-1.{number}.dist-info"
        metadata.mkdir()
        text = f"[console_scripts]\nx = a:x\n[ripieno.sinks]\ns{number} = dummy_{number}:Sink\n"
        (metadata / "entry_points.txt").write_text(text, encoding="utf-8")
    start = time.perf_counter()
    index = Index.read([str(tmp_path)])
    record_property("read_ms", 1000 * (time.perf_counter() - start))
    assert {entry.uses for entry in index.entries} == {f"sink/s{number}" for number in range(200)}


def test_a_distribution_that_only_an_import_hook_knows_has_a_version() -> None:
    assert Index({}, ()).version("pydantic") != ""
    assert Index({}, ()).version("no-such-thing") == ""


@given(st.from_regex(r"[a-zA-Z]([a-zA-Z0-9._-]{0,8}[a-zA-Z0-9])?", fullmatch=True))
def test_normalising_a_name_is_what_packaging_does(name: str) -> None:
    from packaging.utils import canonicalize_name

    assert normalised(name) == canonicalize_name(name)


def test_a_name_that_two_distributions_give_is_refused_with_both(make_distribution, registry, cache) -> None:
    for name in ("ripieno-a", "ripieno-b", "ripieno-c"):
        make_distribution(name, entry_points={"ripieno.separators": {"hum": f"{name[-1]}:Hum"}})
    with pytest.raises(PluginError) as caught:
        registry.find("separator/hum")
    assert str(caught.value) == (
        "separator/hum is in ripieno-a 1.0 and in ripieno-b 1.0 and in ripieno-c 1.0. Run: pip uninstall "
        "ripieno-b ripieno-c, or list only one of them under the pipeline's plugins: allow:"
    )
    assert str(caught.value) in registry.problems()
    assert registry.names("separator").count("hum") == 1
    assert len([entry for entry in registry.entries() if entry.uses == "separator/hum"]) == 3
    allowing = Registry(allow=["Ripieno_B"], cache=cache)
    assert allowing.find("separator/hum").distribution == "ripieno-b"
    assert not any("separator/hum" in line for line in allowing.problems())


def test_what_is_not_allowed_is_refused_and_not_listed(make_distribution, cache, monkeypatch) -> None:
    make_distribution("ripieno-hum", entry_points=SEPARATOR)
    make_distribution("ripieno-a", entry_points={"ripieno.sinks": {"a": "a:A"}})
    monkeypatch.setenv("RIPIENO_PLUGINS", "ripieno-a, ripieno-hum")
    registry = Registry(allow=["ripieno-a", "ripieno-b"], cache=cache)
    with pytest.raises(RefusedError) as caught:
        registry.find("separator/hum")
    assert str(caught.value) == (
        "separator/hum of ripieno-hum 1.0 is not allowed: allowed are ripieno-a, ripieno-contracts. "
        "Add ripieno-hum to the pipeline's plugins: allow: and to RIPIENO_PLUGINS"
    )
    assert {entry.distribution for entry in registry.entries()} == {"ripieno-a", "ripieno-contracts"}


def test_a_name_from_nowhere_is_answered_by_what_was_meant_or_what_brings_it(
    make_distribution, cache, monkeypatch
) -> None:
    make_distribution("ripieno-hum", entry_points=SEPARATOR)
    monkeypatch.setattr(sys, "path", [str(cache.parent / "site")])
    registry = Registry(cache=cache)
    answers = {
        "separator/hpss": ". Run: pip install ripieno-librosa",
        "separator/hun": '. Did you mean "separator/hum"?',
        "hum": '. Did you mean "separator/hum"?',
        "seperator/hum": '. Did you mean "separator/hum"?',
        "effect/hum": '. Did you mean "separator/hum"?',
        "effect/lowdness": '. Did you mean "effect/loudness"? Run: pip install ripieno-media',
        "separator/q": ". Run: core plugins list",
        "asset/xyzzy": ". Run: core models list",
    }
    for uses, answer in answers.items():
        with pytest.raises(MissingError) as caught:
            registry.find(uses)
        assert str(caught.value) == f"no plugin {uses} is installed{answer}"


def test_a_hint_is_the_closest_word_or_nothing() -> None:
    assert did_you_mean("beat", ["audio", "beats"]) == '. Did you mean "beats"?'
    assert did_you_mean("qqq", ["audio", "beats"]) == ""


def test_one_word_of_a_name_is_enough_to_be_understood() -> None:
    known = ["decoder/bar_pointer_forward", "decoder/bar_pointer_viterbi", "decoder/particle"]
    assert closest_uses("decoder/vitebi", known) == "decoder/bar_pointer_viterbi"
    assert closest_uses("decoder/partical", known) == "decoder/particle"
    assert closest_uses("decoder/qqq", known) == ""


def test_the_cache_is_in_the_store_or_in_the_users_cache_folder(gain, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RIPIENO_STORE", str(tmp_path / "store"))
    Registry().describe("effect/gain")
    assert list((tmp_path / "store" / "descriptors").rglob("*.json"))
    monkeypatch.delenv("RIPIENO_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        sys.modules.pop("ripieno_gain.effect")
        Registry().describe("effect/gain")
        assert list((tmp_path / "xdg" / "ripieno" / "descriptors").rglob("*.json"))


def test_the_package_offers_its_names_without_importing_them(in_new_process) -> None:
    said = in_new_process(
        "import ripieno.registry as package\n"
        "print(all(getattr(package, name) for name in package.__all__), '__version__' in dir(package))"
    )
    assert said == "True True"
    heavy = "[m for m in ('numpy', 'pydantic', 'stevedore', 'pluggy', 'packaging') if m in sys.modules]"
    assert in_new_process(f"registry.entries(); print({heavy})") == "[]"


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    import ripieno.registry

    with pytest.raises(AttributeError, match="no attribute 'Regist'"):
        ripieno.registry.Regist  # noqa: B018
