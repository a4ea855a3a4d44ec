"""Sound and label as files: clips are made, judged, kept or made again, and gathered as a data set.

Conventions
-----------
A clip is ``NAME.flac`` (mono, 24 bit) and ``NAME.cont``, with ``NAME.json``, its verdict, written last:
a clip with a verdict is finished, whatever happens to the process. Attempt a at clip i draws from a seed
of i and a alone, so that a set is the same for any number of workers and any batches. The manifest is
described in `manifest`.

A data source is two functions::

    def generate(self) -> Dataset:
        return collect(render, context=self.context, name="violin", count=…, settings=…, …)

    def render(job, context):
        return keep(job, context, lambda seeds: (make_clip(seed, job["settings"]) for seed in seeds))
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Context, Dataset, Licence, Provenance, StepError, derive_seed
from ripieno.contracts.packing import sha256_file
from ripieno.contracts.performance import Performance, Stream

from .files import read_verdict, write_clip, write_verdict
from .manifest import DroppedClip, KeptClip, Verdict, manifest_of, split_of

if TYPE_CHECKING:
    from ..measuring.measure import Measured

ATTEMPTS = 20
MASKED_SHARE = 0.05
# Clips between two reports of progress; workers wait for each other only there.
ROUND = 512

Render = Callable[[Any, Context], list[dict[str, Any]]]
MakeClips = Callable[[Sequence[int]], "Iterable[Clip]"]


@dataclass(frozen=True, eq=False)
class Clip:
    """A rendered clip, how it was played, and what the checks found.

    Parameters
    ----------
    samples : ndarray [frames]
        float32, mono, below full scale.
    performance : Performance
        Of these samples; notes that could not be confirmed mask their channels.
    note_faults : tuple of str
        One line for each note that could not be confirmed.
    clip_faults : tuple of str
        What is wrong with the clip as a whole.
    """

    samples: NDArray[np.float32]
    performance: Performance
    note_faults: tuple[str, ...] = ()
    clip_faults: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Why it is dropped; empty for a clip to keep."""
        notes, masked = len(self.performance.notes), len(self.note_faults)
        if not notes:
            return (*self.clip_faults, "no notes")
        if masked <= MASKED_SHARE * notes:
            return self.clip_faults
        return (*self.clip_faults, f"{masked} of {notes} notes not confirmed: {'; '.join(self.note_faults)}")


def clip_of(
    samples: NDArray[np.float32],
    measured: Iterable["Measured"],
    *,
    instrument: str,
    rate_hz: int,
    frames: int,
    field_provenance: Mapping[str, str],
    masked_outputs: Sequence[str] = (),
    licences: Sequence[Licence] = (),
) -> Clip:
    """The clip of one player's sound and the notes measured in it.

    Parameters
    ----------
    samples : ndarray [frames]
        The mix of all voices.
    measured : iterable of Measured
        The notes of all voices, in any order.
    instrument : str
        Name of the profile.
    frames : int
        How long the clip should be.
    field_provenance, masked_outputs, licences
        As of a `Performance`.
    """
    from ..measuring.checks import clip_faults

    measured = sorted(measured, key=lambda one: (one.note.onset_s, one.note.offset_s))
    performance = Performance(
        (Stream(instrument, tuple(one.note for one in measured)),),
        rate_hz,
        samples.size / rate_hz,
        field_provenance=dict(field_provenance),
        masked_outputs=tuple(masked_outputs),
        licences=tuple(licences),
    )
    faults = tuple(one.fault for one in measured if one.fault)
    return Clip(samples, performance, faults, tuple(clip_faults(samples, rate_hz=rate_hz, frames=frames)))


def collect(
    render: Render,
    *,
    context: Context,
    name: str,
    count: int,
    source: str,
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
    licences: Sequence[Licence],
    batch: int = 4,
) -> Dataset:
    """Make a set of `count` clips on the run's workers, or what is left of it after a crash.

    Parameters
    ----------
    render : callable
        Of the plugin's module, at top level: ``render(job, context)`` returns ``keep(job, context, …)``.
        ``job["settings"]`` are the settings.
    context : Context
        Of the running call; its seed is that of the set.
    name : str
        What the clips' names begin with.
    count : int
        Clips in the set, >= 0.
    source, settings, versions, licences
        For the manifest: the plugin, its settings as JSON, the versions of distributions and engines, and
        the terms of the sounds.
    batch : int
        Clips of one job, >= 1: as many as are worth one start of the engine.

    Returns
    -------
    Dataset
        Its files lie in the checkpoint folder.
    """
    shared = {"name": name, "seed": context.seed, "settings": dict(settings)}
    jobs = [
        {**shared, "first": first, "count": min(batch, count - first)} for first in range(0, count, batch)
    ]
    verdicts: list[Verdict] = []
    step = max(1, ROUND // batch)
    for start in range(0, len(jobs), step):
        for kept in context.map(render, jobs[start : start + step]):
            verdicts += map(Verdict.from_json, kept)
        context.progress(len(verdicts), count, unit="clips")
    files = {
        file: context.checkpoint / file
        for verdict in verdicts
        for file in (verdict.clip.audio, verdict.clip.cont)
    }
    manifest = manifest_of(
        verdicts, source=source, versions=versions, settings=settings, seed=context.seed, licences=licences
    )
    return Dataset(files, manifest, provenance=Provenance(licences=tuple(licences)))


def keep(job: Mapping[str, Any], context: Context, make_clips: MakeClips) -> list[dict[str, Any]]:
    """Make the clips of one job, again where they are dropped, and write those that pass.

    Parameters
    ----------
    job : mapping
        As `collect` gives it.
    context : Context
        Of the job; clips lie in its checkpoint folder, and those that are there are not made again.
    make_clips : callable
        Gives a clip for each seed, in their order; draws from nothing but the seed. Lazy where that saves
        memory.

    Returns
    -------
    list of JSON
        A verdict for each clip of the job, in their order.

    Raises
    ------
    StepError
        If one clip is dropped twenty times.
    """
    indices = range(job["first"], job["first"] + job["count"])
    names = {index: f"{job['name']}-{index:05d}" for index in indices}
    verdicts = {index: read_verdict(context.checkpoint, names[index]) for index in indices}
    dropped: dict[int, tuple[DroppedClip, ...]] = dict.fromkeys(indices, ())
    for attempt in range(ATTEMPTS):
        left = [index for index in indices if verdicts[index] is None]
        seeds = [derive_seed(job["seed"], "clip", str(index), str(attempt)) for index in left]
        for index, seed, clip in zip(left, seeds, make_clips(seeds) if seeds else (), strict=True):
            if clip.faults:
                dropped[index] += (DroppedClip(index, attempt, seed, clip.faults),)
                continue
            kept = _kept(clip, context.checkpoint, names[index], index=index, attempt=attempt, seed=seed)
            verdict = verdicts[index] = Verdict(kept, dropped[index])
            write_verdict(verdict, context.checkpoint)
    return [_settled(verdicts[index], names[index], dropped[index]).to_json() for index in indices]


def _settled(verdict: Verdict | None, name: str, dropped: Sequence[DroppedClip]) -> Verdict:
    if verdict is None:
        last = "; ".join(dropped[-1].faults)
        raise StepError(f"{name}: dropped {len(dropped)} times, the last time for: {last}")
    return verdict


def _kept(clip: Clip, folder: Path, name: str, *, index: int, attempt: int, seed: int) -> KeptClip:
    """Write sound and label; the clip's entry in the manifest."""
    audio, cont = write_clip(clip.samples, clip.performance, folder, name)
    return KeptClip(
        name=name,
        index=index,
        attempt=attempt,
        seed=seed,
        split=split_of(seed),
        duration_s=clip.performance.duration_s,
        notes=len(clip.performance.notes),
        masked_notes=len(clip.note_faults),
        note_faults=clip.note_faults,
        audio=audio.name,
        cont=cont.name,
        audio_sha256=sha256_file(audio),
        cont_sha256=sha256_file(cont),
    )
