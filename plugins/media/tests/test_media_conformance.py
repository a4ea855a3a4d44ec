from typing import ClassVar

import ffmpeg
import numpy as np
import pytest

from ripieno.contracts import Stems
from ripieno.contracts.testing import CodecSuite, EffectSuite, JoinerSuite, music, overrides
from ripieno.toolkit.ffmpeg import file_url, probe, run
from ripieno_media.adapters import Downmix, DownmixConfig, Resample, ResampleConfig
from ripieno_media.codecs import AudioFile, ImageFile, StemsFolder, VideoFile
from ripieno_media.encoding import WRITABLE
from ripieno_media.loudness import Loudness
from ripieno_media.mux import Mux


def sound():
    return music(rate_hz=48000, channels=2, frames=4800)


def film(path, **options):
    picture = ffmpeg.input("testsrc=s=64x48:r=25:d=1", format="lavfi")
    run(ffmpeg.compile(picture.output(file_url(path), threads=1, **options)))
    return path


class TestResample(EffectSuite):
    plugin = Resample
    config = ResampleConfig(rate_hz=22050)


class TestResampleUpwards(EffectSuite):
    plugin = Resample
    config = ResampleConfig(rate_hz=96000)


class TestResampleThatLeavesTheRate(EffectSuite):
    plugin = Resample


class TestDownmixToMono(EffectSuite):
    plugin = Downmix
    config = DownmixConfig(channels=1)


class TestDownmixOfSurround(EffectSuite):
    plugin = Downmix
    config = DownmixConfig(channels=2)

    def clip(self, *, channels=0, **lengths):
        return super().clip(channels=channels or 6, **lengths)


class TestLoudness(EffectSuite):
    plugin = Loudness


class TestAudioFile(CodecSuite):
    plugin = AudioFile

    def artifact(self):
        return sound()

    @overrides("other suffixes are lossy, of 24 bits, or only read; test_media_codecs looks at each")
    def test_what_it_writes_it_reads_again(self):
        for suffix in WRITABLE:
            path = self.new_path(suffix)
            self.codec().write(sound(), path)
            again = self.codec().read(path)
            assert again.format == sound().format
            if suffix in (".wav", ".flac", ".aiff", ".aif"):
                np.testing.assert_allclose(again.samples, sound().samples, atol=2.0**-23)


class TestStemsFolder(CodecSuite):
    plugin = StemsFolder

    def artifact(self):
        return Stems({"bass": sound(), "drums": sound()})


class TestVideoFile(CodecSuite):
    plugin = VideoFile
    containers: ClassVar = {"libx264": (".mp4", ".mkv", ".mov"), "libvpx-vp9": (".webm", ".mkv", ".mp4")}

    def artifact(self):
        return self.codec().read(film(self.new_path(".mp4"), vcodec="libx264"))

    @overrides("no codec of pictures fits into every container")
    def test_what_it_writes_it_reads_again(self):
        for codec, suffixes in self.containers.items():
            source = self.codec().read(film(self.new_path(suffixes[0]), vcodec=codec))
            for suffix in suffixes:
                path = self.new_path(suffix)
                self.codec().write(source, path)
                again = self.codec().read(path)
                assert (again.width, again.height, again.fps) == (64, 48, 25.0)
                assert again.duration_s == pytest.approx(source.duration_s, abs=0.05)
                assert probe(path).video_codec == probe(source.path).video_codec


class TestImageFile(CodecSuite):
    plugin = ImageFile
    options: ClassVar = {"vframes": 1, "update": 1}

    def artifact(self):
        return self.codec().read(film(self.new_path(".png"), **self.options))

    @overrides("a picture is copied, never turned into another format")
    def test_what_it_writes_it_reads_again(self):
        for suffix in self.codec().suffixes:
            picture = self.codec().read(film(self.new_path(suffix), **self.options))
            path = self.new_path(suffix)
            self.codec().write(picture, path)
            assert path.read_bytes() == picture.path.read_bytes()


class TestMux(JoinerSuite):
    plugin = Mux

    def example(self):
        path = self.once("film", lambda: self.new_film())
        return {"video": VideoFile().read(path), "audio": music(rate_hz=44100, channels=2, frames=44100)}

    def new_film(self):
        from ripieno.contracts.testing.suite import kit_context

        return film(kit_context(Mux(), 0).new_file(".mp4"))
