"""The training: its material, its loss, its resumption, its export."""

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, Context, Dataset, InputError, Model
from ripieno.contracts.context import use_context
from ripieno.contracts.testing import TrainerSuite
from ripieno.toolkit.distortion import si_sdr_db
from ripieno.toolkit.onnx import onnx_session
from ripieno.toolkit.spectra import Analysis, Synthesis
from ripieno_speech_mask.features import (
    BINS,
    FEATURES,
    HOP,
    RATE_HZ,
    SpeechFeatures,
    features_of_clips,
    tapers,
)
from ripieno_speech_mask.trainer import SpeechMaskTrainer, SpeechMaskTrainerConfig
from ripieno_speech_mask.training.export import export, weights_of
from ripieno_speech_mask.training.lessons import gain_db
from ripieno_speech_mask.training.loss import mask_loss
from ripieno_speech_mask.training.mixtures import Recipe, batch_of, draw_batches
from ripieno_speech_mask.training.network import MaskNetwork
from ripieno_speech_mask.training.sounds import Sounds

TIME_S = np.arange(3 * RATE_HZ) / RATE_HZ
SMALL = SpeechMaskTrainerConfig(steps=4, batch=2, epoch=2, clip_s=1)


def noises(rng, index):
    """What stands for speech: bursts of noise."""
    return 0.2 * rng.standard_normal(len(TIME_S)) * (np.sin((5 + index) * TIME_S) > 0)


def tones(rng, index):
    """What stands for music: chords."""
    return 0.05 * sum(np.sin(2 * np.pi * hz * TIME_S) for hz in rng.uniform(100, 3000, 4 + index))


def clips(folder, name, make, splits=("train", "train", "validation")):
    rng, files = np.random.default_rng(len(name)), {}
    for index in range(len(splits)):
        path = folder / f"{name}-{index}.flac"
        soundfile.write(path, make(rng, index), RATE_HZ)
        files[path.name] = path
    listed = [{"name": path[:-5], "split": split} for path, split in zip(files, splits, strict=True)]
    return Dataset(files, {"clips": listed})


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    return {"speech": [clips(folder, "noises", noises)], "music": [clips(folder, "tones", tones)]}


def trained(material, folder, config=SMALL, **more):
    context = Context(scratch=folder / "scratch", checkpoint=folder / "checkpoint", seed=3)
    for made in (context.scratch, context.checkpoint):
        made.mkdir(parents=True, exist_ok=True)
    with use_context(context):
        return SpeechMaskTrainer(config).train(**material, **more)


class TestConformance(TrainerSuite):
    plugin = SpeechMaskTrainer
    config = SMALL

    @pytest.fixture(autouse=True)
    def _given(self, material):
        type(self).material = material

    def example(self):
        return self.material


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=20)
def test_clips_have_the_features_of_streams(seed, frames):
    power = np.random.default_rng(seed).gamma(0.3, 10, (frames, BINS)).astype(np.float32)
    assert features_of_clips(power[None])[0] == pytest.approx(SpeechFeatures().frames(power), abs=1e-5)


def test_features_do_not_depend_on_gain():
    power = np.random.default_rng(1).gamma(0.3, 1e4, (50, BINS)).astype(np.float32)
    assert SpeechFeatures().frames(power * 10) == pytest.approx(SpeechFeatures().frames(power), abs=1e-3)


def drawn(seed=0, **recipe):
    rng = np.random.default_rng(0)
    speech, music = (Sounds([np.rint(9000 * make(rng, 1)).astype(np.int16)]) for make in (noises, tones))
    taper = tapers(True)[0].astype(np.float32)
    return draw_batches(
        np.random.default_rng(seed), speech, music, Recipe(clip_s=2, **recipe), clips=3, taper=taper
    )[-1]


@given(st.integers(0, 1000), st.floats(-5, 15))
@settings(max_examples=15, deadline=None)
def test_mixtures_have_the_ratio_that_is_asked_for(seed, snr_db):
    batch = drawn(seed, snr_db=(snr_db, snr_db), music_alone=0, speech_alone=0)
    # |X - S|^2 = |X|^2 - 2 Re(X S*) + |S|^2
    music = (batch.mixture - 2 * batch.both + batch.speech).mean(axis=(1, 2))
    assert 10 * np.log10(batch.speech.mean(axis=(1, 2)) / music) == pytest.approx(snr_db, abs=0.1)


def test_the_oracle_has_less_loss_than_any_constant_mask():
    batch = drawn(music_alone=0, speech_alone=0)
    mixture, speech, both = map(torch.from_numpy, (batch.mixture, batch.speech, batch.both))
    oracle = (both / mixture.clamp(min=1e-9)).clamp(0, 1)
    losses = mask_loss(oracle, mixture, speech, both)
    for constant in (0.0, 0.3, 0.7, 1.0):
        assert (losses < mask_loss(torch.full_like(mixture, constant), mixture, speech, both)).all()


def test_music_alone_is_best_silenced():
    batch = drawn(music_alone=1, speech_alone=0)
    mixture, speech, both = map(torch.from_numpy, (batch.mixture, batch.speech, batch.both))
    assert not speech.any()
    silenced, kept = (
        mask_loss(torch.full_like(mixture, share), mixture, speech, both) for share in (0.01, 0.5)
    )
    assert (silenced < kept).all()


def test_the_gain_in_spectra_is_the_gain_in_samples():
    rng = np.random.default_rng(5)
    voice, music = 0.1 * rng.standard_normal((2, 1, 4 * RATE_HZ)).astype(np.float32)
    analysis, synthesis = tapers(True)
    spectra = []
    for sound in (voice, music):
        stream = Analysis(analysis, hop=HOP, channels=1)
        spectra.append(np.concatenate([stream.push(sound), stream.flush()])[:, 0])
    # Smooth over the bins: overlapping frames agree on such a mask, and what is masked is what is heard.
    mask = np.linspace(0.1, 1, BINS, dtype=np.float32)[None].repeat(len(spectra[0]), axis=0)
    batch = batch_of(spectra[0][None], spectra[1][None])
    parts = [torch.from_numpy(part) for part in (mask[None], batch.mixture, batch.speech, batch.both)]
    estimate = Synthesis(synthesis, hop=HOP, channels=1).flush(
        voice.shape[1], spectra=(spectra[0] + spectra[1])[:, None] * mask[:, None]
    )
    gained_db = si_sdr_db(estimate, voice) - si_sdr_db(voice + music, voice)
    assert float(gain_db(*parts)) == pytest.approx(gained_db, abs=0.05)


def test_it_learns(material, tmp_path):
    # Twelve chords to learn from, so that others are known for chords.
    music = [clips(tmp_path, "tones", tones, splits=("train",) * 12 + ("validation",))]
    config = SpeechMaskTrainerConfig(steps=50, batch=4, epoch=50, clip_s=2, snr_db=(-5, 5))
    assert trained({**material, "music": music}, tmp_path, config).metadata["validation_gain_db"] > 2


def test_a_training_that_was_broken_off_ends_as_one_that_was_not(material, tmp_path, monkeypatch):
    whole = trained(material, tmp_path / "whole").path.read_bytes()
    seen = []

    def stop(self, done, total=0, unit=""):
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Context, "progress", stop)
    with pytest.raises(KeyboardInterrupt):
        trained(material, tmp_path / "broken")
    monkeypatch.undo()
    again = []
    monkeypatch.setattr(Context, "progress", lambda self, done, total=0, unit="": again.append(done))
    assert trained(material, tmp_path / "broken").path.read_bytes() == whole
    assert seen == [1, 2, 3]
    assert again == [3, 4]


def test_a_training_that_was_broken_off_after_its_last_step_is_written_all_the_same(material, tmp_path):
    first, again = (trained(material, tmp_path) for _ in range(2))
    assert again.metadata["validation_gain_db"] == first.metadata["validation_gain_db"]
    assert again.path.read_bytes() == first.path.read_bytes()


@pytest.mark.parametrize("look_ahead", [0, 31])
def test_the_file_gives_frame_by_frame_what_the_network_gives_at_once(tmp_path, look_ahead):
    torch.manual_seed(1)
    network, path = MaskNetwork(look_ahead).eval(), tmp_path / "network.onnx"
    export(network, path)
    features = torch.randn(1, 60, FEATURES)
    with torch.no_grad():
        whole, *_ = network(features, *network.states(1))
    session = onnx_session(path, distribution="ripieno-speech-mask")
    states = {f"state_{index}": state.numpy() for index, state in enumerate(network.states(1))}
    masks = []
    for frame in features.numpy().swapaxes(0, 1):
        mask, *after = session.run(None, {"features": frame[None], **states})
        states = dict(zip(states, after, strict=True))
        masks.append(mask)
    assert np.concatenate(masks, axis=1) == pytest.approx(whole.numpy(), abs=1e-5)


def test_weights_come_back_from_the_file(tmp_path):
    network, path = MaskNetwork(31), tmp_path / "network.onnx"
    # As after training: the exporter writes weights that are alike once.
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    export(network, path)
    back = weights_of(path, MaskNetwork(0))
    assert all(torch.equal(back[name], weight) for name, weight in network.state_dict().items())


def test_another_networks_weights_are_refused(material, tmp_path):
    from tiny_network import random_network

    other = random_network(tmp_path / "other.onnx", look_ahead_frames=0)
    with pytest.raises(InputError, match="not the weights of this network"):
        trained(material, tmp_path, init=Model(other))


def test_a_set_without_clips_to_validate_on_is_refused(material, tmp_path):
    speech = [clips(tmp_path, "noises", noises, splits=("train", "train"))]
    with pytest.raises(InputError, match="speech have no clip in the split validation"):
        trained({**material, "speech": speech}, tmp_path)


def test_recordings_of_any_rate_and_channels_are_taken(material, tmp_path):
    rng = np.random.default_rng(2)
    songs = [
        Audio(0.1 * rng.standard_normal((2, 44100)).astype(np.float32), 44100),
        Audio(np.zeros((1, 0), np.float32), 8000),
    ]
    assert trained(material, tmp_path, songs=songs).metadata["music_s"] == 7
