import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts.errors import InputError
from ripieno.toolkit.spectra import Analysis, Synthesis, low_delay_tapers, matched_tapers


@st.composite
def layouts(draw):
    """Window, synthesis and hop that fit."""
    hop = draw(st.sampled_from([2, 4, 10, 16]))
    parts = draw(st.integers(2, 5))
    return hop * draw(st.integers(parts, 9)), hop * parts, hop


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def blocks(samples, sizes):
    return np.split(samples, np.cumsum(sizes), axis=1)


def spectra_of(samples, taper, *, hop, sizes=()):
    analysis = Analysis(taper, hop=hop, channels=len(samples))
    return np.concatenate([*(analysis.push(block) for block in blocks(samples, sizes)), analysis.flush()])


def passed_through(samples, tapers, *, hop, sizes=(), gain=None):
    analysis = Analysis(tapers[0], hop=hop, channels=len(samples))
    synthesis = Synthesis(tapers[1], hop=hop, channels=len(samples))
    gain = np.float32(1) if gain is None else gain
    given = [synthesis.push(analysis.push(block) * gain) for block in blocks(samples, sizes)]
    given.append(synthesis.flush(samples.shape[1], spectra=analysis.flush() * gain))
    return np.concatenate(given, axis=1)[:, : samples.shape[1]]


@given(layouts())
def test_the_product_of_the_tapers_sums_to_one(layout):
    window, synthesis, hop = layout
    for long, short in (low_delay_tapers(window, synthesis, hop), matched_tapers(window, hop)):
        np.testing.assert_allclose(np.reshape(long * short, (-1, hop)).sum(axis=0), 1, atol=1e-12)


def test_matched_tapers_have_one_shape_and_low_delay_ones_end_in_it():
    long, short = matched_tapers(64, 16)
    np.testing.assert_allclose(long, np.sin(np.pi * np.arange(64) / 64), atol=1e-12)
    np.testing.assert_allclose(short, long / 2, atol=1e-12)
    analysis, synthesis = low_delay_tapers(64, 32, 16)
    assert not synthesis[:32].any()
    np.testing.assert_allclose(synthesis[48:], analysis[48:], atol=1e-12)


@given(layouts(), st.integers(0, 200), st.lists(st.integers(0, 60), max_size=5))
def test_a_stream_comes_back_sample_by_sample_however_it_is_cut(layout, length, sizes):
    window, synthesis, hop = layout
    samples = noise(2, length)
    back = passed_through(samples, low_delay_tapers(window, synthesis, hop), hop=hop, sizes=sizes)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, samples, atol=5e-6)


@given(layouts(), st.lists(st.integers(0, 60), max_size=5), st.integers(1, 3))
def test_blocks_of_any_size_give_the_same_bits(layout, sizes, channels):
    window, synthesis, hop = layout
    samples = noise(channels, 230)
    tapers = low_delay_tapers(window, synthesis, hop)
    gain = np.random.default_rng(1).uniform(0, 1, window // 2 + 1).astype(np.float32)
    whole = spectra_of(samples, tapers[0], hop=hop)
    np.testing.assert_array_equal(spectra_of(samples, tapers[0], hop=hop, sizes=sizes), whole)
    np.testing.assert_array_equal(
        passed_through(samples, tapers, hop=hop, gain=gain, sizes=sizes),
        passed_through(samples, tapers, hop=hop, gain=gain),
    )


@given(layouts(), st.integers(1, 200))
def test_each_frame_is_the_transform_of_the_samples_before_its_end(layout, length):
    window, _, hop = layout
    samples, taper = noise(1, length), matched_tapers(window, hop)[0]
    spectra = spectra_of(samples, taper, hop=hop)
    assert spectra.dtype == np.complex64
    around = np.pad(samples[0], (window, 2 * window))
    for index, frame in enumerate(spectra):
        expected = np.fft.rfft(around[(index + 1) * hop :][:window] * taper)
        np.testing.assert_allclose(frame[0], expected, atol=1e-4)
    last_hop = len(spectra) * hop
    assert last_hop - window <= length - 1 < last_hop + hop - window


@given(layouts())
def test_the_delay_is_the_synthesis_taper_less_a_hop(layout):
    window, support, hop = layout
    tapers = low_delay_tapers(window, support, hop)
    analysis = Analysis(tapers[0], hop=hop, channels=1)
    synthesis = Synthesis(tapers[1], hop=hop, channels=1)
    assert synthesis.delay == support - hop
    given_samples = sum(synthesis.push(analysis.push(noise(1, hop))).shape[1] for _ in range(20))
    assert given_samples == 20 * hop - synthesis.delay


def test_after_a_flush_everything_begins_anew():
    tapers = matched_tapers(32, 8)
    analysis, synthesis = Analysis(tapers[0], hop=8, channels=1), Synthesis(tapers[1], hop=8, channels=1)
    samples = noise(1, 100)
    first, second = (
        np.concatenate(
            [synthesis.push(analysis.push(samples)), synthesis.flush(100, spectra=analysis.flush())], axis=1
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_a_stream_of_nothing_has_no_frames():
    analysis = Analysis(matched_tapers(32, 8)[0], hop=8, channels=2)
    assert analysis.push(np.zeros((2, 0))).shape == (0, 2, 17) and analysis.flush().shape == (0, 2, 17)


@pytest.mark.parametrize(
    ("window", "synthesis", "hop"), [(64, 64, 48), (64, 64, 64), (64, 80, 16), (64, 16, 16)]
)
def test_lengths_that_do_not_fit_are_refused(window, synthesis, hop):
    with pytest.raises(InputError, match="whole number of hops"):
        low_delay_tapers(window, synthesis, hop)
