"""What a run gave for each item, read from its outputs so that a page can show it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .media import Peaks, beats, outline, peaks, scores, sections, text

MOST_CARDS = 60
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200)


@dataclass
class File:
    """A file beside the page, by a relative address."""

    name: str
    url: str
    kind: str
    path: Path
    header: Mapping[str, Any] = field(default_factory=dict)
    waveform: str = ""

    @property
    def seconds(self) -> float:
        """How long it plays; 0 where that is not known."""
        if "duration_s" in self.header:
            return float(self.header["duration_s"])
        return float(self.header["frames"] / self.header["rate_hz"]) if "frames" in self.header else 0.0


@dataclass
class Card:
    """All there is of one item."""

    item: str
    title: str
    films: list[File] = field(default_factory=list)
    tracks: list[File] = field(default_factory=list)
    images: list[File] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    beats: list[tuple[float, int]] = field(default_factory=list)
    sections: list[tuple[float, float, str]] = field(default_factory=list)
    scores: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def bpm(self) -> float:
        """60 s over the median interval between beats; 0 where there is none."""
        from statistics import median

        times = [time for time, _ in self.beats]
        intervals = [after - before for before, after in pairwise(times)]
        return 60 / median(intervals) if intervals else 0.0

    @property
    def ticks(self) -> list[int]:
        """Seconds that the ruler names, a dozen at most."""
        step = next((step for step in TICKS_S if self.seconds <= 12 * step), 3600)
        return list(range(0, int(self.seconds) + 1, step))


def make_cards(manifest: Mapping[str, Any], folder: Path) -> tuple[list[Card], int]:
    """A card for each of the first items, and the number of all items."""
    outputs: dict[str, list[Mapping[str, Any]]] = {}
    for output in manifest["outputs"]:
        outputs.setdefault(output["item"], []).append(output)
    cards = []
    for item in list(outputs)[:MOST_CARDS]:
        card = Card(item, item or manifest["name"])
        card.tracks += _originals(manifest, item, folder)
        for output in outputs[item]:
            _add(card, output, folder)
        _measure(card)
        cards.append(card)
    return cards, len(outputs)


def _originals(manifest: Mapping[str, Any], item: str, folder: Path) -> list[File]:
    """The recordings an item was made from, to compare with."""
    found = []
    for step in manifest["steps"]:
        made = step["outputs"].get("", {})
        if step["role"] == "input" and step["item"] == item and made.get("kind") == "audio":
            paths = (
                Path(row["path"]) for row in manifest["inputs"][step["step"]] if item in ("", row["item"])
            )
            found += [
                File(step["step"], _relative(path, folder), "input", path, made["header"]) for path in paths
            ]
    return found


def _relative(path: Path, folder: Path) -> str:
    try:
        return quote(Path(os.path.relpath(path, folder.absolute())).as_posix())
    except ValueError:
        # On another drive.
        return path.as_uri()


def _add(card: Card, output: Mapping[str, Any], folder: Path) -> None:
    if not output["path"]:
        card.missing.append(output["name"])
        return
    path = folder / output["path"]
    file = File(output["name"], quote(output["path"]), output["kind"], path, output["header"])
    card.files.append(file)
    match file.kind:
        case "video":
            card.films.append(file)
        case "audio":
            card.tracks.append(file)
        case "stems":
            parts = {part.stem: part for part in sorted(path.iterdir())}
            for name, header in file.header["items"].items():
                if name in parts:
                    url = f"{file.url}/{quote(parts[name].name)}"
                    card.tracks.append(File(name, url, "audio", parts[name], header))
        case "image":
            card.images.append(file)
        case "beats":
            card.beats = card.beats or beats(path)
        case "sections":
            card.sections = card.sections or sections(path)
        case "scores":
            card.scores.append((file.name, scores(path)))
        case "text":
            card.texts.append((file.name, text(path)))


def _measure(card: Card) -> None:
    """How long it is, and waveforms with one scale for all."""
    card.seconds = max(
        [0.0]
        + [file.seconds for file in (*card.films, *card.tracks)]
        + [time for time, _ in card.beats]
        + [end for _, end, _ in card.sections]
    )
    found: list[Peaks] = [peaks(track.path) for track in card.tracks]
    top = max((abs(value) for values in found for pair in values for value in pair), default=0.0)
    for track, values in zip(card.tracks, found, strict=True):
        track.waveform = outline(values, top)
