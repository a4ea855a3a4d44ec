import runpy
from pathlib import Path

import pytest

from ripieno.registry import known

WORKSPACE = Path(__file__).parents[2]
SCRIPT = WORKSPACE / "registry" / "write_known.py"


@pytest.fixture
def script() -> dict:
    if not SCRIPT.is_file():
        pytest.skip("not in the workspace")
    return runpy.run_path(str(SCRIPT))


def test_known_json_is_as_the_workspace_says(script) -> None:
    path = Path(known.__file__).with_name("known.json")
    assert path.read_text(encoding="utf-8") == script["text"](WORKSPACE), (
        "Run: python registry/write_known.py"
    )
    assert known.known() == script["collect"](WORKSPACE)


def test_a_workspace_s_entry_points_are_collected_but_not_hidden_ones_or_tests(script, tmp_path) -> None:
    for folder, name in (("a", "ripieno-a"), (".venv/b", "ripieno-b"), ("a/tests/b", "ripieno-b"), ("c", "")):
        (tmp_path / folder).mkdir(parents=True)
        text = f'[project]\nname = "{name}"\n[project.entry-points."ripieno.sinks"]\n{name or "c"} = "m:X"\n'
        text += '[project.entry-points."ripieno.pipelines"]\nfilm = "m:x"\n'
        text += '[project.entry-points."other"]\nx = "m:X"\n'
        (tmp_path / folder / "pyproject.toml").write_text(text if name else "[tool.x]\n", encoding="utf-8")
    assert script["collect"](tmp_path) == {"recipe/film": "ripieno-a", "sink/ripieno-a": "ripieno-a"}


def test_what_is_known_is_a_command_to_run_and_what_is_not_is_nothing() -> None:
    uses, distribution = next(iter(known.known().items()))
    assert known.cure(uses) == f". Run: pip install {distribution}"
    assert known.cure("sink/of-nobody") == ""
