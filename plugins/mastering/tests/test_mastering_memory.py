import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_MB = 250
SCRIPT = """
import sys
from pathlib import Path

import numpy as np

from ripieno.contracts import AudioFormat, AudioWriter
from ripieno_mastering.filters import HighPass
from ripieno_mastering.fusion import MaskFusion
from ripieno_mastering.wiener import Wiener

minute = 0.1 * np.random.default_rng(0).standard_normal((2, 44100 * 60)).astype(np.float32)
with AudioWriter(Path(sys.argv[1]), AudioFormat(44100, 2)) as writer:
    for _ in range(15):
        writer.write(minute)
    sound = writer.close()
del minute
result = HighPass().process(Wiener().join(sound, MaskFusion().join(sound, [sound, sound])))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(result.frames, int(status["VmHWM"].split()[0]) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_quarter_of_an_hour_of_stereo_is_never_held(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "sound.f32")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    frames, peak_mb = map(float, done.stdout.split())
    assert frames == 15 * 60 * 44100
    assert peak_mb <= LIMIT_MB
