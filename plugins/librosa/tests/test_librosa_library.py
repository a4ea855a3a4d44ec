import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

TRACK = """
import numpy as np
from ripieno.contracts import Audio
from ripieno_librosa.beats import LibrosaBeats
noise = np.random.default_rng(0).standard_normal(44100).astype(np.float32)
print(len(LibrosaBeats().track(Audio(noise, 22050)).beats.times_s))
"""


def started(cache: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    return subprocess.Popen([sys.executable, "-c", TRACK], env=environment, stdout=subprocess.PIPE, text=True)


def compiled(cache: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*.nbc")}


@pytest.mark.slow
def test_processes_that_start_together_compile_once(tmp_path):
    first = started(tmp_path)
    while not compiled(tmp_path):
        assert first.poll() is None
        time.sleep(0.05)
    second = started(tmp_path)
    counts = first.communicate()[0]
    once = compiled(tmp_path)
    assert second.communicate()[0] == counts
    assert (first.returncode, second.returncode) == (0, 0)
    assert compiled(tmp_path) == once
