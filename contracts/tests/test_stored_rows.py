"""Long audio on disk reads as the same audio in memory, whatever the pieces."""

import tempfile
from pathlib import Path

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Audio, DamagedError, InputError
from ripieno.contracts.audio import AudioFormat, AudioWriter
from ripieno.contracts.rows import BLOCK_BYTES, RowsWriter


def stored(audio, path, cuts=()):
    with AudioWriter(path, audio.format) as writer:
        for piece in np.split(audio.samples, sorted(cuts), axis=1):
            writer.write(piece)
        return writer.close()


@settings(deadline=None, max_examples=40)
@given(
    artifacts.audio(),
    st.lists(st.integers(0, 40), max_size=4),
    st.integers(1, 50),
    st.integers(-5, 50),
    st.integers(-5, 50),
)
def test_stored_and_held_audio_are_the_same_in_any_pieces(audio, cuts, block, start, stop):
    with tempfile.TemporaryDirectory() as name:
        again = stored(audio, Path(name) / "rows.f32", cuts)
        assert again.header() == audio.header()
        for one in (audio, again):
            blocks = [np.zeros((one.channels, 0), np.float32), *one.blocks(block)]
            assert np.concatenate(blocks, axis=1).tobytes() == np.ascontiguousarray(audio.samples).tobytes()
            expected = audio.samples[:, max(0, start) : max(0, stop)]
            assert np.array_equal(one.read(start, stop), expected)
            assert one.samples.dtype == np.float32
            assert not one.samples.flags.writeable
        del again, one


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_blocks_of_bytes_and_of_rows_need_not_meet(channels, extra, tmp_path):
    frames = 2 * BLOCK_BYTES // (4 * channels) + extra
    samples = np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32)
    audio = stored(Audio(samples, 8000), tmp_path / "rows.f32", range(0, frames, 100_003))
    assert len(audio.rows.hashes) == -(-samples.nbytes // BLOCK_BYTES)
    middle = BLOCK_BYTES // (4 * channels)
    assert np.array_equal(audio.read(middle - 2, middle + 2), samples[:, middle - 2 : middle + 2])
    assert np.array_equal(audio.samples, samples)


def test_only_the_blocks_that_are_read_are_checked(tmp_path):
    samples = np.zeros((1, BLOCK_BYTES // 2), np.float32)
    audio = stored(Audio(samples, 8000), tmp_path / "rows.f32")
    content = bytearray((tmp_path / "rows.f32").read_bytes())
    content[-1] ^= 1
    (tmp_path / "rows.f32").write_bytes(content)
    assert not audio.read(0, 10).any()
    with pytest.raises(DamagedError, match=r"rows\.f32"):
        audio.read(audio.frames - 1, audio.frames)
    with pytest.raises(DamagedError):
        _ = audio.samples


def test_a_shortened_file_is_damage(tmp_path):
    audio = stored(Audio(np.ones(100), 8000), tmp_path / "rows.f32")
    (tmp_path / "rows.f32").write_bytes(b"")
    with pytest.raises(DamagedError):
        audio.read(0, 1)


def test_a_failed_writing_leaves_no_file(tmp_path):
    path = tmp_path / "rows.f32"

    def fail():
        with AudioWriter(path, AudioFormat(8000, 1)) as writer:
            writer.write(np.ones((1, 3)))
            writer.write(np.array([[0, np.nan]]))

    with pytest.raises(InputError, match="sample 1 of channel 0 is nan"):
        fail()
    assert not path.exists()


@pytest.mark.parametrize("shape", [(2, 3), (3,)])
def test_rows_of_another_shape_are_refused(shape, tmp_path):
    with (
        pytest.raises(InputError, match=r"expected \[1, frames\]"),
        RowsWriter(tmp_path / "r", channels=1) as writer,
    ):
        writer.write(np.zeros(shape).T)


@pytest.mark.parametrize("channels", [0, 65])
def test_audio_without_channels_or_with_too_many_is_refused(channels, tmp_path):
    with pytest.raises(InputError, match=f"channels is {channels}: audio has 1 to 64 channels"):
        RowsWriter(tmp_path / "r", channels=channels)


def test_what_float32_cannot_hold_is_refused_where_it_is_written(tmp_path):
    with pytest.raises(InputError, match=r"sample 1 of channel 0 is 1e\+39"):
        Audio(np.array([0, 1e39]), 8000)
    with (
        pytest.raises(InputError, match=r"1e\+39"),
        AudioWriter(tmp_path / "r", AudioFormat(8000, 1)) as writer,
    ):
        writer.write(np.array([[1e39]]))


def test_loud_audio_is_finite():
    largest = np.finfo(np.float32).max
    assert Audio(np.full(1000, largest), 8000).samples.max() == largest
