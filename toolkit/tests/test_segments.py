"""Overlap-add against the whole sum, however long the sound and its segments are."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.toolkit.segments import overlap_add


@given(
    frames=st.integers(1, 60),
    longest=st.integers(1, 20),
    hop=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_blocks_are_the_weighted_mean_of_all_segments(frames, longest, hop, seed):
    hop = min(hop, longest)
    rng = np.random.default_rng(seed)
    taper = rng.uniform(0.1, 1, longest).astype(np.float32)
    starts = range(0, frames, hop)
    segments = [rng.uniform(-1, 1, (2, 3, min(longest, frames - start))) for start in starts]
    summed, weight = np.zeros((2, 3, frames)), np.zeros(frames)
    for start, segment in zip(starts, segments, strict=True):
        length = segment.shape[-1]
        summed[..., start : start + length] += taper[:length] * segment
        weight[start : start + length] += taper[:length]
    blocks = list(overlap_add((part.astype(np.float32) for part in segments), taper=taper, hop=hop))
    np.testing.assert_allclose(np.concatenate(blocks, axis=-1), summed / weight, atol=1e-5)
    assert all(block.shape[-1] for block in blocks)


def test_a_block_is_given_before_the_next_segment_is_made():
    made = []

    def segments():
        for number in range(3):
            made.append(number)
            yield np.full((1, 4), number, np.float32)

    blocks = overlap_add(segments(), taper=np.ones(4, np.float32), hop=2)
    assert next(blocks).tolist() == [[0, 0]]
    assert made == [0]
    assert [block.tolist() for block in blocks] == [[[0.5, 0.5]], [[1.5, 1.5]], [[2, 2]]]


def test_of_no_segment_there_is_nothing():
    assert not list(overlap_add([], taper=np.ones(4, np.float32), hop=2))


def test_torch_has_its_threads_back_even_after_an_error():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from ripieno.toolkit.torch import torch_threads

    def fail():
        with torch_threads(before + 1):
            raise ZeroDivisionError(torch.get_num_threads())

    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError, match=f"^{before + 1}$"):
        fail()
    assert torch.get_num_threads() == before
