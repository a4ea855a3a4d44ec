import json
import subprocess
import sys
from pathlib import Path

import pytest

from ripieno.registry import known

WORKSPACE = Path(__file__).parents[2]


def test_known_json_is_as_the_workspace_says() -> None:
    if not (WORKSPACE / "plugins").is_dir():
        pytest.skip("not in the workspace")
    fresh = known.collect(WORKSPACE)
    assert known.known() == fresh, "Run: python -m ripieno.registry.known ."


def test_a_workspace_s_entry_points_are_collected_but_not_hidden_ones_or_tests(tmp_path: Path) -> None:
    for folder, name in (("a", "ripieno-a"), (".venv/b", "ripieno-b"), ("a/tests/b", "ripieno-b"), ("c", "")):
        (tmp_path / folder).mkdir(parents=True)
        text = f'[project]\nname = "{name}"\n[project.entry-points."ripieno.sinks"]\n{name or "c"} = "m:X"\n'
        text += '[project.entry-points."other"]\nx = "m:X"\n'
        (tmp_path / folder / "pyproject.toml").write_text(text if name else "[tool.x]\n", encoding="utf-8")
    assert known.collect(tmp_path) == {"sink/ripieno-a": "ripieno-a"}


def test_the_module_s_command_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "KNOWN", tmp_path / "known.json")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "n"\n[project.entry-points."ripieno.pipelines"]\nfilm = "m:x"\n', encoding="utf-8"
    )
    known.main([str(tmp_path)])
    assert json.loads((tmp_path / "known.json").read_text(encoding="utf-8")) == {"recipe/film": "n"}


def test_the_command_needs_a_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ripieno.registry.known"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "usage" in done.stderr
