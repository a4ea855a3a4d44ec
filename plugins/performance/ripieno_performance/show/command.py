"""``core show``: a performance drawn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ripieno.contracts import ConfigError, Host, InputError, InstrumentProfile, RipienoError, write_whole

if TYPE_CHECKING:
    from .scene import Scene

SUFFIXES = (".html", ".png", ".svg")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--audio", type=click.Path(path_type=Path), help="The recording; else FILE's .flac or .wav beside it."
)
@click.option(
    "--output",
    "outputs",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A .html, .png or .svg; may be given several times.  [default: FILE with .html]",
)
@click.pass_context
def show(ctx: click.Context, files: tuple[Path, ...], audio: Path | None, outputs: tuple[Path, ...]) -> None:
    """Draw .cont FILEs: a page to look around in and listen to, or a picture."""
    if len(files) > 1 and (audio or outputs):
        raise ConfigError(f"--audio and --output are for one document, and there are {len(files)}")
    for output in outputs:
        if output.suffix.lower() not in SUFFIXES:
            raise ConfigError(f"--output {output}: expected a name that ends in {', '.join(SUFFIXES)}")
    for file in files:
        _draw(file, audio, outputs, ctx.obj)


def _draw(file: Path, audio: Path | None, outputs: tuple[Path, ...], host: Host | None) -> None:
    # Not at the top: the command line lists commands without drawing.
    from ripieno.contracts import read_cont

    from .scene import Scene
    from .sound import stem_of

    if not file.is_file():
        raise ConfigError(f"{file}: no such file; core show draws a .cont document")
    performance = read_cont(file)
    instruments = [stream.instrument for stream in performance.streams]
    scene = Scene.of(performance, title=stem_of(file), profiles=profiles_named(instruments, host))
    sound = audio or _sound_beside(file)
    for output in outputs or (file.with_name(f"{stem_of(file)}.html"),):
        _write(scene, sound, output)
        click.echo(output)


def profiles_named(instruments: Iterable[str], host: Host | None) -> Mapping[str, InstrumentProfile]:
    """The profiles of instruments, of those that are installed; none without a host to ask."""
    found: dict[str, InstrumentProfile] = {}
    for name in dict.fromkeys(instruments) if host else ():
        try:
            found[name] = host.data(f"instrument/{name}")
        except RipienoError:
            continue
    return found


def _sound_beside(file: Path) -> Path | None:
    """The recording beside a document, where it can be read; why there is none goes to standard error."""
    from .sound import find_sound, open_sound

    sound = find_sound(file)
    if sound is None:
        click.echo(f"no recording beside {file}: drawn without a spectrogram; --audio names one", err=True)
        return None
    try:
        open_sound(sound).close()
    except InputError as error:
        click.echo(f"drawn without a spectrogram: {error}", err=True)
        return None
    return sound


def _write(scene: "Scene", sound: Path | None, output: Path) -> None:
    from .figure import draw
    from .page import render

    kind = output.suffix.lower()
    content = (
        render(scene, sound, folder=output.parent) if kind == ".html" else draw(scene, sound, kind=kind[1:])
    )
    write_whole(output, content)
