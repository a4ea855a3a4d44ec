import os
import sys

import numpy as np
import pytest

from ripieno.contracts.errors import InputError, MissingError
from ripieno.toolkit.ffmpeg import (
    Pipe,
    Probe,
    _parse_report as parse_report,
    file_url,
    probe,
    run,
)

ffmpeg = pytest.importorskip("ffmpeg")
soundfile = pytest.importorskip("soundfile")

HOSTILE_NAMES = [
    "-y.wav",
    "http:x.wav",
    "two words.wav",
    "concat:a|b.wav",
    "100%d.wav",
    "naïve ♪.wav",
    "'quoted'.wav",
]
if os.name != "nt":
    HOSTILE_NAMES.append("new\nline.wav")
else:
    HOSTILE_NAMES = [name for name in HOSTILE_NAMES if not set(name) & set(':|"')]


def write_tone(path, *, rate_hz=48_000, channels=2, seconds=1.0):
    times_s = np.arange(round(rate_hz * seconds)) / rate_hz
    tone = np.repeat(0.5 * np.sin(2 * np.pi * 440 * times_s)[:, None], channels, axis=1).astype(np.float32)
    soundfile.write(path, tone, rate_hz, subtype="FLOAT", format="WAV")
    return tone


def decode(path):
    return ffmpeg.compile(ffmpeg.input(file_url(path)).output("pipe:", format="f32le", threads=1))


def encode(path, *, size=(64, 48), fps=25, **options):
    frames = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{size[0]}x{size[1]}", r=fps)
    options = {"vcodec": "libx264", "pix_fmt": "yuv420p", "threads": 1} | options
    return ffmpeg.compile(frames.output(file_url(path), **options), overwrite_output=True)


def film(path, *, frames=25):
    with Pipe(encode(path), mode="write") as pipe:
        for level in range(frames):
            pipe.write(np.full((48, 64, 3), level * 10, np.uint8))
    return path


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_file_of_any_name_is_read_sample_for_sample(tmp_path, name):
    tone = write_tone(tmp_path / name)
    with Pipe(decode(tmp_path / name), mode="read") as pipe:
        assert np.array_equal(np.frombuffer(pipe.read(), np.float32).reshape(-1, 2), tone)
    assert probe(tmp_path / name).rate_hz == 48_000


def test_a_relative_name_is_read_from_the_current_folder(tmp_path, monkeypatch):
    write_tone(tmp_path / "-i.wav")
    monkeypatch.chdir(tmp_path)
    assert probe("-i.wav").duration_s == 1.0


@pytest.mark.parametrize("size", [1, 1000, 4096, 384_000, 10_000_000])
def test_blocks_joined_are_the_whole(tmp_path, size):
    tone = write_tone(tmp_path / "tone.wav", seconds=0.01 if size == 1 else 1.0)
    with Pipe(decode(tmp_path / "tone.wav"), mode="read") as pipe:
        blocks = list(pipe.blocks(size))
        assert pipe.read(size) == b""
    assert b"".join(blocks) == tone.tobytes()
    assert {len(block) for block in blocks[:-1]} <= {size}


def test_frames_written_become_a_film_of_their_size_rate_and_length(tmp_path):
    facts = probe(film(tmp_path / "film.mp4"))
    assert facts == Probe(duration_s=1.0, has_video=True, video_codec="h264", width=64, height=48, fps=25.0)


def test_leaving_before_the_end_stops_the_process_without_an_error(tmp_path):
    source = ffmpeg.input("sine=duration=100000", format="lavfi").output("pipe:", format="f32le")
    with Pipe(ffmpeg.compile(source), mode="read") as pipe:
        assert len(pipe.read(4000)) == 4000
    assert pipe._process.returncode is not None


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_exception_ends_the_process_and_is_not_replaced(tmp_path, mode):
    source = ffmpeg.input("sine=duration=100000", format="lavfi").output("pipe:", format="f32le")
    command = ffmpeg.compile(source) if mode == "read" else encode(tmp_path / "film.mp4")
    with pytest.raises(ZeroDivisionError), Pipe(command, mode=mode) as pipe:
        raise ZeroDivisionError
    assert pipe._process.returncode is not None


def test_a_file_that_is_no_media_is_one_line_that_names_it(tmp_path):
    path = tmp_path / "words.wav"
    path.write_text("no sound in here", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.wav.*Invalid data") as caught:
        probe(path)
    assert "\n" not in str(caught.value) and "@ 0x" not in str(caught.value)
    with pytest.raises(InputError, match="Invalid data"):
        run(decode(path))


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        probe(tmp_path / "nothing.wav")


def test_what_ffmpeg_does_not_understand_is_told_by_its_last_words(tmp_path):
    tone = tmp_path / "tone.wav"
    write_tone(tone)
    command = ffmpeg.compile(
        ffmpeg.input(file_url(tone)).output(file_url(tmp_path / "out.wav"), acodec="no_such")
    )
    with pytest.raises(InputError, match=r"FFmpeg failed: .*no_such"):
        run(command)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    tone = tmp_path / "tone.wav"
    write_tone(tone)
    target = tmp_path / "absent" / "out.flac"
    with pytest.raises(InputError, match=r"absent.out\.flac: No such file or directory"):
        run(ffmpeg.compile(ffmpeg.input(file_url(tone)).output(file_url(target))))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_a_process_that_was_killed_tells_so(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nkill -9 $$\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(InputError, match="ended by signal 9"):
        run(["ffmpeg", "-i", "a.wav", "b.wav"])


def test_writing_to_a_process_that_has_failed_tells_its_reason(tmp_path):
    frame = np.zeros((48, 64, 3), np.uint8)
    with (  # noqa: PT012, the pipe notices on some write
        pytest.raises(InputError, match="no_such"),
        Pipe(encode(tmp_path / "a.mp4", vcodec="no_such"), mode="write") as pipe,
    ):
        for _ in range(10_000):
            pipe.write(frame)


def test_a_frame_cut_short_does_not_hang(tmp_path):
    with Pipe(encode(tmp_path / "film.mp4"), mode="write") as pipe:
        pipe.write(np.zeros((48, 64, 3), np.uint8))
        pipe.write(b"half")
    assert probe(tmp_path / "film.mp4").has_video


def test_much_said_on_stderr_does_not_block_the_data(tmp_path):
    path = tmp_path / "damaged.mp3"
    tone = ffmpeg.input("sine=duration=60", format="lavfi").output(file_url(path), threads=1)
    run(ffmpeg.compile(tone))
    damaged = np.frombuffer(path.read_bytes(), np.uint8).copy()
    rng = np.random.default_rng(0)
    damaged[rng.integers(2000, damaged.size, damaged.size // 20)] = 255
    path.write_bytes(damaged.tobytes())
    with Pipe(decode(path), mode="read") as pipe:
        assert sum(len(block) for block in pipe.blocks(4096)) > 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.wav", "tcp://127.0.0.1:9", "data:audio/wav;base64,AAAA"]
)
def test_nothing_but_local_files_is_opened(url):
    with pytest.raises(InputError, match="whitelist"):
        run(ffmpeg.compile(ffmpeg.input(url).output("pipe:", format="f32le")))


def test_every_input_is_kept_local_not_only_the_first(tmp_path):
    write_tone(tmp_path / "tone.wav")
    both = ffmpeg.concat(
        ffmpeg.input(file_url(tmp_path / "tone.wav")), ffmpeg.input("http://127.0.0.1:9/a.wav"), v=0, a=1
    )
    with pytest.raises(InputError, match="whitelist"):
        run(ffmpeg.compile(both.output("pipe:", format="f32le")))


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(8000, 1), (44_100, 2), (48_000, 3), (96_000, 6), (48_000, 8)]
)
def test_a_probe_tells_rate_channels_and_length(tmp_path, rate_hz, channels):
    write_tone(tmp_path / "tone.wav", rate_hz=rate_hz, channels=channels, seconds=0.5)
    assert probe(tmp_path / "tone.wav") == Probe(
        duration_s=0.5, codec="pcm_f32le", rate_hz=rate_hz, channels=channels
    )


def test_tags_cannot_pass_for_streams(tmp_path):
    write_tone(tmp_path / "tone.wav")
    path = tmp_path / "tagged.flac"
    lie = "x\n  Duration: 09:00:00.00\n  Stream #0:0: Video: h264, 9x9"
    run(
        ffmpeg.compile(
            ffmpeg.input(file_url(tmp_path / "tone.wav")).output(file_url(path), metadata=f"comment={lie}")
        )
    )
    facts = probe(path)
    assert facts.duration_s == 1.0 and facts.codec == "flac" and not facts.has_video


def test_cover_art_is_no_film():
    report = (
        "Input #0, mp3, from 'a.mp3':\n  Duration: 01:02:03.45, start: 0.0, bitrate: 1 kb/s\n"
        "  Stream #0:0[0x1](eng): Audio: mp3 (mp3float), 44100 Hz, 5.1(side), fltp, 128 kb/s (default)\n"
        "  Stream #0:1: Video: mjpeg (Baseline), yuvj420p(pc), 500x500 [SAR 1:1], 90k tbr (attached pic)\n"
    )
    assert parse_report(report) == Probe(duration_s=3723.45, codec="mp3", rate_hz=44_100, channels=6)


def test_the_report_of_an_old_ffmpeg_is_understood():
    report = (
        "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'film.mp4':\n"
        "  Metadata:\n"
        "    major_brand     : isom\n"
        "  Duration: 00:00:02.00, start: 0.000000, bitrate: 300 kb/s\n"
        "    Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 640x360, 25 fps, 25 tbr (default)\n"
        "    Stream #0:1(und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 128 kb/s\n"
    )
    found = parse_report(report)
    assert (found.codec, found.rate_hz, found.channels) == ("aac", 48_000, 2)
    assert (found.video_codec, found.width, found.height, found.fps) == ("h264", 640, 360, 25)


@pytest.mark.parametrize(
    ("layout", "count"),
    [
        ("mono", 1),
        ("stereo", 2),
        ("quad(side)", 4),
        ("7.1.4", 12),
        ("9 channels", 9),
        ("ambisonic 2", 9),
        ("odd", None),
    ],
)
def test_layouts_are_counted(layout, count):
    report = f"  Stream #0:0: Audio: opus, 48000 Hz, {layout}, fltp\n"
    assert parse_report(report).channels == count


def test_without_ffmpeg_both_cures_are_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingError, match=r"PATH.*imageio-ffmpeg"):
        Pipe(["ffmpeg"], mode="read")
