import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.toolkit.mixing import mix_gains


@pytest.mark.parametrize("channels", [3, 5, 6, 8])
def test_surround_loses_no_channel_but_the_low_one(channels):
    heard = mix_gains(channels, 2).sum(axis=0) > 0
    assert heard.sum() == channels - (channels >= 6)


@given(channels=st.integers(2, 12), wanted=st.integers(3, 12))
def test_other_numbers_of_channels_keep_their_places_and_never_get_louder(channels, wanted):
    gains = mix_gains(channels, wanted)
    assert (np.diag(gains) > 0).all()
    assert gains.sum(axis=1).max() <= 1 + 1e-12
    assert (gains.sum(axis=0) > 0).all()
