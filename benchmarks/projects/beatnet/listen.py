"""Runs BeatNet, unchanged, in an environment of its own; prints what it found as JSON.

``listen.py beats MODE DECODER WAV …`` the beats of each file, ``listen.py hops WAV`` the seconds of each hop,
``listen.py song FILE`` the seconds that a whole file takes.
"""

import collections
import collections.abc
import contextlib
import json
import sys
import time
from types import ModuleType

# madmom looks for it where it lay before Python 3.10.
collections.MutableSequence = collections.abc.MutableSequence
# Imported at once but for the microphone and for plots only.
for absent in ("pyaudio", "matplotlib", "matplotlib.pyplot"):
    sys.modules[absent] = ModuleType(absent)

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
from BeatNet.BeatNet import BeatNet  # noqa: E402

WEIGHTS = 1
SEED = 1


def main(task, *arguments):
    """Do one of the tasks in one thread; what BeatNet itself prints goes to standard error."""
    torch.set_num_threads(1)
    with contextlib.redirect_stdout(sys.stderr):
        found = {"beats": beats, "hops": hops_s, "song": song_s}[task](*arguments)
    json.dump(found, sys.stdout)


def beats(mode, decoder, *paths):
    """Rows (time, 1 = downbeat) of each file."""
    return [_made(mode, decoder).process(path).tolist() for path in paths]


def hops_s(path):
    """Seconds from hop to hop of its loop over a file."""
    tracker = _made("realtime", "PF")
    extract, begun_s = tracker.activation_extractor_realtime, []

    def timed(sound):
        begun_s.append(time.perf_counter())
        extract(sound)

    tracker.activation_extractor_realtime = timed
    tracker.process(soundfile.read(path, dtype="float32")[0])
    return np.diff(begun_s).tolist()


def song_s(path):
    """Seconds from a file to its beats, found offline."""
    tracker = _made("offline", "DBN")
    begun_s = time.perf_counter()
    tracker.process(path)
    return time.perf_counter() - begun_s


def _made(mode, decoder):
    """A new tracker for each file, because its network keeps its state from one to the next."""
    # Its filter draws from numpy's global generator.
    np.random.seed(SEED)
    return BeatNet(WEIGHTS, mode=mode, inference_model=decoder, plot=[], thread=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
