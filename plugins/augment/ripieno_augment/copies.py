"""Augmented copies of one clip, made in a worker."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ripieno.contracts import Augmenter, Context, Example, write_whole
from ripieno.contracts.context import derive_seed
from ripieno.contracts.packing import sha256_file
from ripieno.toolkit.pairs.files import read_verdict, write_clip
from ripieno.toolkit.pairs.manifest import KeptClip, Verdict
from ripieno.toolkit.portable import from_json

from .draws import plain
from .dynamics import with_gain
from .labels import rounded
from .mix import MixesOthers
from .pairs import Pair, read_pairs

# What 24 bits hold: more would be clipped.
FULL_SCALE = 1 - 2.0**-20


def copy_clip(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """Make the copies of a clip in the checkpoint folder; those that are finished are not made again.

    Parameters
    ----------
    job : mapping
        ``pair`` (the clip's files and its name in the new set), ``clip`` (its entry in the old manifest),
        ``copies``, ``seed``, ``augmenter`` (as `portable` has it) and ``others`` (file of the pairs that may
        be mixed in).

    Returns
    -------
    list of JSON
        For each copy ``clip``, its entry in the new manifest, and ``licences``.
    """
    pair = Pair(**job["pair"])
    finished = {
        number: _finished(context.checkpoint, _name(pair, number)) for number in range(1, job["copies"] + 1)
    }
    if not all(finished.values()):
        augmenter, example = _augmenter(job, pair), pair.read()
        for number in [number for number, record in finished.items() if record is None]:
            seed = derive_seed(job["seed"], "copy", pair.name, str(number))
            draw = augmenter.draw(np.random.default_rng(seed))
            entry = {"name": _name(pair, number), "seed": seed, "split": pair.split}
            entry |= {"note_faults": job["clip"]["note_faults"], "copy": number, "draw": plain(draw)}
            finished[number] = _written(augmenter.apply(example, draw), entry, context.checkpoint)
    return [record for record in finished.values() if record is not None]


def _written(copy: Example, entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write a copy, its record last; `entry` is what is known of it already."""
    softer, gain_db = within_full_scale(copy)
    performance, samples = rounded(softer.performance), softer.audio.samples
    audio, cont = write_clip(
        samples[0] if len(samples) == 1 else samples.T, performance, folder, entry["name"]
    )
    kept = KeptClip(
        name=entry["name"],
        index=0,
        attempt=0,
        seed=entry["seed"],
        split=entry["split"],
        duration_s=performance.duration_s,
        notes=len(performance.notes),
        masked_notes=sum(bool(note.masked) for note in performance.notes),
        note_faults=tuple(entry["note_faults"]),
        audio=audio.name,
        cont=cont.name,
        audio_sha256=sha256_file(audio),
        cont_sha256=sha256_file(cont),
    )
    document = Verdict(kept).to_json()
    document["copy"] = {"copy": entry["copy"], "draw": entry["draw"], "peak_gain_db": gain_db}
    document["licences"] = [asdict(licence) for licence in performance.licences]
    write_whole(folder / f"{kept.name}.json", json.dumps(document, ensure_ascii=False).encode())
    return _record(document)


def within_full_scale(example: Example) -> tuple[Example, float]:
    """An example that passes full scale, made softer, and the gain in dB; one that doesn't as it is."""
    peak = float(np.abs(example.audio.samples).max(initial=0))
    if peak <= FULL_SCALE:
        return example, 0.0
    gain_db = float(20 * np.log10(FULL_SCALE / peak))
    return with_gain(example, gain_db), gain_db


def _augmenter(job: Mapping[str, Any], pair: Pair) -> Augmenter[Any]:
    augmenter: Augmenter[Any] = from_json(job["augmenter"])
    if not isinstance(augmenter, MixesOthers):
        return augmenter
    others = read_pairs(Path(job["others"]))
    return augmenter.among(tuple(other for other in others if other.name != pair.name))


def _name(pair: Pair, number: int) -> str:
    return f"{pair.name}-copy{number}"


def _finished(folder: Path, name: str) -> dict[str, Any] | None:
    """The record of a copy whose files are whole."""
    if read_verdict(folder, name) is None:
        return None
    return _record(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))


def _record(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"clip": {**document["clip"], **document["copy"]}, "licences": document["licences"]}
