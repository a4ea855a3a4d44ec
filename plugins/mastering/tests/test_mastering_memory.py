import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_MB = 180
SCRIPT = """
from pathlib import Path

import numpy as np

from ripieno.contracts import AudioFormat
from ripieno.contracts.context import new_context
from ripieno_mastering.blend import Blend
from ripieno_mastering.filters import HighPass
from ripieno_mastering.fusion import MaskFusion
from ripieno_mastering.gate import Gate
from ripieno_mastering.trim import Trim
from ripieno_mastering.wiener import Wiener

minute = 0.1 * np.random.default_rng(0).standard_normal((2, 44100 * 60)).astype(np.float32)
with new_context().audio_writer(AudioFormat(44100, 2)) as writer:
    for _ in range(6):
        writer.write(minute)
    sound = writer.close()
del minute
for made in (
    lambda: MaskFusion().join(sound, [sound, sound]),
    lambda: Wiener().join(sound, sound),
    lambda: Blend().join(sound, sound),
    lambda: HighPass().process(sound),
    lambda: Trim().process(sound),
    lambda: Gate().process(sound),
):
    result = made()
    assert result.frames == sound.frames
    result.rows.path.unlink()
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_six_minutes_of_stereo_are_never_held(tmp_path):
    scratch = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=scratch)
    assert done.returncode == 0, done.stderr
    # One copy of the sound alone would be 127 MB, beside the 80 MB of the libraries.
    assert float(done.stdout) <= LIMIT_MB
    assert not any(tmp_path.iterdir())
