"""Scores the forward decoder on songs with known beats, and searches for better numbers.

``python plugins/beat-decoders/tune.py FOLDER`` prints a table for a folder of WAV files, each beside a
``.beats`` file of its name; ``--search MINUTES`` then changes the decoder's numbers at random, a few at a
time, keeps what scores better, and prints them. Activations and cues are made once, by ripieno-beatnet,
and kept as .npz in the folder ``.tune`` beside the songs.

Scores are mir_eval's, beats before 5 s left out: F at 70 ms, CMLt and AMLt, F of downbeats, and the median
time from the true beat to the found one.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import mir_eval
import numpy as np
import soundfile
import soxr

from ripieno.contracts import Activations, Audio, Beats, Chunk, Features, Tracked
from ripieno_beat_decoders.bar_filter import FilterConstants
from ripieno_beat_decoders.forward import BarPointerConfig, BarPointerSession
from ripieno_beat_decoders.readout import ReadoutConstants

Numbers = Mapping[str, float]

RANGES = {
    "expected_bpm": (95, 140),
    "tempo_spread": (0.25, 1.0),
    "stiffness": (20, 200),
    "downbeat_weight": (0.1, 0.6),
    "harmony_weight": (0.2, 1.0),
    "bass_weight": (0.3, 1.3),
    "floor": (0.005, 0.2),
    "contrast": (0.0, 1.5),
    "power": (0.2, 1.2),
    "level": (0.0, 1.0),
    "peak_s": (1, 8),
    "pulse_s": (0.35, 1.0),
    "tempo_pull": (0, 4),
    "octave_jump": (1e-9, 1e-3),
    "restart_s": (1e2, 1e5),
    "slip": (1e-4, 0.03),
    "mode_octaves": (0.05, 0.25),
    "loyalty": (1.0, 4.0),
    "least_gap": (0.45, 0.7),
}
"""What is searched; bounds a hundred times apart or more are searched by their logarithm."""
WEIGHTS = {"F": 1.0, "CMLt": 0.3, "AMLt": 0.4, "downbeat F": 0.4}


@dataclass(frozen=True)
class Song:
    """What the decoder hears of a song, and its true beats."""

    name: str
    activations: Activations
    cues: Features
    truth: Beats


def main() -> None:
    """Score, then search as long as is asked for."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--numbers", type=json.loads, default={}, help='other numbers: {"stiffness": 60}')
    parser.add_argument("--no-cues", action="store_true", help="activations alone")
    parser.add_argument("--search", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=0, help="of the search (0)")
    asked = parser.parse_args()
    songs = list(songs_of(asked.folder))
    report = [(song.name, scores(song, asked.numbers, cues=not asked.no_cues)) for song in songs]
    for name, row in report:
        print(f"{name:28s}", *(f"{key} {value:6.3f}" for key, value in row.items()))
    print(f"{'mean':28s}", *(f"{key} {np.mean([row[key] for _, row in report]):6.3f}" for key in WEIGHTS))
    if asked.search:
        search(songs, asked.numbers, minutes=asked.search, rng=np.random.default_rng(asked.seed))


def search(songs: list[Song], numbers: Numbers, *, minutes: float, rng: np.random.Generator) -> None:
    """Print every set of numbers that scores better than those before."""
    best, best_score = {**defaults(), **numbers}, overall(songs, numbers)
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        changed = {**best, **dict(changes(best, rng))}
        score = overall(songs, changed)
        if score > best_score:
            best, best_score = changed, score
            print(
                f"{score:.4f}", json.dumps({key: round(value, 9) for key, value in best.items()}), flush=True
            )


def defaults() -> dict[str, float]:
    """The numbers as they are."""
    every = BarPointerConfig().model_dump() | asdict(FilterConstants()) | asdict(ReadoutConstants())
    return {key: float(every[key]) for key in RANGES}


def changes(numbers: Numbers, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """A few of the numbers, moved within their ranges."""
    for key in rng.choice(list(RANGES), rng.integers(1, 4), replace=False):
        low, high = RANGES[key]
        step = rng.normal(0, rng.choice([0.05, 0.15]))
        if low > 0 and high / low >= 100:
            moved = np.exp(np.log(numbers[key]) + step * np.log(high / low))
        else:
            moved = numbers[key] + step * (high - low)
        yield str(key), float(np.clip(moved, low, high))


def overall(songs: list[Song], numbers: Numbers) -> float:
    """Mean over songs of the weighted sum of scores."""
    rows = [scores(song, numbers) for song in songs]
    return float(np.mean([sum(weight * row[key] for key, weight in WEIGHTS.items()) for row in rows]))


def scores(song: Song, numbers: Numbers, *, cues: bool = True) -> dict[str, float]:
    """Of one song."""
    beats = decode(song, numbers, cues=cues).beats
    series = (song.truth.times_s, beats.times_s, song.truth.downbeats_s, beats.downbeats_s)
    truth_s, found_s, true_downbeats_s, downbeats_s = map(mir_eval.beat.trim_beats, series)
    _, cmlt, _, amlt = mir_eval.beat.continuity(truth_s, found_s)
    return {
        "F": mir_eval.beat.f_measure(truth_s, found_s),
        "CMLt": cmlt,
        "AMLt": amlt,
        "downbeat F": mir_eval.beat.f_measure(true_downbeats_s, downbeats_s),
        "late ms": 1000 * median_late_s(truth_s, found_s),
    }


def median_late_s(truth_s: np.ndarray, found_s: np.ndarray) -> float:
    """From true beats to those found within 70 ms of them."""
    if not (len(truth_s) and len(found_s)):
        return 0.0
    late_s = found_s - truth_s[np.abs(found_s[:, None] - truth_s).argmin(axis=1)]
    near_s = late_s[np.abs(late_s) <= 0.07]
    return float(np.median(near_s)) if len(near_s) else 0.0


def decode(song: Song, numbers: Numbers, *, cues: bool) -> Tracked:
    """The session run over a song, with some numbers changed."""
    config = BarPointerConfig(
        **{key: numbers[key] for key in BarPointerConfig.model_fields if key in numbers}
    )
    constants, readout = (
        kind(**{field.name: numbers[field.name] for field in fields(kind) if field.name in numbers})
        for kind in (FilterConstants, ReadoutConstants)
    )
    session = BarPointerSession(
        config,
        song.activations.format,
        song.cues.format if cues else None,
        constants=constants,
        readout=readout,
    )
    end_s = len(song.cues.values) / song.cues.rate_hz
    ports = {"activations": Chunk(end_s, song.activations.rows), "cues": Chunk(end_s, song.cues.rows)}
    return Tracked.from_chunks([session.push(**ports), session.flush()], session.format)


def songs_of(folder: Path) -> Iterator[Song]:
    """Every song with beats in the folder."""
    for path in sorted(folder.glob("*.beats")):
        times_s, positions = np.loadtxt(path, ndmin=2).T
        activations, cues = heard(path.with_suffix(".wav"))
        yield Song(path.stem, activations, cues, Beats(times_s, positions=positions))


def heard(path: Path) -> tuple[Activations, Features]:
    """Activations and cues of a recording, made once."""
    kept = path.parent / ".tune" / f"{path.stem}.npz"
    if not kept.exists():
        activations, cues = listened(path)
        kept.parent.mkdir(exist_ok=True)
        np.savez(kept, activations=activations.rows, cues=cues.rows, names=cues.names, rate_hz=cues.rate_hz)
    with np.load(kept) as arrays:
        beat, downbeat = arrays["activations"].T
        rate_hz = float(arrays["rate_hz"])
        cues = Features(arrays["cues"], tuple(map(str, arrays["names"])), rate_hz)
        return Activations({"beat": beat, "downbeat": downbeat}, rate_hz), cues


def listened(path: Path) -> tuple[Activations, Features]:
    """Activations and cues of a recording, by BeatNet's network."""
    from ripieno_beatnet.tracker import BeatNetConfig, listen

    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate_hz, 22_050)
    activations, cues = listen(Audio(mono[None], 22_050), BeatNetConfig())
    assert cues is not None
    return activations, cues


if __name__ == "__main__":
    main()
