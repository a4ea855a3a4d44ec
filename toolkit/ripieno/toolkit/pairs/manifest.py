"""What a set of pairs says of itself: its clips, what was dropped, and what made them.

Conventions
-----------
``dataset_manifest.json`` is one object::

    {
      "ripieno_pairs": 1,
      "source": "data_source/faust",              the plugin
      "versions": {"ripieno-faust": "0.1.0"},     of the distributions and engines behind it
      "settings": {"instrument": "violin", …},    of the plugin, as JSON
      "seed": 7,                                  all clips' seeds derive from it
      "licences": [{"name", "credit", "commercial", "source"}],
      "counts": {"clips", "dropped", "notes", "masked_notes", "train", "validation", "test"},
      "clips": [{"name", "index", "attempt", "seed", "split", "duration_s", "notes", "masked_notes",
                 "note_faults", "audio", "cont", "audio_sha256", "cont_sha256"}],
      "dropped": [{"index", "attempt", "seed", "faults"}]
    }

``audio`` and ``cont`` are names of files of the set. ``note_faults`` are those of the clip's masked notes,
``faults`` why an attempt at a clip was dropped, each a line of text. A split is drawn from the seed of a
clip and from nothing else, so that whatever is cut from one clip stays on one side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from ripieno.contracts import Licence, derive_seed

VERSION = 1
SPLITS = ("train", "validation", "test")


def split_of(seed: int) -> str:
    """The split of a clip by its seed: of ten clips, eight train, one validates, one tests."""
    drawn = derive_seed(seed, "split") % 10
    return "train" if drawn < 8 else "validation" if drawn == 8 else "test"


@dataclass(frozen=True)
class KeptClip:
    """A clip of the set.

    Parameters
    ----------
    name : str
        ``violin-00012``.
    index, attempt : int
        Which clip, and at which attempt it passed; both from 0.
    seed : int
        All that was drawn for it comes from this.
    split : {"train", "validation", "test"}
    duration_s : float
    notes, masked_notes : int
        How many, and how many of them the checks could not confirm.
    note_faults : tuple of str
        One for each masked note.
    audio, cont : str
        Names of its files.
    audio_sha256, cont_sha256 : str
        Their digests, hexadecimal.
    """

    name: str
    index: int
    attempt: int
    seed: int
    split: str
    duration_s: float
    notes: int
    masked_notes: int
    note_faults: tuple[str, ...]
    audio: str
    cont: str
    audio_sha256: str
    cont_sha256: str


@dataclass(frozen=True)
class DroppedClip:
    """An attempt at a clip that did not pass.

    Parameters
    ----------
    index, attempt, seed : int
        As of a `KeptClip`.
    faults : tuple of str
        Why, one line each.
    """

    index: int
    attempt: int
    seed: int
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What became of one clip of the set: kept at last, after some attempts that were dropped."""

    clip: KeptClip
    dropped: tuple[DroppedClip, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON."""
        return {"clip": _json(self.clip), "dropped": [_json(dropped) for dropped in self.dropped]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The verdict in `to_json`'s form; KeyError or TypeError where it is another."""
        clip = document["clip"]
        kept = KeptClip(**{**clip, "note_faults": tuple(clip["note_faults"])})
        dropped = (DroppedClip(**{**one, "faults": tuple(one["faults"])}) for one in document["dropped"])
        return cls(kept, tuple(dropped))


def manifest_of(
    verdicts: Sequence[Verdict],
    *,
    source: str,
    versions: Mapping[str, str],
    settings: Mapping[str, Any],
    seed: int,
    licences: Sequence[Licence],
) -> dict[str, Any]:
    """The manifest of a set, as the conventions above say."""
    clips = [verdict.clip for verdict in verdicts]
    dropped = [dropped for verdict in verdicts for dropped in verdict.dropped]
    counts = {
        "clips": len(clips),
        "dropped": len(dropped),
        "notes": sum(clip.notes for clip in clips),
        "masked_notes": sum(clip.masked_notes for clip in clips),
        **{split: sum(clip.split == split for clip in clips) for split in SPLITS},
    }
    return {
        "ripieno_pairs": VERSION,
        "source": source,
        "versions": dict(versions),
        "settings": dict(settings),
        "seed": seed,
        "licences": [asdict(licence) for licence in licences],
        "counts": counts,
        "clips": [_json(clip) for clip in clips],
        "dropped": [_json(one) for one in dropped],
    }


def _json(facts: KeptClip | DroppedClip) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(facts).items()}
