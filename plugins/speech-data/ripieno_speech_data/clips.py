"""Clips as files: made in batches on the run's workers, judged, and gathered as a data set.

Conventions
-----------
A clip is ``NAME.flac`` (mono, 16 bit), with ``NAME.json``, its entry in the manifest, written last: a clip
that has one is finished, whatever happens to the process. Attempt a at clip i draws from a seed of i and a
alone, and batches begin at fixed numbers, so that a set is the same for any number of workers and a larger
one begins with the smaller.

``dataset_manifest.json`` has ``source``, ``versions``, ``settings``, ``seed``, ``licences``, ``counts``,
``clips`` (each with ``name``, ``audio``, ``split``, ``seed``, ``licences`` and what its source says of it) and
``dropped``, the attempts that were not fit to keep, with the reason.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import (
    Binary,
    Context,
    Dataset,
    Licence,
    Provenance,
    StepError,
    derive_seed,
    write_whole,
)
from ripieno.contracts.packing import sha256_file

ATTEMPTS = 20
ROUND = 256
"""Clips between two reports of progress; workers wait for each other only there."""
SILENT_DBFS = -50.0
SOUNDING_SHARE = 0.1
FULL_SCALE = 0.999
TRAIN, VALIDATION = "train", "validation"

Job = Mapping[str, Any]
Entry = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip before it is judged.

    Parameters
    ----------
    samples : ndarray [frames]
        float32, mono.
    split : str
        ``train`` or ``validation``.
    licences : tuple of Licence
        Of all that sounds in it.
    facts : mapping of str to JSON
        What its source says of it.
    """

    samples: NDArray[np.float32]
    split: str
    licences: tuple[Licence, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


MakeClips = Callable[[Sequence[int]], Iterable[Clip]]


def fault_of(samples: NDArray[np.float32], *, rate_hz: int) -> str:
    """Why a clip is not fit to keep; empty for one that is.

    Parameters
    ----------
    samples : ndarray [frames]
        Mono.
    rate_hz : int
        Of the samples; the level is judged in tenths of a second.

    Returns
    -------
    str
        ``not finite``, ``beyond full scale`` or ``silent``: less than a tenth of it above -50 dBFS.
    """
    if not np.isfinite(samples).all():
        return "not finite"
    if np.abs(samples).max(initial=0) > FULL_SCALE:
        return "beyond full scale"
    span = max(1, rate_hz // 10)
    spans = samples[: samples.size // span * span].reshape(-1, span)
    power = np.square(spans, dtype=np.float64).mean(axis=1)
    sounding = np.mean(power > 10 ** (SILENT_DBFS / 10)) if power.size else 0.0
    return "silent" if sounding < SOUNDING_SHARE else ""


def collect(
    render: Callable[[Job, Context], list[Entry]],
    *,
    context: Context,
    name: str,
    count: int,
    source: str,
    settings: Mapping[str, Any],
    programs: Sequence[Binary],
    batch: int,
) -> Dataset:
    """Make `count` clips, or what is left of them after a crash.

    Parameters
    ----------
    render : callable
        Of the plugin's module, at top level: ``render(job, context)`` returns ``keep(job, context, …)``.
    context : Context
        Of the running call; its seed is that of the set.
    name : str
        What the clips' names begin with.
    source, settings
        For the manifest.
    programs : sequence of Binary
        What the clips are made by.
    batch : int
        Clips of one job.

    Raises
    ------
    MissingError, StepError
        If a program is not on this machine; if it fails, or a clip cannot be kept.
    """
    digests = {program.name: f"sha256:{sha256_file(program.require())[:16]}" for program in programs}
    shared = {"name": name, "seed": context.seed, "settings": dict(settings)}
    jobs = [
        {**shared, "first": first, "count": min(batch, count - first)} for first in range(0, count, batch)
    ]
    entries: list[Entry] = []
    step = max(1, ROUND // batch)
    for start in range(0, len(jobs), step):
        for made in context.map(render, jobs[start : start + step]):
            entries += made
        context.progress(len(entries), count, unit="clips")
    clips = [entry["clip"] for entry in entries]
    dropped = [attempt for entry in entries for attempt in entry["dropped"]]
    licences = tuple(dict.fromkeys(Licence(**of) for clip in clips for of in clip["licences"]))
    manifest = {
        "source": source,
        "versions": {"ripieno-speech-data": version("ripieno-speech-data"), **digests},
        "settings": dict(settings),
        "seed": context.seed,
        "licences": [asdict(licence) for licence in licences],
        "counts": {
            "clips": len(clips),
            "dropped": len(dropped),
            **{split: sum(clip["split"] == split for clip in clips) for split in (TRAIN, VALIDATION)},
        },
        "clips": clips,
        "dropped": dropped,
    }
    files = {clip["audio"]: context.checkpoint / clip["audio"] for clip in clips}
    return Dataset(files, manifest, provenance=Provenance(licences=licences))


def keep(job: Job, context: Context, make_clips: MakeClips, *, rate_hz: int) -> list[Entry]:
    """Make the clips of one job, again where they are not fit, and write those that are.

    Parameters
    ----------
    job : mapping
        As `collect` gives it.
    context : Context
        Of the job; clips lie in its checkpoint folder, and those that are there are not made again.
    make_clips : callable
        Gives a clip for each seed, in their order.
    rate_hz : int
        Of the clips.

    Returns
    -------
    list of JSON
        For each clip ``clip``, its entry in the manifest, and ``dropped``, the attempts before.

    Raises
    ------
    StepError
        If one clip is dropped twenty times.
    """
    names = [f"{job['name']}-{index:06d}" for index in range(job["first"], job["first"] + job["count"])]
    # All or none: what a renderer plays in one go depends on what it plays before.
    done = [_read(context.checkpoint, name) for name in names]
    finished = [entry for entry in done if entry is not None]
    if len(finished) == len(names):
        return finished
    entries: dict[str, Entry] = {}
    dropped: dict[str, list[Entry]] = {name: [] for name in names}
    for attempt in range(ATTEMPTS):
        left = [name for name in names if name not in entries]
        seeds = [derive_seed(job["seed"], "clip", name, str(attempt)) for name in left]
        for name, seed, clip in zip(left, seeds, make_clips(seeds) if seeds else (), strict=True):
            about = {"name": name, "attempt": attempt, "seed": seed, **clip.facts}
            fault = fault_of(clip.samples, rate_hz=rate_hz)
            if fault:
                dropped[name].append({**about, "fault": fault})
                continue
            kept = _kept(clip, about, context.checkpoint, rate_hz=rate_hz)
            entries[name] = {"clip": kept, "dropped": dropped[name]}
            write_whole(context.checkpoint / f"{name}.json", json.dumps(entries[name]).encode())
    for name in names:
        if name not in entries:
            last = dropped[name][-1]["fault"]
            raise StepError(f"{name}: dropped {ATTEMPTS} times, the last time for: {last}")
    return [entries[name] for name in names]


def _kept(clip: Clip, about: Entry, folder: Path, *, rate_hz: int) -> Entry:
    """Write the sound; what the manifest says of it."""
    audio = _write_flac(folder / f"{about['name']}.flac", clip.samples, rate_hz=rate_hz)
    return {
        **about,
        "audio": audio.name,
        "sha256": sha256_file(audio),
        "rate_hz": rate_hz,
        "duration_s": clip.samples.size / rate_hz,
        "split": clip.split,
        "licences": [asdict(licence) for licence in clip.licences],
    }


def _write_flac(path: Path, samples: NDArray[np.float32], *, rate_hz: int) -> Path:
    import soundfile

    # Encoded in memory: libsndfile does not say why a disk refuses.
    flac = io.BytesIO()
    soundfile.write(flac, samples, rate_hz, format="FLAC", subtype="PCM_16")
    write_whole(path, flac.getvalue())
    return path


def _read(folder: Path, name: str) -> Entry | None:
    """The entry of a finished clip whose sound is whole; None where it is still to be made."""
    try:
        entry: Entry = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        whole = sha256_file(folder / entry["clip"]["audio"]) == entry["clip"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return entry if whole else None
