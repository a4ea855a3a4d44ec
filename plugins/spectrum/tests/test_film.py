import numpy as np
import pytest

from ripieno.contracts import Audio, Beats, Sections
from ripieno.contracts.testing import RendererSuite, music
from ripieno.toolkit.ffmpeg import Pipe, file_url, probe
from ripieno_spectrum.renderer import SpectrumConfig, SpectrumFilm

SMALL = {"size": (160, 90), "fps": 25.0}


class TestConformance(RendererSuite):
    plugin = SpectrumFilm
    config = SpectrumConfig(**SMALL)

    def example(self):
        return {
            "audio": music(rate_hz=44100, channels=2, frames=50000),
            "beats": Beats(np.arange(0.0, 1.0, 0.25), np.array([4, 1, 2, 3])),
            "sections": Sections([0.0, 0.5], [0.5, 1.1], ("verse", "chorus")),
        }


def chirp(seconds, *, rate_hz=44100, channels=2):
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = 0.5 * np.sin(2 * np.pi * (200 + 300 * time_s) * time_s)
    return Audio(np.tile(wave.astype(np.float32), (channels, 1)), rate_hz)


def film(audio, *, beats=None, sections=None, **config):
    return SpectrumFilm(SpectrumConfig(**(SMALL | config))).render(audio, beats=beats, sections=sections)


def decoded_frames(video):
    command = ["ffmpeg", "-i", file_url(video.path), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:"]
    with Pipe(command, mode="read") as pipe:
        return np.frombuffer(pipe.read(), np.uint8).reshape(-1, video.height, video.width, 3)


def decoded_sound(video, *, rate_hz):
    command = ["ffmpeg", "-i", file_url(video.path), "-f", "f32le", "-ac", "1", "-ar", str(rate_hz), "pipe:"]
    with Pipe(command, mode="read") as pipe:
        return np.frombuffer(pipe.read(), np.float32)


@pytest.mark.parametrize("seconds", [0, 1 / 44100, 1.0, 1.33])
def test_picture_and_sound_end_together(seconds):
    video = film(chirp(seconds))
    frames, sound = len(decoded_frames(video)), len(decoded_sound(video, rate_hz=44100))
    assert frames == max(1, np.ceil(seconds * 25 - 1e-6))
    assert video.duration_s == frames / 25
    assert sound / 44100 == pytest.approx(video.duration_s, abs=0.005)


def test_the_sound_stays_in_its_place():
    audio = chirp(2.0)
    heard, given_ = decoded_sound(film(audio), rate_hz=44100)[:88200], audio.samples[0]
    assert np.corrcoef(heard, given_)[0, 1] > 0.99


def test_the_first_frame_of_a_beat_is_seen_in_the_film():
    beats = Beats(np.array([1.0]), np.array([1]))
    frames = decoded_frames(
        film(Audio(np.zeros((1, 88200), np.float32), 44100), beats=beats, size=(320, 180))
    )
    flashes = np.diff(frames.astype(int).sum(axis=(1, 2, 3)))
    assert np.argmax(flashes) + 1 == 25


def test_colours_survive_encoding():
    from ripieno_spectrum.palette import INK

    corner = decoded_frames(film(chirp(0.2)))[0, :3, :3]
    assert np.abs(corner.astype(int) - INK).max() <= 3


@pytest.mark.parametrize(
    ("channels", "rate_hz"), [(1, 8000), (3, 16000), (7, 48000), (9, 48000), (2, 192000)]
)
def test_any_rate_and_channels_can_be_heard(channels, rate_hz):
    facts = probe(film(chirp(0.3, rate_hz=rate_hz, channels=channels)).path)
    assert facts.channels == min(channels, 2)
    assert facts.rate_hz == 48000
    assert (facts.codec, facts.video_codec) == ("aac", "h264")


def test_the_centre_of_three_channels_is_heard():
    samples = chirp(0.5, channels=3).samples.copy()
    samples[:2] = 0
    heard = decoded_sound(film(Audio(samples, 44100)), rate_hz=44100)[:22050]
    assert np.corrcoef(heard, samples[2])[0, 1] > 0.99


def test_odd_sizes_grow_by_a_pixel():
    video = film(chirp(0.1), size=(161, 91))
    facts = probe(video.path)
    assert (video.width, video.height) == (facts.width, facts.height) == (162, 92)


def test_the_same_song_gives_the_same_bytes():
    sections = Sections([0.0, 0.5], [0.5, 1.0], ("a", "b"))
    first, second = (film(chirp(1.0), sections=sections).path.read_bytes() for _ in range(2))
    assert first == second


def test_sizes_too_small_for_a_picture_are_refused():
    with pytest.raises(ValueError, match="size"):
        SpectrumConfig(size=(15, 90))
