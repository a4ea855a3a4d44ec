"""``core film``: presets in one picture, and a few seconds of a film before the rest is made."""

import click


@click.group()
def film() -> None:
    """Look at presets, try a few seconds of a film, and measure where its time goes."""
