"""A track as the album's page shows it.

Conventions
-----------
Addresses are relative to the page. A track begins in the album's film where the one before it ends.
"""

import json
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ripieno.contracts import Bundle, InputError, Video

from .extras import COVER, LATENTS, META, MOVING, POSTER, SHEET

LONGEST_NAME = 48
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_SHOWN = {
    POSTER: "poster",
    COVER: "cover",
    SHEET: "sheet",
    MOVING: "moving",
    META: "meta",
    LATENTS: "latents",
}


@dataclass(frozen=True)
class Marker:
    """A place in a track that has a name."""

    at_s: float
    label: str


@dataclass(frozen=True)
class Track:
    """A track.

    Parameters
    ----------
    number : int
        From 1.
    anchor : str
        Of its place in the page.
    title, artist, album, about, key : str
        Empty where not known, but for the title.
    bpm : float
        0 where not known.
    start_s : float
        Where it begins in the film of the album.
    film : str
        Address of its film.
    size : tuple of int
        Width and height of the film.
    files : mapping of str to str
        Addresses of what stands beside the film: poster, cover, sheet, moving, meta, latents; empty
        where there is none.
    colours : tuple of str
        ``#rrggbb``, of its pictures; may be empty.
    """

    number: int
    anchor: str
    title: str
    duration_s: float
    start_s: float
    film: str
    size: tuple[int, int]
    artist: str = ""
    album: str = ""
    about: str = ""
    key: str = ""
    bpm: float = 0.0
    loops: bool = False
    markers: tuple[Marker, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    colours: tuple[str, ...] = ()

    @property
    def tint(self) -> str:
        """The most vivid of its colours; empty where it has none."""
        return max(self.colours, key=_vividness, default="")


def tracks_of(films: Mapping[str, Video], extras: Mapping[str, Bundle], *, folder: Path) -> list[Track]:
    """The tracks of an album; their films and what stands beside them are put into the folder of the page.

    Raises
    ------
    InputError
        If what stands beside a film is not what `FilmExtras` makes.
    """
    tracks: list[Track] = []
    start_s = 0.0
    for number, (name, anchor) in enumerate(zip(films, slugs(list(films)), strict=True), 1):
        film, beside = films[name], extras.get(name)
        facts, colours = _read(beside, name) if beside else ({}, ())
        files = {**dict.fromkeys(_SHOWN.values(), ""), **_beside(beside, anchor, folder)}
        address = f"films/{anchor}{film.path.suffix}"
        carry(film.path, folder / address)
        track = Track(
            number=number,
            anchor=anchor,
            title=_text(facts.get("title")) or readable(name),
            artist=_text(facts.get("artist")),
            album=_text(facts.get("album")),
            about=_text(facts.get("about")),
            key=_text(facts.get("key")),
            bpm=float(facts.get("bpm") or 0),
            loops=bool(facts.get("loop")),
            duration_s=film.duration_s,
            start_s=start_s,
            film=address,
            size=(film.width, film.height),
            markers=_markers(facts, film.duration_s),
            files=files,
            colours=colours,
        )
        tracks.append(track)
        start_s += film.duration_s
    return tracks


def carry(source: Path, target: Path) -> None:
    """Have a file stand in the folder of the page too, without a copy where the system can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def slugs(names: Sequence[str]) -> list[str]:
    """A short file name for each, of what every web host and system takes, in order and all different."""
    width = max(2, len(str(len(names))))
    plain = (unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower() for name in names)
    words = (re.sub(r"[^a-z0-9]+", "-", name)[:LONGEST_NAME].strip("-") for name in plain)
    return [f"{number:0{width}}-{word}".rstrip("-") for number, word in enumerate(words, 1)]


def readable(name: str) -> str:
    """A title of an item's key: ``cd1/01_night-drive`` is ``Night drive``."""
    stem = name.rpartition("/")[2]
    words = re.sub(r"[_\s-]+", " ", re.sub(r"^\d{1,3}[\s._-]+", "", stem)).strip()
    return words[:1].upper() + words[1:] if words else stem


def _read(beside: Bundle, name: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """What the track list says of a track, and the colours of its pictures."""
    try:
        document = json.loads(beside.files[META].read_text(encoding="utf-8"))
        facts: Mapping[str, Any] = document["track"]
        palette = document.get("look", {}).get("value", {}).get("palette", ())
        return facts, tuple(colour for colour in map(str, palette) if _COLOUR.fullmatch(colour))
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"extras of {name!r}: no {META} of sink/film_extras. Wire that step to `extras`"
        ) from error


def _beside(beside: Bundle | None, anchor: str, folder: Path) -> dict[str, str]:
    found = {}
    for file, what in _SHOWN.items():
        if beside is not None and file in beside.files:
            found[what] = f"extras/{anchor}/{file}"
            carry(beside.files[file], folder / found[what])
    return found


def _markers(facts: Mapping[str, Any], duration_s: float) -> tuple[Marker, ...]:
    """Those with a label that lie within the film; a track's times count from the start of its file."""
    cut_s = (facts.get("trim") or [0.0])[0]
    places = ((marker["at_s"] - cut_s, _text(marker.get("label"))) for marker in facts.get("markers") or ())
    return tuple(Marker(at_s, label) for at_s, label in places if label and 0 <= at_s < duration_s)


def _vividness(colour: str) -> int:
    """How far ``#rrggbb`` is from grey."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return max(parts) - min(parts)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
