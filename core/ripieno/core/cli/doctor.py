"""``core doctor``: what is missing or broken, and what to do."""

import sys

import click

from ..doctor import examine


@click.command()
def command() -> None:
    """Find what is missing or broken, and say what to do."""
    findings = examine()
    for finding in findings:
        mark = "ok     " if finding.ok else "MISSING"
        click.echo(f"{mark} {finding.text}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
