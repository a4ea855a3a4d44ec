"""A subcommand of a plugin."""

import click

from ripieno.contracts import Host


@click.command()
@click.argument("path")
@click.pass_obj
def command(host: Host, path: str) -> None:
    """Shout what stands in a file."""
    folder = host.run("greeting", inputs={"word": path}, settings={"loud.mark": "?"})
    click.echo((folder / "loud.txt").read_text(encoding="utf-8"))
    click.echo(host.describe("joiner/shout")["summary"])
