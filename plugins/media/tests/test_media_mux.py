import ffmpeg
import numpy as np
import pytest

from ripieno.contracts import Audio, InputError
from ripieno.toolkit.ffmpeg import file_url, probe, run
from ripieno_media.codecs import AudioFile, VideoFile
from ripieno_media.mux import Mux


def film(path, **options):
    picture = ffmpeg.input("testsrc=s=64x48:r=25:d=1", format="lavfi")
    run(ffmpeg.compile(picture.output(file_url(path), **options)))
    return VideoFile().read(path)


def tone(frequency_hz, *, seconds=1.0):
    return Audio(0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * 48000)) / 48000), 48000)


def picture_hash(path):
    copied = ffmpeg.input(file_url(path))["v:0"].output("pipe:", format="hash", codec="copy")
    from ripieno.toolkit.ffmpeg import Pipe

    with Pipe(ffmpeg.compile(copied), mode="read") as pipe:
        return pipe.read()


@pytest.mark.parametrize(
    ("suffix", "codec", "sound"),
    [(".mp4", "libx264", "aac"), (".mkv", "libx264", "aac"), (".webm", "libvpx", "opus")],
)
def test_the_picture_is_copied_and_the_sound_is_the_one_given(tmp_path, suffix, codec, sound):
    video = film(tmp_path / f"film{suffix}", vcodec=codec)
    joined = Mux().join(video, audio=tone(440))
    assert probe(joined.path).codec == sound
    assert picture_hash(joined.path) == picture_hash(video.path)
    heard = AudioFile().read(joined.path)
    spectrum = np.abs(np.fft.rfft(heard.samples[0] * np.hanning(heard.frames)))
    assert np.argmax(spectrum) * heard.rate_hz / heard.frames == pytest.approx(440, abs=2)


def test_sound_that_a_film_had_is_replaced_and_joining_again_gives_the_same_bytes(tmp_path):
    once = Mux().join(film(tmp_path / "film.mp4"), audio=tone(440))
    twice = [Mux().join(once, audio=tone(880)) for _ in range(2)]
    assert twice[0].path.read_bytes() == twice[1].path.read_bytes()
    samples = AudioFile().read(twice[0].path).samples[0]
    assert np.argmax(np.abs(np.fft.rfft(samples))) * 48000 / len(samples) == pytest.approx(880, abs=2)


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_neither_film_nor_sound_is_cut(tmp_path, seconds):
    joined = Mux().join(film(tmp_path / "film.mp4"), audio=tone(440, seconds=seconds))
    assert AudioFile().read(joined.path).duration_s == pytest.approx(seconds, abs=0.03)
    assert VideoFile().read(joined.path).duration_s == pytest.approx(max(1.0, seconds), abs=0.05)


def test_sound_that_the_container_cannot_hold_in_order_is_refused(tmp_path):
    sound = Audio(np.zeros((7, 4800)), 48000)
    with pytest.raises(InputError, match="7 channels"):
        Mux().join(film(tmp_path / "film.mp4"), audio=sound)
