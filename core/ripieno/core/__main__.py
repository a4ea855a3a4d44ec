"""``python -m ripieno.core``."""

from .cli import main

main()
