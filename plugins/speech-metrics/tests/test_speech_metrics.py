import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from measured_sounds import RATE_HZ, hiss, silence, sound, voice

from ripieno.contracts import InputError, MissingError
from ripieno.contracts.testing import MetricSuite
from ripieno.toolkit.distortion import residual_music_db, si_sdr_db
from ripieno.toolkit.loudness import LoudnessMeter
from ripieno_speech_metrics.comparing import blocks_together, parts_together
from ripieno_speech_metrics.loudness import LoudnessScores
from ripieno_speech_metrics.quality import Pesq, PesqConfig, Stoi, StoiConfig
from ripieno_speech_metrics.separation import ResidualMusic, SiSdr

pesq = pytest.importorskip("pesq")
pystoi = pytest.importorskip("pystoi")

NOISY = sound(voice() + hiss())
CLEAN = sound(voice())


class TestSiSdrConformance(MetricSuite):
    plugin = SiSdr

    def example(self):
        return {"estimate": NOISY, "reference": CLEAN, "mixture": sound(voice() + 3 * hiss())}


class TestResidualMusicConformance(MetricSuite):
    plugin = ResidualMusic

    def example(self):
        return {"estimate": NOISY, "speech": CLEAN, "music": sound(2 * hiss())}


class TestLoudnessConformance(MetricSuite):
    plugin = LoudnessScores

    def example(self):
        return {"audio": NOISY}


class TestStoiConformance(MetricSuite):
    plugin = Stoi
    config = StoiConfig(extended=True)

    def example(self):
        return {"estimate": NOISY, "reference": CLEAN}


class TestPesqConformance(MetricSuite):
    plugin = Pesq

    def example(self):
        return {"estimate": NOISY, "reference": CLEAN}


class TestSeparation:
    def test_figures_are_those_of_the_toolkit_and_say_what_they_were_compared_with(self):
        mixture = sound(voice() + 3 * hiss())
        scores = SiSdr().measure(NOISY, CLEAN, mixture)
        ratio_db, mixed_db = (si_sdr_db(audio.samples, CLEAN.samples) for audio in (NOISY, mixture))
        assert scores.values["si_sdr_db"] == pytest.approx(ratio_db, abs=1e-9)
        assert scores.values["si_sdr_mixture_db"] == pytest.approx(mixed_db, abs=1e-9)
        assert scores.values["si_sdr_improvement_db"] == pytest.approx(ratio_db - mixed_db, abs=1e-9)
        assert scores.compared_with == "the reference and the mixture, 3.00 s at 16000 Hz, 1 channel"

    def test_residual_music_is_that_of_the_toolkit(self):
        music = sound(4 * hiss())
        scores = ResidualMusic().measure(NOISY, CLEAN, music)
        expected = residual_music_db(
            NOISY.samples, speech=CLEAN.samples, music=music.samples, rate_hz=RATE_HZ
        )
        assert scores.values == {"residual_music_db": pytest.approx(expected, abs=1e-9)}
        assert expected == pytest.approx(20 * math.log10(1 / 4), abs=0.1)

    def test_a_mono_sound_stands_for_each_channel_and_other_differences_are_refused(self):
        stereo = sound(voice() + hiss(seed=1), voice() + 0.1 * hiss(seed=2))
        ratios = [si_sdr_db(channel, CLEAN.samples[0]) for channel in stereo.samples]
        assert SiSdr().measure(stereo, CLEAN).values["si_sdr_db"] == pytest.approx(np.mean(ratios), abs=1e-9)
        with pytest.raises(InputError, match=r"estimate has 6.*effect/downmix"):
            SiSdr().measure(sound(*[voice()] * 6), stereo)

    def test_another_rate_is_brought_to_that_of_the_reference(self):
        faster = sound(voice(rate_hz=48_000), rate_hz=48_000)
        assert SiSdr().measure(faster, CLEAN).values["si_sdr_db"] > 30

    @pytest.mark.parametrize("metric", [SiSdr(), Stoi(), Pesq()])
    def test_sounds_of_different_lengths_are_refused(self, metric):
        with pytest.raises(InputError, match=r"estimate lasts 3\.0000 s and reference 2\.9500 s.*Cut both"):
            metric.measure(CLEAN, sound(voice()[: -round(0.05 * RATE_HZ)]))

    def test_one_sample_of_resampling_is_no_other_length(self):
        shorter = sound(voice()[:-1] + hiss()[:-1])
        assert SiSdr().measure(shorter, CLEAN).values["si_sdr_db"] > 0

    def test_what_has_no_finite_ratio_is_left_out_and_said(self):
        scores = SiSdr().measure(CLEAN, silence())
        assert scores.values == {}
        assert "no si_sdr_db: one of the signals is silent" in scores.compared_with
        assert "no residual_music_db" in ResidualMusic().measure(NOISY, CLEAN, silence()).compared_with


class TestStoi:
    @pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 192_000])
    def test_it_is_pystois_figure(self, rate_hz):
        clean, noise = voice(rate_hz=rate_hz), hiss(rate_hz=rate_hz)
        estimate, reference = (sound(samples, rate_hz=rate_hz) for samples in (clean + noise, clean))
        scores = Stoi(StoiConfig(extended=True)).measure(estimate, reference)
        arrays = [audio.samples[0].astype(float) for audio in (reference, estimate)]
        assert scores.values["stoi"] == pytest.approx(pystoi.stoi(*arrays, rate_hz), abs=1e-9)
        assert scores.values["estoi"] == pytest.approx(pystoi.stoi(*arrays, rate_hz, extended=True), abs=1e-6)

    def test_long_sounds_are_the_mean_of_equal_parts(self):
        clean, noise = voice(seconds=12), hiss(seconds=12) * np.linspace(0, 3, 12 * RATE_HZ)
        scores = Stoi(StoiConfig(part_s=6)).measure(sound(clean + noise), sound(clean))
        halves = [
            (part, part + added) for part, added in zip(np.split(clean, 2), np.split(noise, 2), strict=True)
        ]
        expected = [
            pystoi.stoi(*(samples.astype(np.float32).astype(float) for samples in half), RATE_HZ)
            for half in halves
        ]
        assert scores.values["stoi"] == pytest.approx(np.mean(expected), abs=1e-6)
        assert scores.compared_with.endswith("mean of 2 of 2 parts")

    def test_parts_without_speech_are_left_out(self):
        clean = np.concatenate([voice(seconds=6), np.zeros(6 * RATE_HZ)])
        estimate = sound(clean + hiss(seconds=12))
        scores = Stoi(StoiConfig(part_s=6)).measure(estimate, sound(clean))
        alone = Stoi().measure(sound(estimate.samples[0, : 6 * RATE_HZ]), sound(clean[: 6 * RATE_HZ]))
        assert scores.values == alone.values
        assert scores.compared_with.endswith("mean of 1 of 2 parts")

    def test_the_global_generator_is_left_as_it_was(self):
        np.random.seed(7)
        before = np.random.get_state()[1].copy()
        Stoi(StoiConfig(extended=True)).measure(NOISY, CLEAN)
        assert (np.random.get_state()[1] == before).all()


class TestPesq:
    @pytest.mark.parametrize(("band", "rate_hz", "mode"), [("wide", 16_000, "wb"), ("narrow", 8000, "nb")])
    def test_it_is_the_packages_figure(self, band, rate_hz, mode):
        clean, noise = voice(rate_hz=rate_hz), hiss(rate_hz=rate_hz)
        estimate, reference = (sound(samples, rate_hz=rate_hz) for samples in (clean + noise, clean))
        scores = Pesq(PesqConfig(band=band)).measure(estimate, reference)
        expected = pesq.pesq(rate_hz, reference.samples[0], estimate.samples[0], mode)
        assert scores.values == {f"pesq_{mode}": pytest.approx(expected, abs=1e-6)}

    def test_the_voice_itself_has_the_highest_score_of_the_standard(self):
        # P.862.1 and P.862.2 map the highest raw score, 4.5, by logistic functions.
        wide = 0.999 + 4 / (1 + math.exp(-1.3669 * 4.5 + 3.8224))
        narrow = 0.999 + 4 / (1 + math.exp(-1.4945 * 4.5 + 4.6607))
        assert Pesq().measure(CLEAN, CLEAN).values["pesq_wb"] == pytest.approx(wide, abs=1e-3)
        narrowband = Pesq(PesqConfig(band="narrow")).measure(CLEAN, CLEAN)
        assert narrowband.values["pesq_nb"] == pytest.approx(narrow, abs=1e-3)

    def test_long_sounds_are_measured_in_parts(self):
        clean = voice(seconds=25)
        scores = Pesq().measure(sound(clean + hiss(seconds=25)), sound(clean))
        assert 1 < scores.values["pesq_wb"] < 4.6
        assert scores.compared_with.endswith("mean of 2 of 2 parts")


class TestLoudness:
    def test_figures_are_those_of_the_toolkit(self):
        audio = sound(voice(seconds=5), hiss(seconds=5))
        meter = LoudnessMeter(RATE_HZ, channels=2)
        meter.push(audio.samples)
        assert LoudnessScores().measure(audio).values == {
            "loudness_lufs": pytest.approx(meter.integrated_lufs, abs=1e-9),
            "loudness_range_lu": pytest.approx(meter.range_lu, abs=1e-9),
            "true_peak_dbtp": pytest.approx(meter.true_peak_dbtp, abs=1e-9),
        }

    def test_silence_has_no_loudness(self):
        scores = LoudnessScores().measure(silence(5))
        assert scores.values == {}
        assert "no loudness_lufs, loudness_range_lu, true_peak_dbtp: silent" in scores.compared_with

    @pytest.mark.parametrize(("seconds", "has_range"), [(1.0, False), (2.9, False), (3.0, True)])
    def test_a_range_needs_three_seconds(self, seconds, has_range):
        scores = LoudnessScores().measure(sound(hiss(seconds=seconds)))
        assert ("loudness_range_lu" in scores.values) == has_range
        assert ("no loudness_range_lu: " in scores.compared_with) != has_range


PAIRED = [SiSdr(), Stoi(StoiConfig(extended=True)), Pesq(), Pesq(PesqConfig(band="narrow"))]


class TestBadInput:
    @pytest.mark.parametrize("metric", PAIRED)
    @pytest.mark.parametrize(
        ("estimate", "reference"),
        [
            (CLEAN, silence()),
            (silence(), CLEAN),
            (silence(), silence()),
            (silence(0), silence(0)),
            (sound(voice(seconds=0.05)), sound(voice(seconds=0.05) + hiss(seconds=0.05))),
            (sound(hiss()[:1]), sound(voice()[:1])),
            (sound(1e-30 * voice()), CLEAN),
            (sound(np.full(3 * RATE_HZ, 0.5)), CLEAN),
            (CLEAN, sound(np.full(3 * RATE_HZ, 0.5))),
            (sound(np.clip(30 * voice(), -1, 1)), CLEAN),
        ],
    )
    def test_silence_constants_and_hardly_any_sound_give_finite_figures_or_say_why_not(
        self, metric, estimate, reference
    ):
        scores = metric.measure(estimate, reference)
        assert all(map(math.isfinite, scores.values.values()))
        assert scores.values or "; no " in scores.compared_with

    @pytest.mark.parametrize("metric", PAIRED)
    @pytest.mark.parametrize("rate_hz", [8000, 11_025, 44_100, 192_000])
    def test_every_rate_and_dead_channels_are_measured(self, metric, rate_hz):
        clean, noise = voice(rate_hz=rate_hz), hiss(rate_hz=rate_hz)
        dead = np.zeros_like(clean)
        estimate, reference = (
            sound(*[samples, dead] * 3, rate_hz=rate_hz) for samples in (clean + noise, clean)
        )
        assert metric.measure(estimate, reference).values

    @pytest.mark.parametrize("seconds", [0, 0.05, 1])
    def test_loudness_of_short_and_surround_sound_is_measured(self, seconds):
        noise = hiss(seconds=seconds, rate_hz=48_000) if seconds else np.zeros(0)
        scores = LoudnessScores().measure(sound(*[noise] * 6, rate_hz=48_000))
        assert all(map(math.isfinite, scores.values.values()))

    @pytest.mark.parametrize(("metric", "module"), [(Stoi(), "pystoi"), (Pesq(), "pesq")])
    def test_a_library_that_is_missing_is_named_with_its_cure(self, metric, module, monkeypatch):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(
            MissingError,
            match=rf'pip install "ripieno-speech-metrics\[{metric.__class__.__name__.lower()}\]"',
        ):
            metric.measure(NOISY, CLEAN)


class TestComparing:
    @settings(max_examples=30)
    @given(st.sampled_from([8000, 16_000, 44_100]), st.integers(1000, 50_000), st.integers(1, 32_000))
    def test_blocks_are_together_all_there_is(self, rate_hz, frames, length):
        ours, other = sound(hiss()[:length]), sound(voice(rate_hz=rate_hz)[:length], rate_hz=rate_hz)
        blocks = list(blocks_together([ours, other], rate_hz=RATE_HZ, channels=1, frames=frames))
        assert all(mine.shape == yours.shape for mine, yours in blocks)
        assert all(mine.shape[1] == frames for mine, _ in blocks[:-1])
        joined = np.concatenate([mine for mine, _ in blocks], axis=1)
        shortest = min(length, -(-other.frames * RATE_HZ // rate_hz))
        assert (joined == ours.samples[:, :shortest]).all() and joined.shape[1] == shortest

    def test_parts_are_equal_and_no_longer_than_asked(self):
        parts = [len(part) for (part,) in parts_together([sound(hiss())], rate_hz=RATE_HZ, longest_s=0.7)]
        assert sum(parts) == 3 * RATE_HZ
        assert len(parts) == 5 and max(parts) - min(parts) <= 5
