"""Files of weights: where they are, and whether they are what their names promise.

Conventions
-----------
Weights are a file of the user's own, by its path, or one of the catalogue, by a reference that the run resolves.
A name may end in the first digits of the file's SHA-256, as torch's hub has it: ``dns64-a7761ff99a7d5bb6.th``.
"""

import re
from pathlib import Path

from ripieno.contracts import Asset, PluginRef
from ripieno.contracts.errors import InputError, MissingError
from ripieno.contracts.packing import sha256_file

_DIGITS = re.compile(r"-([0-9a-f]{8,64})$")


def weights_file(weights: Path | PluginRef[Asset], *, such_as: str, asset: str) -> Path:
    """The file of weights that a setting names.

    Parameters
    ----------
    weights : Path or PluginRef
        Of the settings.
    such_as : str
        A file that would do, with its size and licence, for the message.
    asset : str
        Name of its entry in the catalogue, for the message.

    Raises
    ------
    MissingError
        If there is no file.
    """
    path = weights.plugin.path if isinstance(weights, PluginRef) else weights
    if path.is_file():
        return path
    said = "is a folder, weights are one file" if path.is_dir() else "no such file"
    raise MissingError(f"{path}: {said}, such as {such_as}. For its address run: core models show {asset}")


def name_and_digits(path: Path) -> tuple[str, str]:
    """The name of a file without suffix, and the digits of a SHA-256 at its end; empty where it has none."""
    found = _DIGITS.search(path.stem)
    return (path.stem[: found.start()], found[1]) if found else (path.stem, "")


def check_digits(path: Path) -> None:
    """Hold a file to the digits in its name.

    Raises
    ------
    InputError
        If its SHA-256 begins otherwise.
    """
    _, digits = name_and_digits(path)
    if not digits:
        return
    begins = sha256_file(path)[: len(digits)]
    if begins != digits:
        raise InputError(
            f"{path}: its SHA-256 begins {begins}, its name says {digits}: it is damaged or another file. "
            "Nothing of it was read; get it again"
        )
