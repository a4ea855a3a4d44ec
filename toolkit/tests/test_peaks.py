from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.peaks import peaks


def split(samples, cuts):
    edges = [0, *sorted(cut % (samples.shape[1] + 1) for cut in cuts), samples.shape[1]]
    return [samples[:, start:stop] for start, stop in pairwise(edges)]


@given(st.integers(1, 400), st.integers(1, 60), st.lists(st.integers(0, 1000), max_size=6))
def test_a_column_spans_the_frames_behind_it_in_any_split(length, columns, cuts):
    samples = np.random.default_rng(length).standard_normal((2, length)).astype(np.float32)
    drawn = min(columns, length)
    behind = [
        [frame for frame in range(length) if i * length <= frame * drawn < (i + 1) * length]
        for i in range(drawn)
    ]
    lows = [samples[:, frames].min() for frames in behind]
    highs = [samples[:, frames].max() for frames in behind]
    spread = np.arange(columns) * drawn // columns
    envelope = peaks(split(samples, cuts), length=length, columns=columns)
    np.testing.assert_array_equal(envelope, np.array([lows, highs], np.float32)[:, spread])


def test_an_empty_signal_is_a_flat_line():
    np.testing.assert_array_equal(peaks([], length=0, columns=5), np.zeros((2, 5)))


@pytest.mark.parametrize("length", [9, 11])
def test_blocks_of_another_length_than_said_are_refused(length):
    with pytest.raises(InputError, match="the blocks have"):
        peaks([np.zeros((1, 10))], length=length, columns=3)


def test_no_columns_are_refused():
    with pytest.raises(InputError, match="columns is 0"):
        peaks([], length=0, columns=0)
