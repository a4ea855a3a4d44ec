"""The example of training, at its smallest: data made, a network trained, and heard."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples" / "train-speech-mask"
SMALLEST = {
    "spoken.count": 24,
    "arranged.count": 24,
    "network.steps": 4,
    "network.epoch": 2,
    "network.batch": 2,
    "network.clip_s": 2,
}
PROGRAMS = ("flite", "festival", "espeak-ng", "fluidsynth")


@pytest.mark.slow
def test_a_network_is_trained_and_takes_speech_out_of_music(bench):
    pytest.importorskip("lightning")
    soundfile = pytest.importorskip("soundfile")
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    settings = [word for key, value in SMALLEST.items() for word in ("--set", f"{key}={value}")]
    ran = bench.run(FOLDER / "pipeline.yaml", *settings)
    card = json.loads(ran.text("look-ahead-0.5.json"))["metadata"]
    assert card["steps"] == 4 and card["look_ahead_s"] == 0.5
    for mix in sorted((FOLDER.parent / "speech-only/mixes").glob("*.ogg")):
        sound, rate_hz = soundfile.read(mix)
        parts = [
            soundfile.read(ran.folder / "stems" / mix.stem / f"{name}.wav") for name in ("speech", "music")
        ]
        assert [(part.shape, part_hz) for part, part_hz in parts] == [(sound.shape, rate_hz)] * 2
        assert sum(part for part, _ in parts) == pytest.approx(sound, abs=1e-4)


def test_short_recordings_are_joined_by_speaker(tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    soundfile = pytest.importorskip("soundfile")
    share = tmp_path / "share"
    for name in (
        "asterisk/sounds/en_US_f_Ann/hello.g722",
        "asterisk/sounds/en_US_f_Ann/digits/1.g722",
        "asterisk/sounds/en_US_f_Ann/silence/1.g722",
        "games/fillets-ng/sound/city/nl/one.ogg",
        "games/fillets-ng/sound/city/nl/two.ogg",
        "klettres/nl/alpha/a.ogg",
    ):
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        tone = ["-f", "lavfi", "-i", "sine=300:duration=0.5:sample_rate=16000"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *tone, share / name]
        subprocess.run(command, check=True)
    runpy.run_path(str(FOLDER / "voices.py"))["main"](tmp_path / "voices", share)
    durations_s = {path.name: soundfile.info(path).duration for path in (tmp_path / "voices").iterdir()}
    assert durations_s == {
        "asterisk-en_US_f_Ann.flac": pytest.approx(1, abs=0.01),
        "fillets-nl.flac": pytest.approx(1, abs=0.04),
        "klettres-nl.flac": pytest.approx(0.5, abs=0.02),
    }
