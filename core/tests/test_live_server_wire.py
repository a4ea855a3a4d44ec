"""What clients may say, read: any text and any bytes are either understood or refused."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.contracts.formats import AudioFormat
from ripieno.core.live.wire import Ask, parse_ask, parse_audio

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
asks = st.fixed_dictionaries(
    {},
    optional={
        "token": json_values,
        "contract": json_values | st.just("slow_state.v1"),
        "audio": json_values | st.fixed_dictionaries({"rate_hz": json_values, "channels": json_values}),
        "more": json_values,
    },
)


@given(st.text() | st.builds(json.dumps, json_values | asks))
def test_any_text_is_an_ask_or_refused_in_one_line(text):
    ask, why = read(parse_ask, text)
    assert "\n" not in why and len(why) < 200
    if ask is not None:
        assert set(json.loads(text)) <= {"token", "contract", "audio"}
        assert ask.token is None or isinstance(ask.token, str)
        assert ask.announces is None or (ask.announces.rate_hz > 0 and ask.announces.channels > 0)


def read(parse, *what):
    """What was understood, or why it was refused."""
    try:
        return parse(*what), ""
    except InputError as error:
        return None, str(error)


@given(st.integers(4_000, 768_000), st.sampled_from([int, float]), st.integers(1, 32), st.none() | st.text())
def test_what_may_be_said_is_understood(rate_hz, number, channels, token):
    audio = {"rate_hz": number(rate_hz), "channels": channels}
    said = {"contract": "slow_state.v1", "audio": audio, "token": token}
    assert parse_ask(json.dumps(said)) == Ask(token=token, announces=AudioFormat(rate_hz, channels))


def test_sound_that_ends_is_not_sound_that_is_not_mentioned():
    assert parse_ask('{"audio": null}').ends
    assert not parse_ask('{"contract": "slow_state.v1"}').ends


@given(data=st.binary(max_size=200), channels=st.integers(1, 4))
def test_any_bytes_are_samples_or_refused_in_one_line(data, channels):
    samples, why = read(parse_audio, data, AudioFormat(48000, channels))
    assert "\n" not in why
    if samples is not None:
        assert samples.shape == (channels, len(data) // 4 // channels)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert samples.T.astype("<f4").tobytes() == data


@pytest.mark.parametrize("channels", [1, 2])
def test_samples_are_interleaved(channels):
    samples = np.arange(6, dtype=np.float32).reshape(channels, -1, order="F")
    sent = np.arange(6, dtype="<f4").tobytes()
    np.testing.assert_array_equal(parse_audio(sent, AudioFormat(8000, channels)), samples)
