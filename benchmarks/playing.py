"""Labelled clips of instruments: how exact their labels are, and what they cost to make, change and convert.

The refiner is the one that labels are made with, now in the clip as it lies in a file; pYIN knows no label. Where a
row is of several instruments, its figure is that of the worst.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Example, Note, Performance, Stream, lower
from ripieno.contracts.performance import DYNAMICS, PITCH
from ripieno.registry import Registry

from .figures import Bar, Row
from .performances.hearing import Heard, example, hear
from .performances.kinds import BOWED, DATA, FAUST, PIANO, PLUCKED, SAMPLED, Kind, have_samples
from .performances.worker import work
from .place import Place

SEED = 20_260
CLIPS = 64
CLIP_S = 10.0
SHORT_S = 3.0
SHORT_CLIPS = 25
MANY_CLIPS = 1000
WARM_CLIPS = 100
CHAIN = ("eq", "compressor", "room", "noise", "gain")
WITH_CODEC = ("eq", "compressor", "room", "noise", "codec")
DRAWS = 60
CONVERTED = 8
MANY_NOTES = 10_000
FRAMES_HZ = 375
RUNS = 7
TRACKER_CENTS = (3.0, 15.0)

Errors = Callable[[Heard], NDArray[np.float64]]


def rows(place: Place) -> Iterator[Row]:
    """Sets of both sources, a worker's endurance, then what is done with a clip and its label."""
    sources = {"Faust": FAUST}
    if have_samples():
        sources["sampled"] = SAMPLED
    else:
        print(f"playing: no sampled libraries in {DATA / 'sfz'}, their rows are left out", file=sys.stderr)
    sets = {source: _sets(place, kinds) for source, kinds in sources.items()}
    everything = [heard for of_source in sets.values() for heard in of_source]
    yield from _pitch(everything)
    yield from _onsets(sets)
    yield from _shares(sets)
    yield from _throughput(sets)
    for source, kinds in sources.items():
        yield from _endurance(place, source, kinds)
    yield from _augmentation(everything[0])
    yield from _midi(place, everything)
    yield _lowering(everything[0])


def _sets(place: Place, kinds: tuple[Kind, ...]) -> list[Heard]:
    source = kinds[0].source
    turns, _ = work(place, source, kinds, seed=SEED, turns=1, count=CLIPS, duration_s=CLIP_S)
    return [hear(kind, turn) for kind, turn in zip(kinds, turns, strict=True)]


def _pitch(everything: Sequence[Heard]) -> Iterator[Row]:
    """Labels in the bodies of notes, by the refiner and by pYIN."""
    by_kind = {heard.kind: heard for heard in everything}
    groups = {
        "Faust": (FAUST, (0.5, 2.0)),
        "sampled plucked": ((*PLUCKED, PIANO), (2.0, 6.0)),
        "sampled violin": ((BOWED,), (3.0, 10.0)),
    }
    there = {name: group for name, group in groups.items() if by_kind.keys() >= set(group[0])}
    for tracker, name in ((t, n) for t in ("the refiner", "pYIN") for n in there):
        kinds, limits = there[name]
        errors = _refined if tracker == "the refiner" else _tracked
        for share, limit in zip((50, 95), limits if errors is _refined else TRACKER_CENTS, strict=True):
            figures = _figures([by_kind[kind] for kind in kinds], errors, share)
            piano = figures.pop(PIANO.name, None)
            yield Row(
                f"label pitch by {tracker}, {name}: {_share(share)}",
                [max(figures.values())],
                Bar(limit, "cents"),
                note=_said(figures) + ("" if piano is None else f"; piano {piano:.3g}"),
            )


def _refined(heard: Heard) -> NDArray[np.float64]:
    return heard.pitch_cents


def _tracked(heard: Heard) -> NDArray[np.float64]:
    return heard.tracked_cents


def _onsets(sets: Mapping[str, Sequence[Heard]]) -> Iterator[Row]:
    """Labels of notes after silence, against a search of the sound that begins 50 ms before."""
    for source, heard in sets.items():
        for share, limit_ms in ((50, 3), (95, 15)):
            figures = _figures(heard, lambda one: one.onset_ms, share)
            yield Row(
                f"label onset after silence, {source}: {_share(share)}",
                [max(figures.values())],
                Bar(limit_ms, "ms"),
                note=f"{_said(figures)}; {sum(one.onset_ms.size for one in heard)} notes",
            )


def _shares(sets: Mapping[str, Sequence[Heard]]) -> Iterator[Row]:
    """How many of the clips generated are accepted, and what is masked within those."""
    for source, heard in sets.items():
        counts = {one.kind.name: one.counts for one in heard}
        accepted = {name: 100 * of["clips"] / (of["clips"] + of["dropped"]) for name, of in counts.items()}
        masked = {name: 100 * of["masked_notes"] / of["notes"] for name, of in counts.items()}
        made = sum(of["clips"] + of["dropped"] for of in counts.values())
        kept = sum(of["clips"] for of in counts.values())
        notes = sum(of["notes"] for of in counts.values())
        silenced = sum(of["masked_notes"] for of in counts.values())
        yield Row(
            f"clips accepted, {source}",
            [100 * kept / made],
            Bar(95, "%", at_least=True),
            note=f"of {made}: {_said(accepted)}",
        )
        yield Row(
            f"notes masked in accepted clips, {source}",
            [100 * silenced / notes],
            Bar(2, "%"),
            note=f"of {notes}: {_said(masked)}",
        )


def _throughput(sets: Mapping[str, Sequence[Heard]]) -> Iterator[Row]:
    """Clips of ten seconds with all checks, as files; dropped ones cost time and give none."""
    for (source, heard), limit in zip(sets.items(), (40, 20), strict=False):
        cpu = {one.kind.name: one.sound_s / one.turn.cpu_s for one in heard}
        wall = {one.kind.name: one.sound_s / one.turn.wall_s for one in heard}
        yield Row(
            f"clips of 10 s made, {source}, a core",
            [min(cpu.values())],
            Bar(limit, "x real time", at_least=True),
            note=f"{_said(cpu)}; on the clock {_said(wall)}",
        )


def _endurance(place: Place, source: str, kinds: tuple[Kind, ...]) -> Iterator[Row]:
    """A thousand short clips in one process, all instruments by turns."""
    name = f"endurance-{kinds[0].source}"
    turns, peak = work(
        place,
        name,
        kinds,
        seed=SEED + 1,
        turns=MANY_CLIPS // (SHORT_CLIPS * len(kinds)),
        count=SHORT_CLIPS,
        duration_s=SHORT_S,
    )
    rmtree(Path(turns[0].folder).parent)
    resident_mb = [turn.resident_mb for turn in turns]
    few = WARM_CLIPS // SHORT_CLIPS
    growth_mb = float(np.mean(resident_mb[-few:]) - np.mean(resident_mb[few : 2 * few]))
    yield Row(
        f"memory of a worker, {source}",
        [peak.process_mb],
        Bar(1000, "MB"),
        note=f"with the programs it runs {peak.tree_mb:.0f} MB",
    )
    yield Row(
        f"memory more after {MANY_CLIPS:,} clips than after {WARM_CLIPS}, {source}",
        [growth_mb],
        Bar(20, "MB"),
        note=f"{np.mean(resident_mb[few : 2 * few]):.0f} MB, then {np.mean(resident_mb[-few:]):.0f} MB",
    )


def _augmentation(heard: Heard) -> Iterator[Row]:
    """Five augmenters in a row, each draw another; rooms are made before."""
    clip = example(heard)
    took_ms = _chain_ms(CHAIN, clip)
    with_codec_ms = _chain_ms(WITH_CODEC, clip)
    yield Row(
        "five augmentations of a clip of 10 s",
        [float(np.median(took_ms))],
        Bar(150, "ms"),
        note=f"95 % {np.percentile(took_ms, 95):.0f} ms: {', '.join(CHAIN)}; "
        f"a codec for the gain: {np.median(with_codec_ms):.0f} ms",
    )


def _chain_ms(names: Sequence[str], clip: Example) -> list[float]:
    steps = [{"augmenter": f"augmenter/{name}", "probability": 1.0} for name in names]
    chain, rng = Registry().build("augmenter/chain", {"steps": steps}), np.random.default_rng(SEED)
    took_ms = []
    for _ in range(2 * DRAWS):
        begun_s = time.perf_counter()
        chain.apply(clip, chain.draw(rng))
        took_ms.append(1e3 * (time.perf_counter() - begun_s))
    return took_ms[DRAWS:]


def _midi(place: Place, everything: Sequence[Heard]) -> Iterator[Row]:
    """Labels of all instruments, written as MPE and read again."""
    codec, path = Registry().build("codec/midi", {}), place.room("midi") / "there.mid"
    pitch_cents, onset_ms = [], []
    for performance in (one for heard in everything for one in heard.performances[:CONVERTED]):
        codec.write(performance, path)
        for note, back in zip(_ordered(performance), _ordered(codec.read(path)), strict=True):
            times_s = np.arange(max(note.onset_s, back.onset_s), min(note.offset_s, back.offset_s), 0.001)
            errors = note.envelopes[PITCH].at(times_s) - back.envelopes[PITCH].at(times_s)
            pitch_cents.append(100 * float(np.abs(errors).max(initial=0)))
            onset_ms.append(1e3 * abs(note.onset_s - back.onset_s))
    yield Row(
        ".cont, MPE MIDI and back: largest pitch error",
        [max(pitch_cents)],
        Bar(1, "cents"),
        note=f"median of notes {np.median(pitch_cents):.2g}; {len(pitch_cents)} notes, each millisecond",
    )
    yield Row(".cont, MPE MIDI and back: largest onset error", [max(onset_ms)], Bar(1, "ms"))


def _ordered(performance: Performance) -> list[Note]:
    """By onset, those at once by pitch: as MIDI keeps them, whatever their place in a file."""
    return sorted(
        performance.notes, key=lambda note: (round(note.onset_s, 3), note.envelopes[PITCH].values.mean())
    )


def _lowering(heard: Heard) -> Row:
    """Real labels one after the other, until there are as many as asked for."""
    notes: list[Note] = []
    for played in count():
        performance = heard.performances[played % len(heard.performances)]
        notes += [note.retimed(partial(np.add, played * CLIP_S)) for note in performance.notes]
        if len(notes) >= MANY_NOTES:
            break
    stream = Stream(heard.kind.instrument, tuple(notes[:MANY_NOTES]))
    frames = int(notes[MANY_NOTES - 1].offset_s * FRAMES_HZ)
    channels = sorted({name for note in stream.notes for name in note.envelopes})
    took_s = {
        names: [_lowered_s(stream, names, frames) for _ in range(RUNS)]
        for names in ((PITCH, DYNAMICS), tuple(channels))
    }
    pair_s, all_s = took_s.values()
    return Row(
        f"{MANY_NOTES:,} notes lowered at {FRAMES_HZ} Hz",
        pair_s,
        Bar(0.2, "s"),
        note=f"pitch and dynamics, {frames:,} frames; all {len(channels)} channels {np.median(all_s):.2g} s",
    )


def _lowered_s(stream: Stream, channels: tuple[str, ...], frames: int) -> float:
    begun_s = time.perf_counter()
    lower(stream, rate_hz=FRAMES_HZ, channels=channels, frames=frames)
    return time.perf_counter() - begun_s


def _figures(heard: Sequence[Heard], errors: Errors, share: float) -> dict[str, float]:
    return {one.kind.name: float(np.percentile(np.abs(errors(one)), share)) for one in heard}


def _share(share: float) -> str:
    return "median" if share == 50 else f"{share} %"


def _said(figures: Mapping[str, float]) -> str:
    """Each instrument's figure; one by itself says nothing that the row does not."""
    if len(figures) == 1:
        return ""
    return ", ".join(f"{name} {round(value, 4):.3g}" for name, value in figures.items())
