"""A data source of sines, for the tests of pairs; run as a program it is killed while it writes.

    python sines.py FOLDER COUNT NUMBER

makes COUNT clips in FOLDER, and dies by a signal just before it gives the NUMBER-th file its name.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np

from ripieno.contracts import Context, Envelope, Licence, Note, Performance, Stream
from ripieno.toolkit.pairs.clips import Clip, collect, keep

RATE_HZ = 8000
LICENCE = Licence("CC0-1.0", "nobody", True, "here")


def make_clip(seed, settings):
    """A second of four notes; dropped where the seed says so."""
    rng = np.random.default_rng(seed)
    pitches = rng.integers(40, 80, 4) + rng.normal(0, 0.05, 4)
    bounds_s = np.arange(5) / 4
    notes = tuple(
        Note(start_s, end_s, "sustained", "arco", {"pitch_midi": Envelope([start_s], [pitch])})
        for start_s, end_s, pitch in zip(bounds_s[:-1], bounds_s[1:], pitches, strict=True)
    )
    time_s = np.arange(RATE_HZ) / RATE_HZ
    hz = 440 * 2 ** ((np.repeat(pitches, RATE_HZ // 4) - 69) / 12)
    samples = (0.5 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)
    performance = Performance((Stream("violin", notes),), RATE_HZ, 1.0, licences=(LICENCE,))
    return Clip(samples, performance, clip_faults=("clicks",) * (rng.random() < settings["dropped"]))


def render(job, context):
    """Of `collect`."""
    return keep(job, context, lambda seeds: (make_clip(seed, job["settings"]) for seed in seeds))


def generate(context, *, count, dropped=0.3, batch=2, name="sine"):
    """The set."""
    return collect(
        render,
        context=context,
        name=name,
        count=count,
        source="data_source/sines",
        settings={"dropped": dropped},
        versions={"sines": "1.0"},
        licences=[LICENCE],
        batch=batch,
    )


def die_before(number):
    """Kill this process when it gives the `number`-th file its name."""
    replace, left = os.replace, number

    def replace_or_die(part, path):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        replace(part, path)

    os.replace = replace_or_die


if __name__ == "__main__":
    folder, count, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    die_before(number)
    generate(Context(folder, folder, seed=7), count=count)
