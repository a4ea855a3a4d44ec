"""The `core` command: each subcommand a module of its own, imported when it is called."""

import os
import sys
from importlib import import_module
from typing import Any

import click

from ripieno.contracts.errors import RipienoError, StepError

from .. import __version__

COMMANDS = {
    "run": "Run a pipeline file or a recipe.",
    "check": "Check a pipeline without running it.",
    "live": "Run the streaming part of a pipeline on sound as it arrives.",
    "graph": "Draw a pipeline as Mermaid or SVG.",
    "plugins": "List and describe what is installed.",
    "recipes": "List pipelines that came with plugins.",
    "runs": "List runs; verify and clean the store.",
    "models": "List and fetch weights and assets.",
    "schema": "Write the JSON schema of pipeline files.",
    "doctor": "Find what is missing or broken.",
}


class Commands(click.Group):
    """Subcommands by name: core's own, then those of plugins; listing imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *(name for name in self._of_plugins() if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            command: click.Command = import_module(f".{cmd_name}", __name__).command
            return command
        if cmd_name in self._of_plugins():
            return _plugin_command(ctx, cmd_name)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        others = [name for name in self._of_plugins() if name not in COMMANDS]
        if others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, f"See: core {name} --help") for name in others])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from ripieno.registry.suggest import did_you_mean

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"{error.message.rstrip('.')}{hint or '.'}", ctx) from error

    def _of_plugins(self) -> tuple[str, ...]:
        from ripieno.registry import Registry

        return Registry().names("command")


def _plugin_command(ctx: click.Context, name: str) -> click.Command:
    from ripieno.registry import Registry

    from ..host import CoreHost

    command = Registry().load(f"command/{name}")
    if not isinstance(command, click.Command):
        raise click.ClickException(f"command/{name} is no click command")
    ctx.obj = CoreHost()
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="core", message="%(prog)s %(version)s")
def core() -> None:
    """Audio machine learning from plugins: one pipeline file, one command."""


def main() -> None:
    """Entry point: exit 0 = done, 1 = a step failed, 2 = cannot be run as asked, 130 = interrupted."""
    from ..threads import pin

    # Before anything loads numpy: what runs in this process must give the same bits as a worker.
    pin()
    # Else pydantic reads the metadata of everything that is installed, for plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        core(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except RipienoError as error:
        print(error, file=sys.stderr)
        sys.exit(1 if isinstance(error, StepError) else 2)
    except (KeyboardInterrupt, click.Abort):
        print("interrupted: what was finished is kept; run again to go on", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more on flushing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
