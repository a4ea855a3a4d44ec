import logging
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import ffmpeg
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings, strategies as st

from ripieno.contracts import FFMPEG, Audio, AudioFormat, Image, InputError, MissingError, Stems
from ripieno.toolkit.ffmpeg import ffmpeg_path, file_url, probe, run
from ripieno_media.codecs import AudioFile, ImageFile, StemsFolder, VideoFile
from ripieno_media.encoding import LOSSY
from ripieno_media.riff import missing_bytes, wav_header

LOSSLESS_AT_16_BITS = [".wav", ".flac", ".aiff", ".w64", ".caf", ".au", ".wv", ".tta", ".mka"]
in_folder = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def noise(frames=4800, *, channels=2, rate_hz=48000, seed=0, peak=1.0):
    samples = np.random.default_rng(seed).uniform(-peak, peak, (channels, frames))
    return Audio(samples.astype(np.float32), rate_hz)


def tone(frequency_hz, *, seconds=1.0, rate_hz=48000):
    return 0.25 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)


def by_ffmpeg(graph, path, **options):
    run(ffmpeg.compile(graph.output(file_url(path), **options)))
    return path


def lavfi(what):
    return ffmpeg.input(what, format="lavfi")


def fault(path):
    with pytest.raises(InputError) as caught:
        AudioFile().read(path)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == len(str(path).splitlines())
    return message


@in_folder
@given(
    channels=st.integers(1, 12),
    rate_hz=st.integers(8000, 192000),
    frames=st.integers(0, 3000),
    seed=st.integers(0, 99),
)
def test_wav_gives_any_float_samples_back_to_the_bit(tmp_path, channels, rate_hz, frames, seed):
    audio = noise(frames, channels=channels, rate_hz=rate_hz, seed=seed, peak=4.0)
    AudioFile().write(audio, tmp_path / "x.wav")
    back = AudioFile().read(tmp_path / "x.wav")
    assert back.format == audio.format
    np.testing.assert_array_equal(back.samples, audio.samples)


@in_folder
@given(channels=st.integers(1, 8), rate_hz=st.sampled_from([8000, 22050, 44100, 96000, 192000]))
@pytest.mark.parametrize("suffix", [".flac", ".aiff"])
def test_24_bits_come_back_to_the_bit(tmp_path, suffix, channels, rate_hz):
    whole = np.random.default_rng(channels).integers(-(1 << 23), 1 << 23, (channels, 500))
    whole[:, :2] = -(1 << 23), (1 << 23) - 1
    audio = Audio((whole / (1 << 23)).astype(np.float32), rate_hz)
    AudioFile().write(audio, tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(AudioFile().read(tmp_path / f"x{suffix}").samples, audio.samples)


def test_what_is_written_as_wav_is_read_alike_by_libsndfile_and_ffmpeg(tmp_path):
    audio = noise(channels=6)
    AudioFile().write(audio, tmp_path / "x.wav")
    samples, rate_hz = soundfile.read(tmp_path / "x.wav", dtype="float32")
    assert rate_hz == 48000
    np.testing.assert_array_equal(samples.T, audio.samples)
    again = by_ffmpeg(ffmpeg.input(file_url(tmp_path / "x.wav")), tmp_path / "y.wav", acodec="pcm_f32le")
    np.testing.assert_array_equal(soundfile.read(again, dtype="float32")[0].T, audio.samples)


@pytest.mark.parametrize("suffix", LOSSLESS_AT_16_BITS)
@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (44100, 2), (192000, 6), (48000, 8)])
def test_integers_of_any_container_come_out_over_their_full_scale(tmp_path, suffix, rate_hz, channels):
    whole = np.random.default_rng(1).integers(-(1 << 15), 1 << 15, (2000, channels)).astype(np.int16)
    soundfile.write(tmp_path / "source.wav", whole, rate_hz)
    codec = {".mka": {"acodec": "flac"}}.get(suffix, {})
    path = by_ffmpeg(ffmpeg.input(file_url(tmp_path / "source.wav")), tmp_path / f"x{suffix}", **codec)
    audio = AudioFile().read(path)
    assert audio.rate_hz == rate_hz
    np.testing.assert_array_equal(audio.samples.T, (whole / (1 << 15)).astype(np.float32))


@pytest.mark.parametrize("suffix", LOSSY)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
def test_lossy_formats_keep_every_channel_in_its_place(tmp_path, suffix, channels):
    if channels not in LOSSY[suffix].channels:
        pytest.skip("refused")
    # The low-frequency channel of 5.1 and 7.1 is narrow, so its tone lies low.
    frequencies_hz = [500, 900, 1300, 80 if channels >= 6 else 1700, 2100, 2500, 2900, 3300][:channels]
    AudioFile().write(Audio(np.array([tone(hz) for hz in frequencies_hz]), 48000), tmp_path / f"x{suffix}")
    back = AudioFile().read(tmp_path / f"x{suffix}")
    assert back.rate_hz == 48000
    assert back.frames == pytest.approx(48000, abs=2400)
    for channel, frequency_hz in zip(back.samples, frequencies_hz, strict=True):
        spectrum = np.abs(np.fft.rfft(channel * np.hanning(len(channel))))
        assert np.argmax(spectrum) * 48000 / len(channel) == pytest.approx(frequency_hz, abs=3)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".aiff", *LOSSY])
def test_the_same_sound_gives_the_same_bytes(tmp_path, suffix):
    for name in "ab":
        AudioFile().write(noise(48000), tmp_path / f"{name}{suffix}")
    written = (tmp_path / f"a{suffix}").read_bytes()
    assert written == (tmp_path / f"b{suffix}").read_bytes()
    assert b"Lavf6" not in written
    assert b"Lavc6" not in written


@pytest.mark.parametrize("suffix", [".flac", ".aiff", ".mp3"])
def test_what_is_beyond_full_scale_is_clipped_and_counted(tmp_path, suffix, caplog):
    samples = np.array([[0.5, 1.5, -2.0, 1.0, -1.0] + [0.0] * 4000])
    with caplog.at_level(logging.WARNING, "ripieno"):
        AudioFile().write(Audio(samples, 48000), tmp_path / f"x{suffix}")
    assert "2 samples beyond full scale were clipped" in caplog.text
    if suffix != ".mp3":
        assert AudioFile().read(tmp_path / f"x{suffix}").samples.min() == -1.0


def test_wav_keeps_what_is_beyond_full_scale_and_warns_of_nothing(tmp_path, caplog):
    AudioFile().write(Audio(np.array([3.0, -7.5]), 48000), tmp_path / "x.wav")
    np.testing.assert_array_equal(AudioFile().read(tmp_path / "x.wav").samples, [[3.0, -7.5]])
    assert not caplog.text


@pytest.mark.parametrize("frames", [0, 1])
def test_wav_with_no_frame_or_one_is_legal(tmp_path, frames):
    soundfile.write(tmp_path / "x.wav", np.ones((frames, 2), np.float32) / 2, 44100)
    audio = AudioFile().read(tmp_path / "x.wav")
    assert (audio.frames, audio.channels, audio.rate_hz) == (frames, 2, 44100)
    assert AudioFile().header(tmp_path / "x.wav") == audio.header()


@pytest.mark.parametrize("suffix", [".flac", *LOSSY])
def test_one_frame_can_be_written_but_empty_audio_only_as_wav(tmp_path, suffix):
    AudioFile().write(noise(1), tmp_path / f"x{suffix}")
    with pytest.raises(InputError, match=r"only \.wav can hold empty audio"):
        AudioFile().write(noise(0), tmp_path / f"y{suffix}")


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        'it\'s "quoted"',
        "-leading",
        "été 音",
        "100%d",
        "a:b",
        "#[1]?*",
        "new\nline",
        "back\\slash",
    ],
)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".m4a"])
def test_names_of_files_are_taken_literally(tmp_path, name, suffix, monkeypatch):
    if sys.platform == "win32" and set(name) & set('"\n:?*\\'):
        pytest.skip("no file can have this name here")
    monkeypatch.chdir(tmp_path)
    AudioFile().write(noise(48000), Path(name + suffix))
    assert AudioFile().read(Path(name + suffix)).frames == pytest.approx(48000, abs=2400)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "x.wav").touch()
    assert "is empty (0 bytes)" in fault(tmp_path / "x.wav")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    assert "cannot be read" in fault(tmp_path / "absent.wav")
    assert "cannot be read" in fault(tmp_path)


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
def test_cut_off_pcm_says_how_many_bytes_are_missing(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    soundfile.write(path, np.zeros((1000, 2)), 48000, subtype="PCM_16")
    os.truncate(path, path.stat().st_size - 400)
    said = 4008 if suffix == ".aiff" else 4000
    assert f"cut off: 400 of its {said} bytes of sound are missing" in fault(path)
    with pytest.raises(InputError, match="cut off"):
        AudioFile().header(path)


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".m4a", ".ogg", ".opus", ".mka", ".webm", ".wma"])
def test_cut_off_files_are_errors_not_shorter_sound(tmp_path, suffix):
    whole = by_ffmpeg(
        lavfi("anoisesrc=d=5:a=0.3:c=pink:r=48000:seed=1"), tmp_path / f"whole{suffix}", movflags="+faststart"
    )
    assert AudioFile().read(whole).duration_s == pytest.approx(5, abs=0.06)
    data = whole.read_bytes()
    (tmp_path / f"x{suffix}").write_bytes(data[: len(data) * 6 // 10])
    assert "cut off" in fault(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".ogg", ".opus"])
def test_damage_in_the_middle_is_an_error_not_silence(tmp_path, suffix):
    path = by_ffmpeg(lavfi("anoisesrc=d=5:a=0.3:c=pink:r=48000:seed=1"), tmp_path / f"x{suffix}")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2048] = bytes(value ^ 0xA5 for value in data[middle : middle + 2048])
    path.write_bytes(data)
    assert "damaged" in fault(path)


def test_an_mp3_of_varying_bit_rate_without_a_length_is_read(tmp_path):
    loud_then_silent = ffmpeg.concat(
        lavfi("anoisesrc=d=2:r=44100"), lavfi("aevalsrc=0:s=44100:d=8"), v=0, a=1
    )
    path = by_ffmpeg(loud_then_silent, tmp_path / "x.mp3", **{"q:a": 9, "write_xing": 0})
    assert AudioFile().read(path).duration_s == pytest.approx(10, abs=0.2)


def test_a_wav_from_a_pipe_that_could_not_state_its_length_is_read(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.full((1000, 1), 0.5), 48000, subtype="PCM_16")
    data = bytearray((tmp_path / "x.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff" * 4
    (tmp_path / "x.wav").write_bytes(data)
    assert AudioFile().read(tmp_path / "x.wav").frames == 1000


def test_mislabelled_files_are_read_as_what_they_are(tmp_path):
    for true, false in ((".mp3", ".wav"), (".flac", ".mp3"), (".wav", ".ogg")):
        AudioFile().write(noise(48000), tmp_path / f"x{true}")
        shutil.move(tmp_path / f"x{true}", tmp_path / f"y{false}")
        assert AudioFile().read(tmp_path / f"y{false}").frames == pytest.approx(48000, abs=2400)


def test_a_picture_and_a_text_that_are_named_wav_are_refused(tmp_path):
    picture = by_ffmpeg(lavfi("color=red:s=64x48"), tmp_path / "p.png", vframes=1, update=1)
    shutil.move(picture, tmp_path / "p.wav")
    (tmp_path / "t.wav").write_text("RIFF is what this text begins with\n" * 9, encoding="utf-8")
    assert "has no sound: it holds pictures (png)" in fault(tmp_path / "p.wav")
    assert "cannot read it" in fault(tmp_path / "t.wav")


def test_a_film_gives_its_sound_and_a_silent_film_is_refused(tmp_path):
    picture, sound = lavfi("testsrc=s=64x48:r=25:d=1"), lavfi("sine=f=440:r=48000:d=0.5")
    film = tmp_path / "film.mp4"
    run(ffmpeg.compile(ffmpeg.output(picture, sound, file_url(film))))
    assert AudioFile().read(film).duration_s == pytest.approx(0.5, abs=0.03)
    silent = by_ffmpeg(picture, tmp_path / "silent.mp4")
    assert "has no sound: it holds pictures (h264)" in fault(silent)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_sound_that_is_not_finite_is_refused_by_name(tmp_path, bad):
    samples = np.zeros((100, 2), np.float32)
    samples[7, 1] = bad
    soundfile.write(tmp_path / "x.wav", samples, 48000, subtype="FLOAT")
    assert "sample 7 of channel 1" in fault(tmp_path / "x.wav")


def test_formats_that_cannot_hold_the_sound_say_so(tmp_path):
    with pytest.raises(InputError, match=r"3 channels, but \.mp3 holds 1 or 2: put effect/downmix"):
        AudioFile().write(noise(channels=3), tmp_path / "x.mp3")
    with pytest.raises(InputError, match=r"not written as '\.wma'. Take \.wav, "):
        AudioFile().write(noise(), tmp_path / "x.wma")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".m4a", ".opus"])
def test_the_header_agrees_with_the_sound(tmp_path, suffix):
    AudioFile().write(noise(48000, channels=1), tmp_path / f"x{suffix}")
    header, audio = AudioFile().header(tmp_path / f"x{suffix}"), AudioFile().read(tmp_path / f"x{suffix}")
    assert header["frames"] == pytest.approx(audio.frames, abs=0.05 * 48000)
    assert {**header, "frames": 0} == {**audio.header(), "frames": 0}


@pytest.mark.skipif(sys.platform == "win32", reason="PATH is searched in other ways")
def test_wav_and_flac_need_no_ffmpeg_and_the_rest_asks_for_it(tmp_path, monkeypatch):
    AudioFile().write(noise(48000), tmp_path / "x.mp3")
    monkeypatch.setenv("PATH", str(tmp_path))
    # The wheel that carries FFmpeg is looked for here; what the codec imports is loaded already.
    monkeypatch.setattr(sys, "path", [])
    assert FFMPEG.find() is None
    for suffix in (".wav", ".flac"):
        AudioFile().write(noise(), tmp_path / f"x{suffix}")
        assert AudioFile().read(tmp_path / f"x{suffix}").frames == 4800
    with pytest.raises(MissingError, match="imageio-ffmpeg"):
        AudioFile().read(tmp_path / "x.mp3")


def test_more_than_4_gb_of_sound_is_rf64(tmp_path):
    frames = 600_000_000
    header = wav_header(AudioFormat(192000, 2), frames=frames)
    path = tmp_path / "x.wav"
    with open(path, "wb") as file:
        file.write(header)
        # A file with a hole: no bytes of it are on the disk.
        file.truncate(len(header) + 8 * frames)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.frames, info.channels) == ("RF64", "FLOAT", frames, 2)
    assert probe(path).duration_s == frames / 192000
    assert struct.unpack_from("<Q", header, 20)[0] == path.stat().st_size - 8
    os.truncate(path, path.stat().st_size - 800)
    assert missing_bytes(path) == (800, 8 * frames)


def test_stems_are_a_folder_of_float_wav(tmp_path):
    stems = Stems({"vocals": noise(seed=1, peak=2), "bass line": noise(seed=2), "été": noise(seed=3)})
    StemsFolder().write(stems, tmp_path / "stems")
    assert soundfile.info(tmp_path / "stems" / "bass line.wav").subtype == "FLOAT"
    back = StemsFolder().read(tmp_path / "stems")
    assert back.names == ("bass line", "vocals", "été")
    for name in stems.names:
        np.testing.assert_array_equal(back[name].samples, stems[name].samples)


def test_a_folder_without_stems_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a folder with stems"):
        StemsFolder().read(tmp_path)


def test_a_film_is_probed_copied_and_put_into_another_container(tmp_path):
    source = by_ffmpeg(lavfi("testsrc=s=64x48:r=25:d=2"), tmp_path / "it's.mp4")
    film = VideoFile().read(source)
    assert (film.width, film.height, film.fps, film.duration_s) == (64, 48, 25.0, 2.0)
    assert VideoFile().header(source) == film.header()
    for suffix in (".mp4", ".mkv", ".mov"):
        VideoFile().write(film, tmp_path / f"x{suffix}")
        again = VideoFile().read(tmp_path / f"x{suffix}")
        assert (again.width, again.height, again.fps) == (64, 48, 25.0)
        assert probe(again.path).video_codec == "h264"
    assert (tmp_path / "x.mp4").read_bytes() == source.read_bytes()
    with pytest.raises(InputError, match=r"x\.webm: cannot hold what is in it's\.mp4"):
        VideoFile().write(film, tmp_path / "x.webm")


def test_a_film_keeps_its_title_and_chapters_in_another_container(tmp_path):
    told = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Low Tide\n"
    (tmp_path / "told.txt").write_text(f";FFMETADATA1\ntitle=Tides\n{told}", encoding="utf-8")
    plain = by_ffmpeg(lavfi("testsrc=s=64x48:r=25:d=1"), tmp_path / "plain.mp4")
    named = [
        "-i",
        tmp_path / "told.txt",
        "-map",
        "0",
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
    ]
    command = [ffmpeg_path(), "-v", "error", "-i"]
    subprocess.run([*command, plain, *named, tmp_path / "film.mp4"], check=True)
    for suffix in (".mkv", ".mov"):
        VideoFile().write(VideoFile().read(tmp_path / "film.mp4"), tmp_path / f"x{suffix}")
        words = [*command, tmp_path / f"x{suffix}", "-f", "ffmetadata", "-"]
        said = subprocess.run(words, check=True, capture_output=True).stdout.decode()
        assert "title=Tides" in said and "title=Low Tide" in said.partition("[CHAPTER]")[2]


def test_what_is_no_film_is_refused_by_name(tmp_path):
    AudioFile().write(noise(48000), tmp_path / "x.m4a")
    shutil.move(tmp_path / "x.m4a", tmp_path / "x.mp4")
    with pytest.raises(InputError, match=r"x\.mp4: has no film, only sound \(aac\)"):
        VideoFile().read(tmp_path / "x.mp4")
    with pytest.raises(InputError, match="there is no such file"):
        VideoFile().read(tmp_path / "absent.mp4")
    film = by_ffmpeg(lavfi("testsrc=s=64x48:r=25:d=2"), tmp_path / "film.mp4")
    os.truncate(film, film.stat().st_size // 2)
    with pytest.raises(InputError, match=r"film\.mp4"):
        VideoFile().read(film)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pictures_know_their_size_and_are_copied(tmp_path, suffix):
    path = by_ffmpeg(lavfi("testsrc=s=300x200"), tmp_path / f"x{suffix}", vframes=1, update=1)
    picture = ImageFile().read(path)
    assert (picture.width, picture.height) == (300, 200)
    ImageFile().write(picture, tmp_path / f"y{suffix}")
    assert (tmp_path / f"y{suffix}").read_bytes() == path.read_bytes()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(InputError, match="not a whole PNG or JPEG"):
        ImageFile().read(path)


def test_a_picture_is_not_renamed_to_what_it_is_not(tmp_path):
    with pytest.raises(InputError, match=r"the picture is a \.png file"):
        ImageFile().write(Image(tmp_path / "x.png", 1, 1), tmp_path / "x.jpg")


def test_importing_the_codecs_loads_no_library():
    heavy = "soundfile", "ffmpeg", "soxr", "scipy"
    code = (
        "import sys, ripieno_media.codecs, ripieno_media.adapters, ripieno_media.loudness, ripieno_media.mux\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus"])
def test_a_full_disk_is_an_error_of_one_line_that_names_the_file(tmp_path, suffix):
    path = tmp_path / f"song{suffix}"
    path.symlink_to("/dev/full")
    with pytest.raises(InputError, match=f"song{suffix}: .*(No space left|room on the disk)"):
        AudioFile().write(noise(480_000), path)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_a_folder_that_is_not_there_is_an_error_of_one_line(tmp_path, suffix):
    with pytest.raises(InputError, match=f"song{suffix}: .*(No such file|folder there)"):
        AudioFile().write(noise(), tmp_path / "absent" / f"song{suffix}")
