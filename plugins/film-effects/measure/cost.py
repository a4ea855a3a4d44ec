"""What each effect costs: ``python plugins/film-effects/measure/cost.py [WIDTH HEIGHT]``.

Milliseconds of processor time for a frame on one core, frame by frame as a film has them; the best of some
runs, since other work on the machine can only add to it.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import FrameEffect
from ripieno.contracts.context import new_context, use_context
from ripieno_film_effects.chroma_shift import ChromaShift, ChromaShiftConfig
from ripieno_film_effects.grain import Grain, GrainConfig
from ripieno_film_effects.lut import Lut, LutConfig
from ripieno_film_effects.title import Title, TitleConfig
from ripieno_film_effects.tone import Tone, ToneConfig
from ripieno_film_effects.trails import Trails, TrailsConfig
from ripieno_film_effects.vignette import Vignette, VignetteConfig

# As many as a segment of a film has about.
FRAMES = 100
DEFAULT: tuple[FrameEffect[Any], ...] = (
    Vignette(VignetteConfig(strength=0.25)),
    Grain(GrainConfig(strength=0.15)),
)
"""What the default preset asks for."""
WARM: tuple[FrameEffect[Any], ...] = (
    Tone(ToneConfig(curve="filmlog", strength=0.5)),
    ChromaShift(ChromaShiftConfig(shift=2)),
    *DEFAULT,
)
"""About what the livelier presets ask for beside trails."""


def main() -> None:
    """Print the table."""
    size = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else (1920, 1080)
    print(f"{size[0]} x {size[1]}, ms of processor time per frame, one core")
    for name, cost_ms in costs(size).items():
        print(f"  {name:<22}{cost_ms:6.2f}")


def costs(size: tuple[int, int] = (1920, 1080)) -> Mapping[str, float]:
    """Milliseconds a frame by effect, and of some one after the other."""
    with TemporaryDirectory() as folder:
        table = Path(folder) / "warm.cube"
        table.write_text(_cube(33), encoding="utf-8")
        alone: dict[str, Sequence[FrameEffect[Any]]] = {
            "tone": [Tone(ToneConfig(curve="filmlog"))],
            "tone with saturation": [Tone(ToneConfig(curve="filmlog", saturation=1.1))],
            "lut 3D": [Lut(LutConfig(path=table))],
            "chroma_shift": [ChromaShift(ChromaShiftConfig(shift=2.5))],
            "trails of 8 frames": [Trails(TrailsConfig(strength=0.6))],
            "vignette": [Vignette(VignetteConfig(strength=0.3))],
            "grain": [Grain(GrainConfig(strength=0.12))],
            "title": [Title(TitleConfig(title="Aurora", artist="Ripieno", length_s=1e3, start_s=0))],
            "default preset": DEFAULT,
            "with tone and shift": WARM,
        }
        with use_context(new_context()):
            return {name: _cost_ms(effects, size) for name, effects in alone.items()}


def _cost_ms(effects: Sequence[FrameEffect[Any]], size: tuple[int, int], *, runs: int = 5) -> float:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (size[1] // 8 + 1, size[0] // 8 + 1, 3), np.uint8)
    frame = small.repeat(8, axis=0).repeat(8, axis=1)[: size[1], : size[0]].copy()

    def run() -> None:
        made: Iterator[NDArray[np.uint8]] = repeat(frame, FRAMES)
        for effect in effects:
            made = _through(effect, made)
        for _ in made:
            pass

    run()
    return min(_timed_ms(run) for _ in range(runs)) / FRAMES


def _through(effect: FrameEffect[Any], frames: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    if isinstance(effect, Trails):
        yield from effect.follow(frames, 10.0)
    for frame in frames:
        yield effect.apply(frame[None], 10.0)[0]


def _timed_ms(run: Callable[[], None]) -> float:
    begin = time.process_time()
    run()
    return 1e3 * (time.process_time() - begin)


def _cube(size: int) -> str:
    axis = np.linspace(0, 1, size)
    rows = [(r**0.9, g, b**1.1) for b in axis for g in axis for r in axis]
    return f"LUT_3D_SIZE {size}\n" + "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in rows)


if __name__ == "__main__":
    main()
