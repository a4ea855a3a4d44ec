"""Beats as they are played: what a hop costs, what an hour leaves behind, and how right the clock is.

The original, BeatNet 1.1.3, hears the same sound in the same run: online by its particle filter, seeded anew for
each clip, and offline by its decoder. Where it cannot be installed, the figures recorded for it are shown.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import mean
from typing import Any

import mir_eval
import numpy as np
import soundfile

from ripieno.contracts import AudioFormat, Beats, Chunk, Session, Tracked, run_offline
from ripieno.registry import Registry

from .beats.clips import Clip, twelve
from .figures import Bar, Row, spread
from .original import Original
from .place import Place
from .processes import measure

RATE_HZ = 22050
HOP = 441
HOPS = 9000
SONG_S = 180
HOUR_S = 3600
CONFIDENT = 0.5
PIPELINE = """ripieno: 1
name: song
inputs:
  song: {kind: audio, path: song.ogg}
steps:
  beats: {uses: beat_tracker/beatnet, in: {audio: song}}
outputs:
  beats: song.beats
"""


@dataclass(frozen=True)
class Heard:
    """A clip, and what the tracker made of it as it was played."""

    clip: Clip
    tracked: Tracked
    scores: Mapping[str, float]


def rows(place: Place) -> Iterator[Row]:
    """Cost, endurance, speed offline, then how right the beats are."""
    tracker = Registry().build("beat_tracker/beatnet", {})
    clips = twelve()
    session, fresh = (tracker.stream({"audio": AudioFormat(RATE_HZ, 1)}) for _ in range(2))
    original = Original(place.room("original"), clips)
    yield from _hops(session, clips, original)
    yield from _hour(session, fresh, clips)
    yield from _song(place, clips, original)
    yield from _right([_heard(tracker, clip) for clip in clips], original)


def _hops(session: Session, clips: tuple[Clip, ...], original: Original) -> Iterator[Row]:
    """Features, network, cues and decoder of each hop, one after the other in one thread."""
    sound = _looped(clips, HOPS * HOP / RATE_HZ)
    costs_ms = 1e3 * _costs_s(session, sound)
    theirs_ms = cache(lambda: original.hops_ms(sound))
    yield Row(
        "a hop of 20 ms, mean",
        [float(costs_ms.mean())],
        Bar(0.25, "ms"),
        peers=original.beside(lambda: f"{theirs_ms().mean():.2f} ms", recorded="1.30 ms"),
    )
    worst = f"largest of {len(costs_ms)}: {costs_ms.max():.2f} ms"
    yield Row(
        "a hop of 20 ms, 99th percentile",
        [float(np.percentile(costs_ms, 99))],
        Bar(1, "ms"),
        note=worst,
        peers=original.beside(lambda: f"{np.percentile(theirs_ms(), 99):.1f} ms", recorded="> 10 ms"),
    )


def _hour(session: Session, fresh: Session, clips: tuple[Clip, ...]) -> Iterator[Row]:
    """An hour of music through one session; its last minutes by turns with the first ones of another."""
    session.reset()
    minute = _looped(clips, 60.0)
    _costs_s(session, minute)
    before_mb = _resident_mb()
    for done in range(1, HOUR_S // 60):
        _costs_s(session, minute, from_s=60.0 * done)
    growth_mb = _resident_mb() - before_mb
    yield Row("after an hour of audio: memory more", [growth_mb], Bar(5, "MB"))
    turns = [
        (_costs_s(session, minute, from_s=HOUR_S + 60.0 * turn), _costs_s(fresh, minute, from_s=60.0 * turn))
        for turn in range(5)
    ]
    aged_s, fresh_s = np.median(np.concatenate(turns, axis=1), axis=1)
    yield Row(
        "after an hour of audio: slower by",
        [float(100 * (aged_s / fresh_s - 1))],
        Bar(5, "%"),
        note="beside a new session, minute by minute",
        peers="BeatNet, recorded: x 4 in 10 minutes",
    )


def _song(place: Place, clips: tuple[Clip, ...], original: Original) -> Iterator[Row]:
    """A song of three minutes, stereo at 44.1 kHz in Ogg Vorbis, from the file to its beats."""
    folder = place.room("rhythm")
    rate_hz = clips[0].audio.rate_hz
    sound = _looped(clips, float(SONG_S), rate_hz=rate_hz)
    with soundfile.SoundFile(folder / "song.ogg", "w", rate_hz, 2) as file:
        # Second by second: libvorbis overflows its stack on a long block.
        for second in np.split(np.column_stack([sound, sound]), SONG_S):
            file.write(second)
    registry = Registry()
    codec = registry.build(registry.codec("audio", ".ogg"), {})
    mono = registry.build("effect/downmix", {"channels": 1})
    resample = registry.build("effect/resample", {"rate_hz": RATE_HZ, "streaming": True})
    tracker = registry.build("beat_tracker/beatnet", {})
    times_real = []
    for _ in range(3):
        begun_s = time.perf_counter()
        tracker.track(resample.process(mono.process(codec.read(folder / "song.ogg"))))
        times_real.append(SONG_S / (time.perf_counter() - begun_s))
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    command = place.core("run", "pipeline.yaml", "--quiet", folder=folder, site=place.noop)
    whole_s = measure(command).wall_s
    yield Row(
        "a song of three minutes, decoded, resampled, tracked",
        times_real,
        Bar(100, "x real time", at_least=True),
        note=f"`core run` from start to end: {whole_s:.1f} s",
        peers=original.beside(
            lambda: f"{SONG_S / original.song_s(folder / 'song.ogg'):.0f} x", recorded="6 to 30 x"
        ),
    )


def _right(heard: list[Heard], original: Original) -> Iterator[Row]:
    """What was known as the music went on, never corrected afterwards."""
    by_name = {one.clip.name: one.scores for one in heard}

    def theirs(figure: Callable[[Clip, Beats], float], *names: str, recorded: str = "") -> str:
        asked = [one.clip for one in heard if one.clip.name in (names or by_name)]
        return original.beside(
            lambda: ", offline ".join(
                spread([mean(figure(clip, found[clip.name]) for clip in asked)])
                for found in (original.online, original.offline)
            ),
            recorded=recorded,
        )

    def row(what: str, score: str, limit: float, *names: str, recorded: str = "") -> Row:
        values = {name: by_name[name][score] for name in names or by_name}
        return Row(
            what,
            [mean(values.values())],
            Bar(limit, "", at_least=True),
            note="" if names else ", ".join(f"{name} {value:.2f}" for name, value in values.items()),
            peers=theirs(lambda clip, beats: _scores(clip.beats, beats)[score], *names, recorded=recorded),
        )

    yield row("twelve clips: beat F", "beat", 0.92, recorded="0.705, offline 0.880, on six like them")
    yield row("twelve clips: AMLt", "amlt", 0.92)
    yield row("twelve clips: downbeat F", "downbeat", 0.78, recorded="0.416, offline 0.680, on six like them")
    yield row("ramp 90 to 140: beat F", "beat", 0.97, "ramp_90_140")
    yield row("3/4 at 140: downbeat F", "downbeat", 0.9, "three_four_140")
    drums = next(one for one in heard if one.clip.name == "drums_120")
    yield Row(
        "first confident beat of drums at 120", [_first_confident_s(drums.tracked.beats)], Bar(2.5, "s")
    )
    breaks = next(one for one in heard if one.clip.breaks_s)
    yield Row(
        "breaks of four beats: furthest beat",
        [_off_in_breaks_ms(breaks.clip, breaks.tracked.beats)],
        Bar(40, "ms"),
        peers=theirs(_off_in_breaks_ms, breaks.clip.name, recorded="none given"),
    )


def _heard(tracker: Any, clip: Clip) -> Heard:
    resample = Registry().build("effect/resample", {"rate_hz": RATE_HZ, "streaming": True})
    audio = resample.process(clip.audio)
    session = tracker.stream({"audio": audio.format})
    tracked = Tracked.from_chunks(run_offline(session, audio, block=HOP), session.format)
    return Heard(clip, tracked, _scores(clip.beats, tracked.beats))


def _scores(truth: Beats, found: Beats) -> dict[str, float]:
    """Scores from five seconds on, as is usual for beats."""
    reference, estimated = map(mir_eval.beat.trim_beats, (truth.times_s, found.times_s))
    return {
        "beat": mir_eval.beat.f_measure(reference, estimated),
        "amlt": mir_eval.beat.continuity(reference, estimated)[3],
        "downbeat": mir_eval.beat.f_measure(
            mir_eval.beat.trim_beats(truth.downbeats_s), mir_eval.beat.trim_beats(found.downbeats_s)
        ),
    }


def _first_confident_s(beats: Beats) -> float:
    """When the first confident beat was known, from the first sound on."""
    known_s = beats.known_s[beats.confidence >= CONFIDENT]
    return float(known_s[0]) if len(known_s) else float("inf")


def _off_in_breaks_ms(clip: Clip, found: Beats) -> float:
    """How far the nearest beat found lies from a beat that nobody played, at most."""
    times_s = clip.beats.times_s
    silent = [
        time_s
        for start_s, end_s in clip.breaks_s
        for time_s in times_s[(times_s >= start_s - 1e-6) & (times_s < end_s - 1e-6)]
    ]
    return max(1e3 * float(np.abs(found.times_s - time_s).min(initial=np.inf)) for time_s in silent)


def _costs_s(session: Session, sound: np.ndarray, *, from_s: float = 0.0) -> np.ndarray:
    """Seconds that the session takes for each hop of sound [frames]."""
    costs_s = np.empty(len(sound) // HOP)
    before = round(from_s * RATE_HZ)
    for index in range(len(costs_s)):
        block = sound[None, index * HOP : (index + 1) * HOP]
        until_s = (before + (index + 1) * HOP) / RATE_HZ
        begun_s = time.perf_counter()
        session.push(audio=Chunk(until_s, block))
        costs_s[index] = time.perf_counter() - begun_s
    return costs_s


def _looped(clips: tuple[Clip, ...], seconds: float, *, rate_hz: int = RATE_HZ) -> np.ndarray:
    """The clips one after the other, again and again, float32 [frames]."""
    resample = Registry().build("effect/resample", {"rate_hz": rate_hz, "streaming": True})
    medley = np.concatenate([resample.process(clip.audio).samples[0] for clip in clips])
    return np.resize(medley, round(seconds * rate_hz))


def _resident_mb() -> float:
    """Anonymous pages of this process."""
    with open(f"/proc/{os.getpid()}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024 / 1e6
