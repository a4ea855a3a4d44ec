"""The workspace itself: each distribution stands in every list that should name it."""

import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in ROOT.glob("*/pyproject.toml")) + sorted(
    path.parent for path in ROOT.glob("plugins/*/pyproject.toml")
)
every_distribution = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def package(folder: Path) -> str:
    return (
        f"ripieno_{folder.name.replace('-', '_')}"
        if folder.parent.name == "plugins"
        else f"ripieno.{folder.name}"
    )


@every_distribution
def test_make_installs_it(folder):
    words = (ROOT / "Makefile").read_text(encoding="utf-8").split()
    assert folder.relative_to(ROOT).as_posix() in words


@every_distribution
def test_its_tests_are_collected(folder):
    testpaths = project(ROOT)["tool"]["pytest"]["testpaths"]
    assert f"{folder.relative_to(ROOT).as_posix()}/tests" in testpaths


@every_distribution
def test_the_import_rules_know_it(folder):
    rules = project(ROOT)["tool"]["importlinter"]
    assert package(folder) in rules["root_packages"]
    assert sum(package(folder) in str(rule) for rule in rules["contracts"]) >= 2


@every_distribution
def test_tox_tests_it_alone(folder):
    tox = ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert folder.name in tox["tox"]["env_list"].split(", ")


@every_distribution
def test_it_shares_the_version_and_the_licence(folder):
    ours, root = project(folder)["project"], project(ROOT)["project"]
    assert ours["version"] == root["version"]
    # A distribution that carries weights or data of others adds their licence to ours.
    assert ours["license"].split(" AND ")[0] == root["license"]


def test_no_two_test_files_share_a_name():
    names = [path.name for folder in [*FOLDERS, ROOT] for path in (folder / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


@every_distribution
def test_its_wheel_carries_the_licence(folder):
    assert project(folder)["project"]["license-files"][0] == "LICENSE"
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
