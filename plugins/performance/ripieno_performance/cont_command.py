"""``core cont``: check and convert performances."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ripieno.contracts import Host, InputError, Performance, RipienoError, atomic_path

if TYPE_CHECKING:
    from ripieno.contracts import Codec, Violation

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
INVALID = 2


@click.group()
def cont() -> None:
    """Check and convert performances."""


@cont.command("validate")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--format-only", is_flag=True, help="Leave out what the instrument can play.")
@click.pass_obj
def validate_files(host: Host, files: tuple[Path, ...], *, format_only: bool) -> None:
    """List everything that is wrong with .cont FILEs, each with its place; exit with 2 if anything is."""
    from ripieno.contracts import document_in, validate

    is_valid = True
    for path in files:
        try:
            document = document_in(path)
            found = validate(document) if format_only else _faults(document, host)
            faults = [f"{path}: {fault}" for fault in found]
        except InputError as error:
            faults = [str(error)]
        for fault in faults:
            # A file may name what is in no alphabet, or goes over several lines.
            click.echo(" ".join(fault.split()).encode("utf-8", "backslashreplace").decode())
        if not faults:
            click.echo(f"{path}: valid")
        is_valid &= not faults
    sys.exit(0 if is_valid else INVALID)


def _faults(document: Mapping[str, Any], host: Host) -> "Sequence[Violation]":
    """Violations; an instrument without a profile is one too."""
    from ripieno.contracts import Violation, validate

    profiles, unknown = {}, []
    for path, name in _instruments(document):
        try:
            profiles[name] = host.data(f"instrument/{name}")
        except RipienoError as error:
            unknown.append(Violation(path, str(error)))
    places = {fault.path for fault in unknown}
    found = [fault for fault in validate(document, profiles=profiles) if fault.path not in places]
    return [*unknown, *found]


def _instruments(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Place and name of each player's instrument, where the document has them."""
    streams = document.get("streams")
    given = enumerate(streams) if isinstance(streams, list) else ()
    names = [(index, stream.get("instrument")) for index, stream in given if isinstance(stream, dict)]
    return [(f"streams[{index}].instrument", name) for index, name in names if isinstance(name, str)]


@cont.command()
@click.argument("source", type=FILE, metavar="IN")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT")
@click.option("--force", is_flag=True, help="Write over OUT where it exists.")
def convert(source: Path, target: Path, *, force: bool) -> None:
    """Convert between .cont, .cont.gz, .mid, .jams and .csv, as the names of IN and OUT say."""
    reader, writer = _codec(source), _codec(target)
    if target.exists() and not force:
        raise InputError(f"{target}: exists; choose another name, or write over it with --force")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: no such folder")
    performance = cast(Performance, reader.read(source))
    try:
        with atomic_path(target) as part:
            writer.write(performance, part)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    notes = len(performance.notes)
    click.echo(f"{target}: {notes} note{'s' if notes != 1 else ''}, {performance.duration_s:.6g} s")


def _codec(path: Path) -> "Codec[Any]":
    """The codec of a file's suffix.

    Raises
    ------
    InputError
        If it is none of a performance.
    """
    from ripieno.contracts.codecs import ContFile

    from .jams import PerformanceJams
    from .midi import MidiFile
    from .table import PerformanceTable

    codecs: list[Codec[Any]] = [ContFile(), MidiFile(), PerformanceJams(), PerformanceTable()]
    for codec in codecs:
        if path.name.lower().endswith(codec.suffixes):
            return codec
    suffixes = ", ".join(suffix for codec in codecs for suffix in codec.suffixes)
    raise InputError(f"{path}: performances are files of {suffixes}")
