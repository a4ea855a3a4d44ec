"""``core live``: the streaming part of a pipeline on sound as it arrives."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

import click

from ripieno.contracts.errors import ConfigError, RipienoError

from ..console import own_stdout
from .asked import asked

if TYPE_CHECKING:
    from ..live.feeds import Inlet
    from ..live.hops import Source
    from ..live.live import Live
    from ..live.messages import Listener
    from ..live.raw import RawFormat
    from ..live.sources import Asked

PORT = 8765


@click.command()
@click.argument("pipeline")
@click.option(
    "--source",
    "sources",
    multiple=True,
    required=True,
    metavar="[INPUT=]SOURCE",
    help="What an input hears: mic, file:PATH, stdin (raw samples), or ws (what a client of the server sends).",
)
@click.option(
    "--pace",
    type=click.Choice(["fast", "realtime"]),
    default="fast",
    help="Of file and stdin: as fast as it goes (the default), or at playing speed.",
)
@click.option("--set", "settings", multiple=True, metavar="STEP.KEY=VALUE", help="A setting of a step.")
@click.option("--only", multiple=True, metavar="STEP", help="Only this step and what it needs.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the pipeline's.")
@click.option("--json", "as_json", is_flag=True, help="Messages as JSON lines on standard output.")
@click.option("--states", is_flag=True, help="With --json: a state for each frame of the slow clock, too.")
@click.option("--rate-hz", type=int, help="Sample rate of stdin; also of the microphone.")
@click.option("--channels", type=int, help="Of stdin or the microphone; 1 by default.")
@click.option(
    "--encoding",
    type=click.Choice(["f32le", "s16le"]),
    default="f32le",
    show_default=True,
    help="Of the samples on stdin.",
)
@click.option("--serve", is_flag=True, help="Show the run on a page and on WebSockets of this machine.")
@click.option("--open", "opens", is_flag=True, help="Serve, and open the page in the browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Of the server.")
@click.option("--token", help="What clients other than the page must know; made where not given.")
@click.option("--osc", metavar="HOST:PORT", help="Send beats and states as OSC over UDP.")
def command(pipeline: str, sources: tuple[str, ...], settings: tuple[str, ...], **options: Any) -> None:
    """Run the streaming part of PIPELINE (a file, or the name of a recipe) live.

    Steps that cannot stream are left out and listed.
    """
    from ..live.feeds import Inlet
    from ..live.live import Live
    from ..live.raw import RawFormat
    from ..live.sources import parse_sources

    wanted = asked(pipeline, (), settings)
    hears = parse_sources(sources, wanted)
    if options["pace"] == "realtime" and any(one.kind in ("mic", "ws") for one in hears):
        raise ConfigError("a microphone and a client come at their own speed: --pace is for file and stdin")
    raw = RawFormat(options["rate_hz"], options["channels"], options["encoding"])
    if (raw.rate_hz or raw.channels) and not any(one.kind in ("mic", "stdin") for one in hears):
        raise ConfigError("--rate-hz and --channels are for stdin and mic: other sources say their own")
    inlet = Inlet() if any(one.kind == "ws" for one in hears) else None
    serves = options["serve"] or options["opens"] or inlet is not None
    with own_stdout() as out, ExitStack() as stack:
        shows_line = out.isatty() and not options["as_json"]
        states = options["states"] or serves or options["osc"] is not None or shows_line
        live = Live.of(wanted, hears, only=options["only"], seed=options["seed"], states=states)
        if options["states"] and not live.has_clock:
            click.echo("note: no step gives a beat clock, so there are no states", err=True)
        listeners = [_shown(out, options, stack)]
        if options["osc"]:
            listeners.append(_osc(options["osc"], stack))
        if serves:
            listeners.append(_served(options, inlet, stack))
        try:
            _play(live, hears, inlet, listeners, raw=raw, realtime=options["pace"] == "realtime")
        except KeyboardInterrupt:
            sys.exit(130)
        except BrokenPipeError:
            sys.exit(141)
        finally:
            _let_go(out)


def _play(
    live: "Live",
    hears: Sequence["Asked"],
    inlet: "Inlet | None",
    listeners: Sequence["Listener"],
    *,
    raw: "RawFormat",
    realtime: bool,
) -> None:
    from ..live.pace import Fast, Realtime
    from ..live.sources import opened

    while True:
        with ExitStack() as stack:
            # A client's sound comes first: what else is heard begins with it.
            fed = {
                one.input: stack.enter_context(inlet.accepted())
                for one in hears
                if inlet and one.kind == "ws"
            }
            sources: dict[str, Source] = {
                one.input: fed.get(one.input)
                or stack.enter_context(opened(one, registry=live.registry, raw=raw))
                for one in hears
            }
            pace = Realtime() if realtime else Fast()
            try:
                live.play(sources, pace=pace, listeners=listeners)
            except RipienoError as error:
                if inlet is None:
                    raise
                # One client's sound was wrong; the next one's may not be.
                click.echo(error, err=True)
        if inlet is None:
            return


def _shown(out: TextIO, options: Mapping[str, Any], stack: ExitStack) -> "Listener":
    from ..live.show import JsonLines, Lines, StatusLine

    if options["as_json"]:
        return JsonLines(out, states=options["states"])
    return stack.enter_context(StatusLine(out)) if out.isatty() else Lines(out)


def _osc(target: str, stack: ExitStack) -> "Listener":
    from ..live.osc import Osc

    return stack.enter_context(Osc(target))


def _served(options: Mapping[str, Any], inlet: "Inlet | None", stack: ExitStack) -> "Listener":
    import webbrowser

    from ..live.server import Server

    server = stack.enter_context(Server(port=options["port"], token=options["token"], sink=inlet))
    click.echo(f"page: {server.address}  token for other clients: {server.token}", err=True)
    if options["opens"] and not webbrowser.open(server.address):
        click.echo("note: no browser was found: open the page yourself", err=True)
    return server


def _let_go(out: TextIO) -> None:
    """Where standard output cannot be written, what is left goes nowhere: closing it must not fail again."""
    try:
        out.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), out.fileno())
