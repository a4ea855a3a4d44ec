import pickle
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pytest
from measured_sounds import hiss, silence, sound, voice
from tiny_taggers import narrow_cnn14, write_level_tagger

from ripieno.contracts import Asset, InputError, MissingError, PluginRef, StepError
from ripieno.contracts.context import new_context
from ripieno.contracts.testing import MetricSuite, overrides
from ripieno.toolkit.onnx import onnx_session
from ripieno_speech_metrics import catalogue
from ripieno_speech_metrics.cnn14 import main, read_weights, save_onnx
from ripieno_speech_metrics.log_mel import RATE_HZ, log_mel, mel_bands
from ripieno_speech_metrics.tagging import MUSIC, MusicProbability, MusicProbabilityConfig


@cache
def level_tagger() -> Path:
    return write_level_tagger(new_context().new_file(".onnx"))


def librosa_log_mel(samples: np.ndarray) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=RATE_HZ,
        n_fft=1024,
        hop_length=320,
        n_mels=64,
        fmin=50,
        fmax=14_000,
        pad_mode="reflect",
    )
    return librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None).T


class TestConformance(MetricSuite):
    plugin = MusicProbability

    def settings(self):
        return MusicProbabilityConfig(weights=level_tagger())

    def example(self):
        return {"audio": sound(voice())}

    @overrides("the model is the user's")
    def test_what_it_ships_has_a_licence(self) -> None:
        assert not self.plugin.licences


def test_bands_and_features_are_librosas():
    expected = librosa.filters.mel(sr=RATE_HZ, n_fft=1024, n_mels=64, fmin=50, fmax=14_000)
    assert mel_bands() == pytest.approx(expected, abs=1e-7)
    samples = (hiss(rate_hz=RATE_HZ) + voice(rate_hz=RATE_HZ)).astype(np.float32)
    assert log_mel(samples) == pytest.approx(librosa_log_mel(samples), abs=1e-3)


def test_the_probability_is_the_mean_and_the_highest_of_equal_parts():
    samples = (hiss(seconds=15, rate_hz=RATE_HZ) * np.repeat([1, 0.1], 7.5 * RATE_HZ)).astype(np.float32)
    scores = MusicProbability(MusicProbabilityConfig(weights=level_tagger())).measure(
        sound(samples, rate_hz=RATE_HZ)
    )
    parts = [np.pad(half, (0, round(2.5 * RATE_HZ))) for half in np.split(samples, 2)]
    expected = [1 / (1 + np.exp(-librosa_log_mel(part).mean() / 10)) for part in parts]
    assert scores.values["music_probability"] == pytest.approx(np.mean(expected), abs=1e-5)
    assert scores.values["music_probability_max"] == pytest.approx(max(expected), abs=1e-5)
    assert "2 parts of 15.00 s" in scores.compared_with


def test_an_entry_of_the_catalogue_may_name_the_weights():
    asset = catalogue.panns_cnn14.at(level_tagger())
    config = MusicProbabilityConfig(weights=PluginRef[Asset].of(asset))
    ours = MusicProbability(config).measure(sound(voice()))
    assert (
        ours.values
        == MusicProbability(MusicProbabilityConfig(weights=level_tagger())).measure(sound(voice())).values
    )


@pytest.mark.parametrize(
    "audio", [silence(), sound(hiss(seconds=0.05)), sound(*[voice(rate_hz=192_000)] * 6)]
)
def test_silence_short_and_surround_sound_are_tagged(audio):
    values = MusicProbability(MusicProbabilityConfig(weights=level_tagger())).measure(audio).values
    assert 0 <= values["music_probability"] <= values["music_probability_max"] <= 1


def test_empty_audio_has_no_probability():
    result = MusicProbability(MusicProbabilityConfig(weights=level_tagger())).measure(silence(0))
    assert result.values == {}
    assert "the audio is empty" in result.compared_with


class TestConversion:
    def test_the_converted_network_computes_what_torch_does(self, tmp_path):
        torch = pytest.importorskip("torch")
        weights = {name: torch.from_numpy(values) for name, values in narrow_cnn14().items()}
        weights["spectrogram_extractor.stft.conv_real.weight"] = torch.zeros(513, 1, 1024)
        torch.save({"model": weights, "iteration": 600_000}, tmp_path / "narrow.pth")
        assert main([str(tmp_path / "narrow.pth"), str(tmp_path / "narrow.onnx")]) == 0

        features = log_mel(hiss(seconds=10, rate_hz=RATE_HZ).astype(np.float32))[None, None]
        session = onnx_session(tmp_path / "narrow.onnx", distribution="ripieno-speech-metrics", gpu=False)
        [ours] = session.run(None, {"log_mel": features})
        assert ours == pytest.approx(torch_cnn14(torch, weights, features), abs=1e-5)
        scores = MusicProbability(MusicProbabilityConfig(weights=tmp_path / "narrow.onnx")).measure(
            sound(hiss(seconds=10, rate_hz=RATE_HZ), rate_hz=RATE_HZ)
        )
        assert scores.values["music_probability"] == pytest.approx(float(ours[0, MUSIC]), abs=1e-6)

    def test_what_is_no_checkpoint_is_refused_in_one_line(self, tmp_path, capsys):
        (tmp_path / "text.pth").write_text("no checkpoint", encoding="utf-8")
        assert main([str(tmp_path / "text.pth"), str(tmp_path / "out.onnx")]) == 1
        assert "not a checkpoint" in capsys.readouterr().err
        weights = narrow_cnn14()
        del weights["fc1.bias"]
        with pytest.raises(InputError, match=r"not a checkpoint of CNN14: it has no fc1\.bias"):
            save_onnx(weights, tmp_path / "out.onnx")
        assert not (tmp_path / "out.onnx").exists()

    def test_what_cannot_be_read_or_written_is_one_line(self, tmp_path, capsys):
        pytest.importorskip("torch")
        with pytest.raises(StepError, match=r"out\.onnx: cannot be written"):
            save_onnx(narrow_cnn14(), tmp_path / "nowhere" / "out.onnx")
        assert main([str(tmp_path / "nowhere.pth"), str(tmp_path / "out.onnx")]) == 1
        assert capsys.readouterr().err.splitlines() == [f"{tmp_path / 'nowhere.pth'}: no such file"]

    def test_a_checkpoint_that_would_run_code_is_never_executed(self, tmp_path):
        pytest.importorskip("torch")
        (tmp_path / "bomb.pth").write_bytes(pickle.dumps(Bomb(tmp_path / "went off"), protocol=2))
        with pytest.raises(InputError, match="not a checkpoint"):
            read_weights(tmp_path / "bomb.pth")
        assert not (tmp_path / "went off").exists()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def torch_cnn14(torch, weights, features: np.ndarray) -> np.ndarray:
    """CNN14 by torch's own operators, as its paper draws it."""
    functional = torch.nn.functional

    def normalized(values, name):
        parts = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(values, *parts)

    flow = normalized(torch.from_numpy(features).transpose(1, 3), "bn0").transpose(1, 3)
    for block in range(1, 7):
        for half in (1, 2):
            flow = functional.conv2d(flow, weights[f"conv_block{block}.conv{half}.weight"], padding=1)
            flow = functional.relu(normalized(flow, f"conv_block{block}.bn{half}"))
        flow = functional.avg_pool2d(flow, 2 if block < 6 else 1)
    flow = flow.mean(dim=3)
    flow = flow.max(dim=2).values + flow.mean(dim=2)
    for name, last in (("fc1", torch.relu), ("fc_audioset", torch.sigmoid)):
        flow = last(functional.linear(flow, weights[f"{name}.weight"], weights[f"{name}.bias"]))
    return flow.numpy()


class TestMissing:
    def test_without_a_model_one_line_says_what_to_get(self):
        with pytest.raises(MissingError, match=r"330 MB, CC-BY-4\.0.*then run: pip install") as error:
            MusicProbability().measure(sound(voice()))
        assert "\n" not in str(error.value)
        assert '"ripieno-speech-metrics[convert]"; python -m ripieno_speech_metrics.cnn14' in str(error.value)
        with pytest.raises(MissingError, match="then run: pip install"):
            MusicProbability.assets(MusicProbabilityConfig())
        assert catalogue.panns_cnn14.licence == "CC-BY-4.0"

    def test_a_file_that_is_not_there_or_another_network_is_refused(self, tmp_path, capfd):
        def measure(path):
            MusicProbability(MusicProbabilityConfig(weights=path)).measure(sound(voice()))

        with pytest.raises(MissingError, match="no such file"):
            measure(tmp_path / "nowhere.onnx")
        (tmp_path / "text.onnx").write_text("no network", encoding="utf-8")
        with pytest.raises(InputError, match="not a network"):
            measure(tmp_path / "text.onnx")
        with pytest.raises(InputError, match="not a tagger: it has waveform"):
            measure(write_level_tagger(tmp_path / "other.onnx", port="waveform"))
        with pytest.raises(InputError, match=r"gives probabilities \(1, 10\)"):
            measure(write_level_tagger(tmp_path / "small.onnx", classes=10))
        with pytest.raises(InputError, match=r"narrow\.onnx: fails on log_mel \(1, 1, 1001, 64\)") as error:
            measure(write_level_tagger(tmp_path / "narrow.onnx", bands=32))
        assert "\n" not in str(error.value)
        assert "narrow.onnx" not in capfd.readouterr().err
