"""Measure a sample library and print its map with what was measured.

    python measure_library.py ripieno_sfizz/libraries/violin.yaml FOLDER > new.yaml

The map's own words (file, techniques, player, licence) are kept; tuning, levels, gain and checksums are
those of the files in FOLDER.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from ripieno.contracts import RipienoError, SampleLibrary
from ripieno.contracts.data import read_data
from ripieno_sfizz.sfz import read_sfz
from ripieno_sfizz.survey import survey

MEASURED = ("gain_db", "velocity_db", "tuning_cents", "sha256")


def main(arguments: list[str]) -> str:
    """The map as YAML text, or one line that says what is wrong."""
    if len(arguments) != 2:
        return str(__doc__)
    path, folder = map(Path, arguments)
    library = read_data(path, SampleLibrary)
    with tempfile.TemporaryDirectory() as scratch:
        found = survey(library, read_sfz(folder / library.file), Path(scratch))
    kept = {name: value for name, value in _read(path).items() if name not in MEASURED}
    return _text({**kept, **{name: _plain(getattr(found, name)) for name in MEASURED}})


def _read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else dict(value)


def _text(document: dict[str, Any]) -> str:
    """One line for each entry of a table; small lists and maps on one line."""
    techniques = "".join(f"- {_flow(technique)}" for technique in document["techniques"])
    rest = {name: value for name, value in document.items() if name != "techniques"}
    text = yaml.safe_dump(rest, sort_keys=False, allow_unicode=True, width=1000)
    return text.replace("\nplayer:", f"\ntechniques:\n{techniques}player:", 1)


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=1000)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]), end="")
    except RipienoError as error:
        sys.exit(str(error))
