"""A pair of sounds as a page shows it, and the files for it.

Conventions
-----------
Addresses are relative to the page. Seconds of a pair count from the beginning of what is heard of it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ripieno.contracts import Audio

from .config import GalleryConfig
from .listening import Heard, Span, gains_db, hear, is_in, liveliest, write
from .pictures import FLOOR_DB, RANGE_DB, png

LONGEST_NAME = 48
# The uppermost of the levels are a few clicks; what lies above this share of them is as bright.
_BRIGHTEST_PERCENT = 99.9
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200)
_MARKS_HZ = {250: "250", 1000: "1k", 4000: "4k", 10_000: "10k"}


@dataclass(frozen=True)
class Side:
    """One sound of a pair.

    Parameters
    ----------
    audio, snippet, image : str
        Addresses; empty where there is no sound.
    outline : str
        Of the wave, see `Wave.outline`.
    gain_db : float
        Makes it as loud as the other one; never positive.
    share : float
        Its length as a part of the longer one's.
    marks : tuple of (str, float)
        Frequencies, and where they stand in the picture.
    """

    audio: str = ""
    snippet: str = ""
    image: str = ""
    outline: str = ""
    gain_db: float = 0.0
    share: float = 0.0
    marks: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Item:
    """A pair of sounds.

    Parameters
    ----------
    name : str
    anchor : str
        Of its place in the page.
    whole_s : float
        Length of the longer one.
    heard : Span
        Which part of it is heard and drawn.
    snippet : Span
        Where the snippets are.
    sides : tuple of Side
        Before and after.
    """

    name: str
    anchor: str
    whole_s: float
    heard: Span
    snippet: Span
    sides: tuple[Side, Side]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is heard."""
        return self.heard.duration_s == self.whole_s

    @property
    def can_loop(self) -> bool:
        """Whether the snippet is a part of what is heard."""
        return 0 < self.snippet.duration_s < self.heard.duration_s

    @property
    def ticks_s(self) -> list[int]:
        """Seconds of the item that a ruler names, eight at most."""
        step = next((step for step in _TICKS_S if self.heard.duration_s <= 8 * step), 3600)
        first = -int(-self.heard.start_s // step) * step
        return list(range(first, int(self.heard.end_s) + 1, step))

    def place(self, at_s: float) -> float:
        """Where a time of the item stands, 0 to 1."""
        return (at_s - self.heard.start_s) / (self.heard.duration_s or 1)


def make_item(
    name: str, file_name: str, pair: Sequence[Audio], *, folder: Path, config: GalleryConfig
) -> Item:
    """Write the sounds and pictures of a pair into a folder.

    Parameters
    ----------
    name : str
    file_name : str
        What the names of its files begin with.
    pair : sequence of Audio
        Before and after.
    folder : Path
        Where the page will be.
    config : GalleryConfig
    """
    whole_s = max(audio.duration_s for audio in pair)
    snippet, whole = liveliest(pair[1], length_s=config.snippet_s), Span(0.0, whole_s)
    heard = whole if whole_s <= config.whole_up_to_s else snippet
    suffix = "flac" if heard.duration_s <= config.lossless_up_to_s else "opus"
    stems = [f"{file_name}-{side}" for side in ("before", "after")]
    sounds = [f"audio/{stem}.{suffix}" for stem in stems]
    found = [hear(audio, heard, _room(folder, name)) for audio, name in zip(pair, sounds, strict=True)]
    sides = [
        replace(side, audio=sound if side.image else "", snippet=_snippet(audio, snippet, stem, folder))
        for side, sound, audio, stem in zip(_drawn(found, stems, folder), sounds, pair, stems, strict=True)
    ]
    return Item(name, file_name, whole_s, heard, snippet, (sides[0], sides[1]))


def slugs(names: Sequence[str]) -> list[str]:
    """A short file name for each, of what every web host and system takes, in order and all different."""
    width = len(str(len(names)))
    plain = (unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower() for name in names)
    words = (re.sub(r"[^a-z0-9]+", "-", name)[:LONGEST_NAME].strip("-") for name in plain)
    return [f"{number:0{width}}-{word}".rstrip("-") for number, word in enumerate(words, 1)]


def _snippet(audio: Audio, span: Span, stem: str, folder: Path) -> str:
    """Address of the snippet, written now; empty where the sound does not reach so far."""
    if not is_in(audio, span):
        return ""
    name = f"snippets/{stem}.flac"
    write(audio, span, _room(folder, name))
    return name


def _drawn(found: Sequence[Heard | None], stems: Sequence[str], folder: Path) -> list[Side]:
    """Both of a pair, drawn as loud as they are heard and to one scale."""
    before, after = found
    gains = gains_db(before, after)
    parts = [(part, gain_db) for part, gain_db in zip(found, gains, strict=True) if part]
    longest_s = max((part.duration_s for part, _ in parts), default=1.0)
    peak = max((part.wave.peak * 10 ** (gain_db / 20) for part, gain_db in parts), default=1.0) or 1.0
    brightest_db = max((_brightest_db(part) + gain_db for part, gain_db in parts), default=0.0)
    # Silence is at the floor, and dark.
    top_db = max(brightest_db, FLOOR_DB + RANGE_DB)
    sides = []
    for part, gain_db, stem in zip(found, gains, stems, strict=True):
        if part is None:
            sides.append(Side())
            continue
        image = f"images/{stem}.png"
        _room(folder, image).write_bytes(png(part.spectrum.level_db + gain_db, top_db=top_db))
        outline = part.wave.outline(10 ** (gain_db / 20) / peak)
        share = part.duration_s / longest_s
        sides.append(Side(image=image, outline=outline, gain_db=gain_db, share=share, marks=_marks(part)))
    return sides


def _marks(part: Heard) -> tuple[tuple[str, float], ...]:
    spectrum = part.spectrum
    return tuple((word, spectrum.place(hz)) for hz, word in _MARKS_HZ.items() if hz < spectrum.highest_hz)


def _brightest_db(part: Heard) -> float:
    return float(np.percentile(part.spectrum.level_db, _BRIGHTEST_PERCENT))


def _room(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
