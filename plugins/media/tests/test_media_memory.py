import subprocess
import sys
from pathlib import Path

import ffmpeg
import pytest

from ripieno.toolkit.ffmpeg import file_url, run

LIMIT_MB = 300
SCRIPT = """
import sys
from pathlib import Path
from ripieno_media.adapters import Resample, ResampleConfig
from ripieno_media.codecs import AudioFile
from ripieno_media.loudness import Loudness

source, target = map(Path, sys.argv[1:])
effects = {
    "loudness": Loudness(),
    "soxr": Resample(ResampleConfig(rate_hz=44100, streaming=False)),
}
audio = AudioFile().read(source)
for name in target.stem.split("-"):
    audio = effects[name].process(audio)
AudioFile().write(audio, target)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(audio.frames, int(status["VmHWM"].split()[0]) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(
    ("source", "target", "rate_hz"),
    [("sound.m4a", "loudness.flac", 48000), ("sound.flac", "soxr.m4a", 44100)],
)
def test_a_quarter_of_an_hour_of_stereo_is_never_held(tmp_path, source, target, rate_hz):
    tone = ffmpeg.input("sine=f=440:r=48000:d=900", format="lavfi")
    run(ffmpeg.compile(tone.output(file_url(tmp_path / source), ac=2)))
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / source), str(tmp_path / target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    frames, peak_mb = map(float, done.stdout.split())
    assert frames == pytest.approx(900 * rate_hz, abs=2400)
    assert peak_mb <= LIMIT_MB
