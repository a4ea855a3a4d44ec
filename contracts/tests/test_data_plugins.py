"""A YAML file in a package is a data plugin; programs are found on PATH or in a wheel."""

import sys

import pytest

from ripieno.contracts import Binary, MissingError, PluginError, Preset, Recipe
from ripieno.contracts.data import read_data, resources

DRIFT = "uses: controller/latent\nsettings: {speed: 2}\ndescription: Slow.\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "presets_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from ripieno.contracts import Preset, resources\n__getattr__ = resources(__name__, Preset)\n",
        encoding="utf-8",
    )
    (folder / "drift.yaml").write_text(DRIFT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("presets_of_a_test", None)


def test_an_attribute_is_the_file_of_its_name(package):
    import presets_of_a_test

    assert presets_of_a_test.drift == Preset(
        uses="controller/latent", settings={"speed": 2}, description="Slow."
    )
    for name in ("absent", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(presets_of_a_test, name)


def test_a_recipe_is_the_file_itself(package):
    assert resources("presets_of_a_test", Recipe)("drift").path == package / "drift.yaml"


def test_a_module_that_is_not_there_has_no_attributes():
    with pytest.raises(AttributeError):
        resources("no_such_module_at_all", Preset)("drift")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("uses: [", r"x\.yaml: not YAML: "),
        ("uses: controller/latent", r"x\.yaml: settings: field required"),
        (DRIFT + "Speed: 1", r"x\.yaml: Speed: extra inputs are not permitted"),
        ("- a", r"x\.yaml: input should be a map"),
    ],
)
def test_a_faulty_file_is_refused_with_its_field(content, message, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PluginError, match=message):
        read_data(path, Preset)


def program(folder, name):
    path = folder / (name + (".exe" if sys.platform == "win32" else ""))
    path.write_bytes(b"")
    path.chmod(0o755)
    return path


def test_a_program_is_found_on_path_first_and_then_in_a_wheel(tmp_path, monkeypatch):
    for name in ("path", "wheel/carrier/bin"):
        (tmp_path / name).mkdir(parents=True)
    binary = Binary("no-such-program", cure="pip install carrier", wheel_glob="carrier/bin/no-such-*")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.syspath_prepend(tmp_path / "wheel")
    with pytest.raises(MissingError, match=r"no-such-program is not on PATH\. Run: pip install carrier"):
        binary.require()
    carried = program(tmp_path / "wheel/carrier/bin", "no-such-program-7")
    assert binary.require() == carried
    on_path = program(tmp_path / "path", "no-such-program")
    assert binary.require().samefile(on_path)
    assert Binary("another-program", cure="none").find() is None
