"""Every plugin of the distribution keeps what its interface asks."""

import numpy as np
import pytest
from augment_examples import example

from ripieno.contracts import Features, PluginRef
from ripieno.contracts.testing import AugmenterSuite, DataSourceSuite
from ripieno_augment.bank_source import MakeAssetBank, MakeAssetBankConfig
from ripieno_augment.chain import Chain, ChainConfig, ChainStep
from ripieno_augment.codec import LossyCodec, LossyCodecConfig
from ripieno_augment.dynamics import ChangeGain, Compress
from ripieno_augment.equalizer import Equalize
from ripieno_augment.masking import SpecAugment
from ripieno_augment.noise import AddNoise
from ripieno_augment.room import PutInRoom
from ripieno_augment.warping import PitchShift, TimeStretch


class ExampleSuite(AugmenterSuite):
    def augmented(self):
        return example(seconds=1.5, channels=2)


class TestNoise(ExampleSuite):
    plugin = AddNoise


class TestRoom(ExampleSuite):
    plugin = PutInRoom


class TestEqualize(ExampleSuite):
    plugin = Equalize


class TestGain(ExampleSuite):
    plugin = ChangeGain


class TestCompress(ExampleSuite):
    plugin = Compress


class TestMp3(ExampleSuite):
    plugin = LossyCodec
    config = LossyCodecConfig(formats=("mp3",))


class TestAac(ExampleSuite):
    plugin = LossyCodec
    config = LossyCodecConfig(formats=("aac",))


class TestOpus(ExampleSuite):
    plugin = LossyCodec
    config = LossyCodecConfig(formats=("opus",))


class TestTimeStretch(ExampleSuite):
    plugin = TimeStretch


class TestPitchShift(ExampleSuite):
    plugin = PitchShift


class TestSpecAugment(ExampleSuite):
    plugin = SpecAugment


class TestSpecAugmentOfFeatures(AugmenterSuite):
    plugin = SpecAugment

    def augmented(self):
        values = np.random.default_rng(0).random((100, 40), np.float32)
        return Features(values, tuple(f"mel_{index}" for index in range(40)), 100.0)


def step(plugin, probability=0.7):
    return ChainStep(augmenter=PluginRef.of(plugin()), probability=probability)


class TestChain(ExampleSuite):
    plugin = Chain
    config = ChainConfig(steps=tuple(map(step, (Equalize, Compress, PutInRoom, AddNoise, ChangeGain))))


class TestAssetBank(DataSourceSuite):
    plugin = MakeAssetBank
    config = MakeAssetBankConfig(rooms=2, noises=2, rate_hz=16000, noise_s=1.0, rt60_s=(0.15, 0.3))


@pytest.mark.parametrize("plugin", [Equalize, Compress, PutInRoom, AddNoise, TimeStretch, PitchShift])
def test_two_draws_differ(plugin):
    augmenter = plugin()
    assert augmenter.draw(np.random.default_rng(1)) != augmenter.draw(np.random.default_rng(2))
