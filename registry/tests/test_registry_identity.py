import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from ripieno.contracts import MissingError, PluginError, __version__
from ripieno.registry import FileDigests, Registry
from ripieno.registry.identity import code_hash, code_root

TOOL = """
from ripieno.contracts import Audio, Binary, Effect, NoConfig


class Tool(Effect[NoConfig]):
    \"\"\"Runs a program.\"\"\"

    binaries = (Binary("ripieno-test-tool", cure="apt install ripieno-test-tool"),)

    def process(self, audio: Audio) -> Audio:
        return audio
"""


def hash_of(entry_file: Path, registry: Registry, cache: Path) -> str:
    new = Registry(cache=cache)
    return new.code_hash(new.find("effect/gain"))


def test_every_file_of_the_package_is_in_the_hash_but_compiled_python(gain, registry, cache) -> None:
    package = gain.parent
    seen = [hash_of(gain, registry, cache)]
    for name in ("profile.yaml", "deep/model.onnx", "deep/empty.py"):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text("a", encoding="utf-8")
        seen.append(hash_of(gain, registry, cache))
    (package / "deep" / "model.onnx").write_text("b", encoding="utf-8")
    seen.append(hash_of(gain, registry, cache))
    (package / "profile.yaml").rename(package / "renamed.yaml")
    seen.append(hash_of(gain, registry, cache))
    assert len(set(seen)) == len(seen)
    for name in ("__pycache__/a.cpython-311.pyc", "deep/old.pyc", "deep/old.pyo"):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text("a", encoding="utf-8")
    assert hash_of(gain, registry, cache) == seen[-1]


def test_the_hash_does_not_change_while_a_registry_lives(gain, registry) -> None:
    entry = registry.find("effect/gain")
    before = registry.code_hash(entry)
    gain.write_text("", encoding="utf-8")
    assert registry.code_hash(entry) == before


def test_the_hash_is_of_names_and_contents_wherever_the_package_is(tmp_path: Path) -> None:
    digests = FileDigests(tmp_path / "cache")
    for place in ("a", "b"):
        (tmp_path / place / "p").mkdir(parents=True)
        (tmp_path / place / "p" / "x.py").write_text("1", encoding="utf-8")
    assert code_hash(tmp_path / "a", digests) == code_hash(tmp_path / "b", digests)


def test_code_is_found_without_importing_it(make_distribution, site) -> None:
    make_distribution(
        "x",
        modules={
            "space/room/__init__.py": "raise SystemExit",
            "space/room/deep.py": "",
            "space/file.py": "raise SystemExit",
            "single.py": "raise SystemExit",
        },
    )
    assert code_root("space.room.deep") == site / "space" / "room"
    assert code_root("space.file") == site / "space"
    assert code_root("single") == site / "single.py"
    assert not {"space.room", "space.file", "single"} & set(sys.modules)
    for module in ("no_such_module.deep", "space.nothing", "space", "sys"):
        with pytest.raises(ModuleNotFoundError):
            code_root(module)


def test_a_package_that_is_gone_is_one_line(gain, registry) -> None:
    entry = registry.find("effect/gain")
    for path in sorted(gain.parent.rglob("*"), reverse=True):
        path.unlink()
    gain.parent.rmdir()
    with pytest.raises(PluginError) as caught:
        registry.identity("effect/gain")
    assert str(caught.value) == (
        f"{entry}: cannot be imported: No module named 'ripieno_gain'. "
        "Run: pip install --force-reinstall ripieno-gain"
    )


def test_an_identity_names_versions_code_dependencies_and_contracts(
    make_distribution, registry, site
) -> None:
    make_distribution("base-a", "1.1", requires=['base-c; extra == "fast"', 'base-d; extra == "slow"'])
    make_distribution("base-b", "1.2")
    make_distribution("base-c", "1.3")
    make_distribution("base-d", "1.4")
    metadata = make_distribution(
        "ripieno-many",
        "0.2",
        entry_points={"ripieno.presets": {"many": "ripieno_many:preset"}},
        modules={
            "ripieno_many.py": "from ripieno.contracts import Preset\npreset = Preset(uses='a/b', settings={})"
        },
        requires=[
            "Base_A[fast]>=1",
            'base-b; extra == "gpu"',
            'absent; extra == "gpu"',
            'base-d; extra == "no"',
        ],
    )
    text = (metadata / "METADATA").read_text(encoding="utf-8")
    (metadata / "METADATA").write_text(
        text.replace("Version: 0.2", "Version: 0.2\nSummary: one\n  Two: more\nProvides-Extra: gpu")
    )
    identity = registry.identity("preset/many")
    assert identity == {
        "distribution": "ripieno-many",
        "version": "0.2",
        "code": identity["code"],
        "dependencies": {"base-a": "1.1", "base-b": "1.2", "base-c": "1.3"},
        "binaries": {},
        "contracts": ".".join(__version__.split(".")[:2]),
    }
    assert json.loads(json.dumps(identity)) == identity


def test_a_dependency_that_is_being_edited_is_told_apart_by_its_code(
    make_distribution, gain, site, cache
) -> None:
    base = make_distribution("ripieno-base", "1.0", modules={"ripieno_base/__init__.py": "a = 1"})
    (base / "direct_url.json").write_text('{"dir_info": {"editable": true}}', encoding="utf-8")
    odd = make_distribution("odd-base", "2.0")
    (odd / "direct_url.json").write_text('{"dir_info":{"editable":true}}', encoding="utf-8")
    metadata = site / "ripieno_gain-1.0.dist-info" / "METADATA"
    wanted = "\nRequires-Dist: ripieno-base\nRequires-Dist: odd-base\n\n"
    metadata.write_text(metadata.read_text().replace("\n\n", wanted, 1))
    versions = []
    for text in ("a = 1", "a = 2"):
        (site / "ripieno_base" / "__init__.py").write_text(text, encoding="utf-8")
        versions.append(Registry(cache=cache).identity("effect/gain")["dependencies"])
    assert versions[0]["ripieno-base"].startswith("1.0+")
    assert versions[0]["ripieno-base"] != versions[1]["ripieno-base"]
    assert versions[0]["odd-base"] == "2.0"


def test_a_program_is_in_the_identity_by_its_bytes(
    make_distribution, registry, tmp_path, monkeypatch
) -> None:
    make_distribution(
        "ripieno-tool",
        entry_points={"ripieno.effects": {"tool": "ripieno_tool:Tool"}},
        modules={"ripieno_tool.py": TOOL},
    )
    with pytest.raises(MissingError, match=r"ripieno-test-tool is not on PATH\. Run: apt install"):
        registry.identity("effect/tool")
    suffix = ".exe" if sys.platform == "win32" else ""
    program = tmp_path / "bin" / f"ripieno-test-tool{suffix}"
    program.parent.mkdir()
    program.write_bytes(b"#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert registry.identity("effect/tool")["binaries"] == {
        "ripieno-test-tool": hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    }
