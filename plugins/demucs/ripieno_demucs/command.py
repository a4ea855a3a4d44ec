"""``core demucs``: make pickled checkpoints safe."""

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def demucs() -> None:
    """Work with Demucs's checkpoints."""


@demucs.command("convert")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--to", "folder", type=FOLDER, help="Folder of the results; beside each file where not given.")
@click.option("--trust", is_flag=True, help="Read the FILEs, which can run any code when they are read.")
def convert_files(files: tuple[Path, ...], folder: Path | None, *, trust: bool) -> None:
    """Write pickled checkpoints (.th FILEs) as safetensors, which need no trust."""
    from .checkpoints import convert

    for path in files:
        click.echo(convert(path, folder or path.parent, trust=trust))
