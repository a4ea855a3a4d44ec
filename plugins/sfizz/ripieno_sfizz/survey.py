"""What a map says of a library's samples, measured: tuning, levels by velocity, the gain that fits.

Conventions
-----------
Each sample is played once, at full velocity, by the key nearest to the middle of those that play it; its
tuning is the median over what of its body repeats itself, NaN-free: a sample in which no pitch is found has
no entry, and notes that it plays are taken to sound as their keys say.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import SampledTechnique, SampleLibrary

from .engine import RATE_HZ, Engine, Press
from .sfz import Region, Sfz
from .staging import TURNS, stage, takes_turn

VELOCITIES = (1, 16, 32, 48, 64, 80, 96, 112, 127)
HEADROOM_DB = 2.0

_HOLD_S, _RING_S = 1.0, 0.2
_BODY_S = (0.06, 0.9)
_STEP_S = 0.02
_KEYS_OF_LEVELS = 9


@dataclass(frozen=True)
class Survey:
    """What was measured."""

    gain_db: float
    velocity_db: Mapping[int, float]
    tuning_cents: Mapping[str, float]
    sha256: Mapping[str, str]


def survey(library: SampleLibrary, sfz: Sfz, scratch: Path) -> Survey:
    """Measure a library.

    Parameters
    ----------
    library : SampleLibrary
        Its map; the measured parts may be missing.
    sfz : Sfz
        The file that the map names.
    scratch : Path
        An empty folder.
    """
    staged = stage(sfz, scratch)
    engine = Engine(staged.path, turn_controllers=staged.turn_controllers, scratch=scratch)
    played = list(_samples(library, sfz))
    sounds = list(engine.render([press for _, press in played]))
    peak_db = 20 * np.log10(max(float(np.abs(sound).max()) for sound in sounds))
    folder = sfz.path.parent
    return Survey(
        gain_db=floor(-HEADROOM_DB - peak_db),
        velocity_db=_levels(library, engine),
        tuning_cents=dict(sorted(_tuning(played, sounds, folder))),
        sha256=dict(sorted(digests(sfz))),
    )


def digests(sfz: Sfz) -> Iterator[tuple[str, str]]:
    """SHA-256 of every file that is read, by its name in the library's folder."""
    texts = {opcode.place.file for header in sfz.headers for opcode in header.opcodes}
    samples = {region.sample for region in sfz.regions if region.sample}
    for path in sorted(texts | samples | {sfz.path}):
        yield path.relative_to(sfz.path.parent).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def _samples(library: SampleLibrary, sfz: Sfz) -> Iterator[tuple[Path, Press]]:
    """One press for each sample that the techniques of the map can play."""
    seen = set()
    for technique in library.techniques:
        for region in sfz.regions:
            press = _press_of(region, technique)
            if press is not None and region.sample is not None and region.sample not in seen:
                seen.add(region.sample)
                yield region.sample, press


def _press_of(region: Region, technique: SampledTechnique) -> Press | None:
    keys = range(technique.lowest_key, technique.highest_key + 1)
    played = [key for key in region.keys if key in keys]
    if not played or not region.is_attack or not region.switched_on(technique.key_switch):
        return None
    turn = next((turn for turn in range(TURNS) if takes_turn(region, turn)), 0)
    return _press(played[len(played) // 2], max(region.velocities), technique, turn=turn)


def _press(key: int, velocity: int, technique: SampledTechnique, *, turn: int = 0) -> Press:
    hold, ring = round(_HOLD_S * RATE_HZ), round(_RING_S * RATE_HZ)
    return Press(key, velocity, hold, ring, key_switch=technique.key_switch, turn=turn)


def _tuning(
    played: Sequence[tuple[Path, Press]], sounds: Sequence[NDArray[np.float32]], folder: Path
) -> Iterator[tuple[str, float]]:
    for (sample, press), sound in zip(played, sounds, strict=True):
        cents = cents_off(sound, press.key)
        if cents is not None:
            yield sample.relative_to(folder).as_posix(), round(cents, 1)


def cents_off(sound: NDArray[np.float32], key: int) -> float | None:
    """How far a held note sounds above its key, in the median; None where no pitch is found."""
    from ripieno.toolkit.measuring.refine import refine_pitch

    times_s = np.arange(*_BODY_S, _STEP_S)
    refined = refine_pitch(sound, times_s, np.full(times_s.size, float(key)), rate_hz=RATE_HZ)
    if refined.is_confirmed.sum() < 3:
        return None
    return float(np.median(100 * (refined.pitch_midi[refined.is_confirmed] - key)))


def _levels(library: SampleLibrary, engine: Engine) -> dict[int, float]:
    """Level by velocity against that of the greatest, the median over keys of the first technique."""
    technique = library.techniques[0]
    keys = np.linspace(technique.lowest_key, technique.highest_key, _KEYS_OF_LEVELS).round().astype(int)
    presses = [_press(int(key), velocity, technique) for key in keys for velocity in VELOCITIES]
    levels = np.array([_level_db(sound) for sound in engine.render(presses)])
    table = levels.reshape(keys.size, len(VELOCITIES))
    relative = np.median(table - table[:, -1:], axis=0)
    return {velocity: round(float(db), 1) for velocity, db in zip(VELOCITIES, relative, strict=True)}


def _level_db(sound: NDArray[np.float32]) -> float:
    return 10 * float(np.log10(np.mean(np.square(sound[: RATE_HZ // 2], dtype=np.float64)) + 1e-12))
