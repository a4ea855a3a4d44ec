import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio
from ripieno.contracts.context import new_context
from ripieno.toolkit.channels import at_rate, audio_at_rate, channel_groups, ungrouped
from ripieno.toolkit.resampling import resample

RATES_HZ = (8000, 16000, 44100, 192000)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frames", [0, 1, 40_000])
def test_audio_at_another_rate_is_the_whole_resampled(rate_hz, frames):
    audio = Audio(0.1 * noise(2, frames), 22050)
    made = audio_at_rate(audio, rate_hz, writer=new_context().audio_writer)
    assert made.rate_hz == rate_hz
    np.testing.assert_array_equal(made.samples, resample(audio.samples, from_hz=22050, to_hz=rate_hz))
    assert audio_at_rate(audio, 22050, writer=new_context().audio_writer) is audio


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=5),
    shape=st.sampled_from([(1,), (2,), (3, 2)]),
    from_hz=st.sampled_from(RATES_HZ),
    to_hz=st.sampled_from(RATES_HZ),
)
def test_blocks_at_another_rate_are_the_whole_resampled_and_cut(sizes, shape, from_hz, to_hz):
    whole = noise(*shape, sum(sizes))
    frames = max(0, sum(sizes) * to_hz // from_hz - 7)
    blocks = np.split(whole, np.cumsum(sizes)[:-1], axis=-1)
    made = list(at_rate(blocks, from_hz=from_hz, to_hz=to_hz, frames=frames))
    assert {block.shape[:-1] for block in made} == {shape}
    expected = resample(whole.reshape(np.prod(shape), -1), from_hz=from_hz, to_hz=to_hz)
    joined = np.concatenate(made, axis=-1)
    np.testing.assert_allclose(joined, expected.reshape(*shape, -1)[..., :frames], atol=1e-6)


def test_no_blocks_stay_none():
    assert list(at_rate([], from_hz=8000, to_hz=16000, frames=0)) == []


@given(st.integers(1, 12), st.integers(1, 4))
def test_every_channel_is_heard_in_one_group_and_comes_back_in_its_place(channels, width):
    groups = channel_groups(channels, width=width)
    assert {len(group) for group in groups} == {width}
    assert [channel for group in groups for channel in dict.fromkeys(group)] == list(range(channels))
    samples = noise(3, channels, 50)
    parts = [samples[:, group, :] for group in groups]
    np.testing.assert_allclose(ungrouped(parts, groups), samples, rtol=1e-6)


def test_surround_is_heard_by_its_pairs():
    assert channel_groups(6, width=2) == ((0, 1), (2, 2), (3, 3), (4, 5))
    assert channel_groups(1, width=2) == ((0, 0),)
    assert channel_groups(2, width=1) == ((0,), (1,))


def test_what_was_made_twice_of_one_channel_is_their_mean():
    part = np.array([[1, 2], [3, 6]], np.float32)
    np.testing.assert_array_equal(ungrouped([part], [(0, 0)]), [[2, 4]])
    np.testing.assert_array_equal(ungrouped([part], [(0, 1)]), part)
