"""Which distribution brings a plugin that is not installed."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def known() -> Mapping[str, str]:
    """Distribution by ``prefix/name``."""
    found: dict[str, str] = json.loads(Path(__file__).with_name("known.json").read_text(encoding="utf-8"))
    return found


def cure(uses: str) -> str:
    """``. Run: pip install …``, or nothing where no distribution is known to bring it."""
    return f". Run: pip install {known()[uses]}" if uses in known() else ""
