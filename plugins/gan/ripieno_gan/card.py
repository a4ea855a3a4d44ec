"""The card of a generator: what it is, what it learnt from, how good it is."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ripieno.contracts import InputError

from .measuring import LoadedGenerator

FACTS = "ripieno_gan"
"""Key of the file's metadata under which the facts of the training are."""
MEANING = {
    "kid": "kernel distance to the validation's pictures; 0 is as near as they are to each other",
    "diversity_ratio": "how far its pictures are from each other; 1 is as in the data, as in all ratios",
    "saturation_ratio": "mean saturation; fields are coloured by five palettes",
    "chroma_ratio": "mean chroma in OKLab, in the same colours",
    "detail_low_ratio": "broad detail: between blurs of 4 and 16 pixels",
    "detail_mid_ratio": "middle detail: between blurs of 1 and 4 pixels",
    "detail_high_ratio": "fine detail: below a blur of 1 pixel",
    "evenness": "how evenly it interpolates: the mean step by the largest; 1 is perfectly even",
}


def card_of(path: Path, *, figures: Mapping[str, float] | None = None) -> str:
    """The card as Markdown, of what the file says of itself and of figures measured on it.

    Raises
    ------
    InputError
        If it is no generator.
    """
    generator = LoadedGenerator(path)
    card = generator.card
    content = path.read_bytes()
    facts = _facts(generator)
    channels, height, width = card.latent_shape
    families = Counter(name or "unnamed" for name in facts.get("anchor_families", []))
    lines = [
        f"# {path.name}",
        "",
        "| | |",
        "|---|---|",
        f"| code | {channels} x {height} x {width}, float32 |",
        f"| picture | {card.output}, {card.size[0]} x {card.size[1]} |",
        f"| parameters | {facts.get('parameters', 'not known')} |",
        f"| trained | {facts.get('step', 'not known')} steps |",
        f"| bank | {len(card.anchors)} codes of real pictures, {len(card.axes)} axes |",
        f"| families | {', '.join(f'{name} {count}' for name, count in sorted(families.items()))} |",
        f"| answers to | {', '.join(card.features)} |",
        f"| size | {len(content)} bytes |",
        f"| SHA-256 | `{hashlib.sha256(content).hexdigest()}` |",
        "",
    ]
    if figures:
        lines += ["| figure | | what it is |", "|---|---|---|"]
        lines += [
            f"| {name} | {figures[name]:.4g} | {meaning} |"
            for name, meaning in MEANING.items()
            if name in figures
        ]
        lines.append("")
    return "\n".join(lines)


def _facts(generator: LoadedGenerator) -> dict[str, Any]:
    """What the file says of its training: nothing where another program made it."""
    try:
        facts = json.loads(generator.session.get_modelmeta().custom_metadata_map.get(FACTS, "{}"))
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise InputError(f"{generator.path}: {FACTS} in its metadata is no JSON object: export it again")
    return facts
