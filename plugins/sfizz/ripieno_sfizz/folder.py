"""Where a library's files lie, and whether they are those that its map was measured on."""

import os
from importlib.util import find_spec
from pathlib import Path

from ripieno.contracts import ConfigError, InputError, SampleLibrary

from .sfz import Sfz, read_sfz
from .survey import digests

_PACKAGE = "package:"


def library_folder(name: str) -> Path:
    """The folder of a library.

    Parameters
    ----------
    name : str
        The name of a folder in ``$RIPIENO_DATA/sfz``, a path, or ``package:MODULE/FOLDER`` for one that a
        package carries.

    Raises
    ------
    ConfigError
        If there is none.
    """
    data = os.environ.get("RIPIENO_DATA")
    if name.startswith(_PACKAGE):
        places = dict.fromkeys(_carried(name.removeprefix(_PACKAGE)))
    else:
        places = dict.fromkeys([*([Path(data) / "sfz" / name] if data else []), Path(name).expanduser()])
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        looked = " and ".join(str(place) for place in places) or name
        cure = "Give the folder that holds its SFZ file" + ("" if data else ", or set RIPIENO_DATA")
        raise ConfigError(f"library: no folder at {looked}. {cure}")
    return found.resolve()


def _carried(place: str) -> list[Path]:
    """Where a package, which is not imported, carries a folder; empty where there is no such package."""
    module, _, folder = place.partition("/")
    try:
        spec = find_spec(module)
    except (ModuleNotFoundError, ValueError):
        return []
    return [Path(root) / folder for root in (spec and spec.submodule_search_locations) or ()]


def open_library(library: SampleLibrary, folder: Path) -> Sfz:
    """The SFZ file of a library, with every technique of the map found in it.

    Raises
    ------
    InputError
        If a file is missing, cannot be read or leads out of the folder, or a key plays nothing; the message
        has file and line, or key and key switch.
    """
    path = folder / library.file
    if not path.is_file():
        raise InputError(f"{folder}: no {library.file}, which the map of this library names")
    sfz = read_sfz(path)
    _check_sounding(library, sfz)
    return sfz


def check_digests(library: SampleLibrary, sfz: Sfz) -> None:
    """Refuse files that are not those that the map was measured on.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    for name, digest in digests(sfz):
        wanted = library.sha256.get(name)
        if library.sha256 and wanted != digest:
            fault = "is not known to the map" if wanted is None else "differs from the one that was measured"
            source = f"Get the library from {library.source}, or measure this one for a map of its own"
            raise InputError(f"{sfz.path.parent / name}: {fault} (sha256 {digest[:12]}…). {source}")


def _check_sounding(library: SampleLibrary, sfz: Sfz) -> None:
    for technique in library.techniques:
        keys = range(technique.lowest_key, technique.highest_key + 1)
        sounding = {
            key
            for region in sfz.regions
            if region.is_attack and region.switched_on(technique.key_switch)
            for key in region.keys
        }
        silent = [key for key in keys if key not in sounding]
        if not silent:
            continue
        switch = "" if technique.key_switch is None else f"after key switch {technique.key_switch} "
        what = f"{switch}no key" if len(silent) == len(keys) else f"{switch}key {silent[0]}"
        verb = "plays anything" if len(silent) == len(keys) else "plays nothing"
        name = f"{technique.articulation} ({technique.mode})"
        raise InputError(
            f"{sfz.path}: {what} from {keys[0]} to {keys[-1]} {verb}, which the map calls {name}"
        )
