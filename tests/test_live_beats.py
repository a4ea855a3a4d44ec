"""One pipeline live and offline: the same beats of the same file, through every adapter and decoder."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno.contracts import AudioFormat
from ripieno.core.live.live import Live
from ripieno.core.live.messages import Heard
from ripieno.core.live.pace import Fast
from ripieno.core.live.raw import RawFormat
from ripieno.core.live.sources import opened, parse_sources
from ripieno.core.pipeline import Pipeline

pytest.importorskip("onnxruntime", reason="beat_tracker/beatnet needs onnxruntime")

PIPELINE = """
name: beats
seed: 11
inputs: {song: {kind: audio}}
steps:
  beats: {uses: beat_tracker/beatnet, in: {audio: song}}
  onsets: {uses: beat_tracker/librosa, in: {audio: song}}
"""
DECODERS = {
    "forward": "",
    "particle": ", with: {decoder: decoder/particle}",
}


def drums(seconds, *, rate_hz, channels, bpm=120):
    """A kick on every beat, a hat on every half of one [frames, channels]."""
    rng = np.random.default_rng(5)
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    beat = at_s * bpm / 60
    since_kick_s, since_hat_s = (beat % 1) * 60 / bpm, (beat * 2 % 1) * 30 / bpm
    kick = np.sin(2 * np.pi * 55 * since_kick_s) * np.exp(-since_kick_s / 0.08)
    hat = rng.standard_normal(len(at_s)) * np.exp(-since_hat_s / 0.02)
    sound = 0.7 * kick + 0.1 * hat
    gains = np.linspace(1, 0.5, channels)
    return (sound[:, None] * gains).astype(np.float32)


@pytest.fixture
def song(bench):
    """Write drums as a file of the bench."""

    def song(name="song.wav", *, rate_hz=44_100, channels=1, seconds=8.0, subtype="FLOAT"):
        path = bench.folder / name
        soundfile.write(path, drums(seconds, rate_hz=rate_hz, channels=channels), rate_hz, subtype)
        return path

    return song


def messages(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def beats_of(said):
    return [message for message in said if message["event"] == "beat"]


@pytest.mark.parametrize(
    ("decoder", "rate_hz", "channels"),
    [
        ("forward", 48_000, 2),
        pytest.param("particle", 48_000, 2, marks=pytest.mark.slow),
        pytest.param("forward", 22_050, 1, marks=pytest.mark.slow),
        pytest.param("particle", 8_000, 1, marks=pytest.mark.slow),
    ],
)
def test_live_and_offline_hear_the_same_beats(bench, song, monkeypatch, decoder, rate_hz, channels):
    if decoder == "particle":
        pytest.importorskip("ripieno_beat_decoders.particle")
    text = PIPELINE.replace("beatnet, in: {audio: song}", f"beatnet, in: {{audio: song}}{DECODERS[decoder]}")
    path = song(rate_hz=rate_hz, channels=channels)
    done = bench.core("live", bench.pipeline(text), "--source", f"file:{path}", "--json")
    first, *said = messages(done)
    assert (first["rate_hz"], first["channels"]) == (rate_hz, channels)
    assert first["left_out"] == {"onsets": "beat_tracker/librosa does not stream"}
    monkeypatch.setenv("RIPIENO_STORE", str(bench.store))
    offline = Pipeline.load(bench.folder / "p.yaml").run({"song": path}, only=["beats"], folder=bench.folder)
    beats = offline["beats"]
    live = beats_of(said)
    assert len(live) > 8
    np.testing.assert_allclose([beat["time_s"] for beat in live], beats.times_s, atol=1e-6)
    np.testing.assert_allclose([beat["known_s"] for beat in live], beats.known_s, atol=1e-6)
    np.testing.assert_allclose([beat["confidence"] for beat in live], beats.confidence, atol=1e-6)
    assert [beat["position"] for beat in live] == beats.positions.tolist()


def test_drums_at_120_bpm_are_heard_at_120_bpm_with_the_next_beat_foretold(bench, song):
    done = bench.core("live", bench.pipeline(PIPELINE), "--source", f"file:{song()}", "--json", "--states")
    said = messages(done)
    settled = [beat for beat in beats_of(said) if beat["time_s"] > 4]
    assert all(beat["tempo_bpm"] == pytest.approx(120, abs=2) for beat in settled)
    to_grid_s = [(beat["time_s"] + 0.25) % 0.5 - 0.25 for beat in settled]
    assert np.abs(to_grid_s).max() < 0.05
    foretold = [one for one in said if one["event"] == "next_beat" and one["known_s"] > 4]
    assert all(one["time_s"] > one["known_s"] for one in foretold) and len(foretold) >= len(settled) - 1
    states = [one["beat"] for one in said if one["event"] == "state"]
    counts = [state["beat_count"] for state in states]
    assert counts == sorted(counts) and len(states) == pytest.approx(8 * 46.875, abs=8)


def test_any_kind_of_file_and_of_pipe_is_heard_the_same(bench, song):
    """Compressed without loss, or piped in raw blocks by another program."""
    wav = song(rate_hz=48_000, channels=2, subtype="PCM_16")
    sound, _ = soundfile.read(wav, dtype="int16")
    soundfile.write(bench.folder / "song.flac", sound, 48_000, "PCM_16")
    pipeline = bench.pipeline(PIPELINE)
    expected = messages(bench.core("live", pipeline, "--source", f"file:{wav}", "--json"))
    flac = messages(bench.core("live", pipeline, "--source", "file:song.flac", "--json"))
    assert flac[:-1] == expected[:-1]
    (bench.folder / "song.raw").write_bytes(sound.tobytes())
    program = "import sys; d = open('song.raw', 'rb').read()\nwhile d: sys.stdout.buffer.write(d[:997]); d = d[997:]"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=bench.folder, stdout=subprocess.PIPE
    ) as sender:
        raw = ("--rate-hz", "48000", "--channels", "2", "--encoding", "s16le", "--json")
        piped = messages(bench.core("live", pipeline, "--source", "stdin", *raw, stdin=sender.stdout))
    assert piped[1:-1] == expected[1:-1]


class Ears:
    """A listener that keeps the beats."""

    def __init__(self):
        self.beats_s = []

    def take(self, said):
        self.beats_s += [
            one.event.time_s for one in said if isinstance(one, Heard) and one.event.what == "beat"
        ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "subtype", "rate_hz", "channels", "seconds"),
    [
        ("a.wav", "PCM_U8", 8_000, 1, 6.0),
        ("a.wav", "PCM_24", 192_000, 8, 4.0),
        ("a.aiff", "PCM_16", 11_025, 3, 6.0),
        ("a.ogg", "VORBIS", 32_000, 1, 6.0),
        ("a.mp3", "MPEG_LAYER_III", 44_100, 2, 6.0),
        ("a.wav", "FLOAT", 44_100, 1, 1 / 44_100),
        ("a.wav", "FLOAT", 44_100, 1, 0.0),
    ],
)
def test_files_of_odd_kinds_are_heard_as_offline(
    song, bench, monkeypatch, name, subtype, rate_hz, channels, seconds
):
    monkeypatch.setenv("RIPIENO_STORE", str(bench.store))
    path = song(name, rate_hz=rate_hz, channels=channels, seconds=seconds, subtype=subtype)
    pipeline = Pipeline.load(bench.pipeline(PIPELINE))
    asked = parse_sources([f"file:{path}"], pipeline)
    live, ears = Live.of(pipeline, asked), Ears()
    with opened(asked[0], registry=live.registry, raw=RawFormat()) as source:
        assert source.format == AudioFormat(rate_hz, channels)
        live.play({"song": source}, pace=Fast(), listeners=[ears])
    offline = pipeline.run({"song": path}, only=["beats"], folder=bench.folder)["beats"]
    assert ears.beats_s == offline.times_s.tolist()
    assert len(ears.beats_s) > 4 or seconds < 1


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.wav", b"", "empty.wav: is empty"),
        ("words.wav", b"no sound at all", "words.wav"),
        ("cut.wav", None, "cut.wav: cut off"),
    ],
)
def test_a_file_that_is_no_sound_is_one_line(bench, song, name, data, message):
    data = song(seconds=1.0).read_bytes()[:-1000] if data is None else data
    bench.write(name, data)
    assert message in bench.fails("live", bench.pipeline(PIPELINE), "--source", f"file:{name}", "--json")


def anonymous_bytes(pid):
    """What a process holds that is no file."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds on Linux alone")
def test_memory_does_not_grow_with_what_is_heard(bench, song):
    """Ten minutes at full speed through tracker and adapters: what is held does not grow after the first two."""
    program = (
        "import sys, numpy as np\n"
        "block = np.load('block.npy').tobytes()\n"
        "for _ in range(75): sys.stdout.buffer.write(block)\n"
    )
    np.save(bench.folder / "block.npy", drums(8.0, rate_hz=22_050, channels=1))
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=bench.folder, stdout=subprocess.PIPE
    ) as sender:
        arguments = ("--source", "stdin", "--rate-hz", "22050", "--json", "--only", "beats")
        process = bench.start("live", bench.pipeline(PIPELINE), *arguments, stdin=sender.stdout)
        held = []
        for line in process.stdout:
            said = json.loads(line)
            if said["event"] == "beat" and said["time_s"] // 60 > len(held):
                held.append(anonymous_bytes(process.pid))
        assert process.wait(timeout=60) == 0
    assert len(held) >= 8
    assert held[-1] - held[1] < 5e6
