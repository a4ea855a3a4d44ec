"""``core film``: presets in one picture, and a few seconds of a film before the rest is made."""

from pathlib import Path
from typing import Any

import click

from ripieno.contracts import Asset, ConfigError, Host, MissingError, PluginRef


@click.group()
def film() -> None:
    """Look at presets, try a few seconds of a film, and measure where its time goes."""


@film.command()
@click.option(
    "--contact-sheet",
    "sheet",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="PNG to write, a row a preset.",
)
@click.option("--weights", metavar="ASSET", help="The generator that draws it; the controller's by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all draws.")
@click.option("--anchors", is_flag=True, help="Show which codes of the generator suit each, for its file.")
@click.argument("names", metavar="[PRESET]...", nargs=-1)
@click.pass_obj
def presets(
    host: Host, names: tuple[str, ...], sheet: Path | None, weights: str | None, seed: int, anchors: bool
) -> None:
    """List the presets of films, all or those that are named; --contact-sheet draws them in one picture."""
    from .controller import LatentConfig
    from .installed import shipped

    if sheet is not None and sheet.suffix.lower() != ".png":
        raise ConfigError(f"--contact-sheet {sheet}: the picture is a PNG. Call it {sheet.stem}.png")
    found = _presets(host, names)
    uses = weights or LatentConfig().weights.uses
    says = _anchors(found, shipped(host, uses)) if anchors else {}
    width = max(len(name) for name in found)
    for name, preset in found.items():
        click.echo(f"{name:{width}}  {says.get(name, preset.description)}".rstrip())
    if sheet is None:
        return
    import cv2

    from ripieno.contracts import write_whole

    from .contact_sheet import contact_sheet

    picture = contact_sheet(found, shipped(host, uses), seed=seed)
    _, png = cv2.imencode(".png", picture[..., ::-1])
    write_whole(sheet, png.tobytes())
    click.echo(sheet)


@film.command()
@click.argument("pipeline", metavar="PIPELINE")
@click.option(
    "--at", "at_s", type=click.FloatRange(min=0), default=0.0, show_default=True, help="First second."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True, max=600),
    default=5.0,
    show_default=True,
    help="How many.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0.05, max=1),
    default=0.5,
    show_default=True,
    help="Of width and height.",
)
@click.option("--preset", help="Instead of the pipeline's.")
@click.option("--step", help="Which film, where the pipeline makes several.")
@click.option("--input", "inputs", metavar="NAME=PATH", multiple=True, help="Instead of the pipeline's own.")
@click.option("--open", "shown", is_flag=True, help="Play what was made.")
@click.pass_obj
def preview(
    host: Host,
    pipeline: str,
    at_s: float,
    seconds: float,
    scale: float,
    preset: str | None,
    step: str | None,
    inputs: tuple[str, ...],
    shown: bool,
) -> None:
    """Render a few seconds of the films of PIPELINE, small; print the files.

    What was heard for it is kept, so that the next preview, and the film itself, take it from the store.
    """
    from .preview import films_in, preview_settings, split_inputs

    name, settings = preview_settings(
        host.load(pipeline), step=step, part_s=(at_s, at_s + seconds), scale=scale, preset=preset
    )
    folder = host.run(pipeline, inputs=split_inputs(inputs), settings=settings, only=[name])
    for path in films_in(folder, name):
        click.echo(path)
        if shown:
            click.launch(str(path))


@film.command()
@click.argument("song", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", default="default", show_default=True, help="How the film looks.")
@click.option("--weights", default="", metavar="ASSET", help="The generator; the renderer's where not given.")
@click.option("--size", default="1920x1080", show_default=True, help="Width and height.")
@click.option("--fps", default=30.0, show_default=True, help="Frames a second.")
@click.option("--codec", default="x264", show_default=True, help="x264, vp9 or av1.")
@click.option(
    "--seconds", default=4.0, show_default=True, type=click.FloatRange(0.1, 60), help="Of the film, measured."
)
@click.pass_obj
def profile(host: Host, /, song: Path, **asked: Any) -> None:
    """Show what each stage of SONG's film costs: milliseconds of CPU a frame, beside the encoder alone."""
    from .profile_command import profile_lines

    # Else a name that is none would be a fault of a pipeline that nobody wrote.
    _presets(host, (asked["preset"],))
    for line in profile_lines(host, song, **asked):
        click.echo(line)


def _presets(host: Host, names: tuple[str, ...]) -> dict[str, Any]:
    """Presets of films by name."""
    from importlib.metadata import entry_points

    from .steering.settings import CONTROLLER, scene_of

    listed = names or sorted({entry.name for entry in entry_points(group="ripieno.presets")})
    found = {name: host.data(name if "/" in name else f"preset/{name}") for name in listed}
    if not names:
        found = {name: preset for name, preset in found.items() if preset.uses == CONTROLLER}
    for name, preset in found.items():
        scene_of(preset, name=f"preset/{name}", over={})
    if not found:
        raise MissingError("no preset of films is installed")
    return found


def _anchors(presets: dict[str, Any], weights: PluginRef[Asset]) -> dict[str, str]:
    """Lines for the files of presets: the codes of a generator that suit each."""
    from .choosing import choose, traits_of
    from .controller import UNNAMED_ANCHORS
    from .generator import load
    from .steering.settings import scene_of

    generator = load(str(weights.plugin.path), gpu=False)
    traits, lines = traits_of(generator), {}
    for name, preset in presets.items():
        scene = scene_of(preset, name=f"preset/{name}", over={})
        count = max(map(len, scene.anchors.values()), default=UNNAMED_ANCHORS)
        lines[name] = f"{weights.uses}: {list(choose(generator.card, traits, scene.character, count=count))}"
    return lines
