"""Where the sound of a live run comes from: files, raw samples, other threads; and what is refused."""

import io
import os
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import AudioFormat, InputError, MissingError
from ripieno.core.live.feeds import Feed, Inlet
from ripieno.core.live.hops import hops
from ripieno.core.live.pace import Fast, Realtime
from ripieno.core.live.raw import Pcm, RawFormat, standard_input
from ripieno.core.live.recording import BLOCK_FRAMES
from ripieno.core.live.sources import Asked, opened

MONO = AudioFormat(8000, 1)
STEREO = AudioFormat(8000, 2)


@dataclass(frozen=True)
class Blocks:
    """A source of these blocks."""

    given: list
    format: AudioFormat = MONO
    kind: str = "blocks"

    def blocks(self):
        yield from self.given


def ramp(frames, channels=1):
    return np.arange(channels * frames, dtype=np.float32).reshape(frames, channels).T / (channels * frames)


def pcm(data, format=MONO, encoding="f32le"):
    return Pcm(io.BytesIO(data), format, encoding)


def until_refused(blocks):
    """What comes before an error, and the error."""
    taken = []
    try:
        for block in blocks:
            taken.append(block)
    except InputError as error:
        return taken, str(error)
    return pytest.fail("nothing was refused")


def joined(blocks, channels=1):
    return np.concatenate([np.zeros((channels, 0), np.float32), *blocks], axis=1)


@given(st.lists(st.integers(0, 700), max_size=8))
def test_however_blocks_come_they_are_cut_into_hundredths_of_a_second(sizes):
    samples = ramp(sum(sizes))
    cut = list(hops(Blocks(np.split(samples, np.cumsum(sizes), axis=1))))
    np.testing.assert_array_equal(joined(cut), samples)
    assert [block.shape[1] for block in cut[:-1]] == [80] * max(0, len(cut) - 1)
    assert all(0 < block.shape[1] <= 80 for block in cut)


@given(st.integers(0, 300), st.integers(1, 400), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_sample_that_is_no_number_is_refused_with_its_place_after_all_hops_before_it(at, size, wrong):
    samples = np.zeros((2, 400), np.float32)
    samples[1, at] = wrong
    blocks = np.split(samples, range(size, 400, size), axis=1)
    taken, message = until_refused(hops(Blocks(blocks, STEREO)))
    place = f"sample {at} of channel 1 ({at / 8000:.3f} s) is {wrong}"
    assert message == f"blocks: {place}: sound must be finite"
    assert joined(taken, 2).shape[1] == at // 80 * 80


@pytest.mark.parametrize(("encoding", "dtype", "scale"), [("f32le", "<f4", 1), ("s16le", "<i2", 32768)])
@pytest.mark.parametrize("channels", [1, 2])
def test_raw_samples_are_read_as_they_are(encoding, dtype, scale, channels):
    values = np.array([[-1, -0.5, 0, 0.5], [0.25, 0.75, -0.25, 1 - 1 / 32768]])[:channels]
    data = np.rint(values.T * scale) if scale > 1 else values.T
    got = joined(pcm(data.astype(dtype).tobytes(), AudioFormat(8000, channels), encoding).blocks(), channels)
    np.testing.assert_array_equal(got, values.astype(np.float32))
    assert got.dtype == np.float32


@pytest.mark.parametrize("left", [1, 2, 3, 5, 7])
def test_raw_samples_that_end_within_a_frame_are_given_up_to_there_and_then_refused(left):
    samples = ramp(1000, 2)
    taken, message = until_refused(hops(pcm(samples.T.tobytes() + bytes(left), STEREO)))
    np.testing.assert_array_equal(joined(taken, 2), samples)
    assert message == f"stdin ended within a frame: {left} of its 8 bytes (2 x f32le) came"


def test_raw_samples_are_given_when_they_have_come_even_in_halves_of_frames():
    reading, writing = os.pipe()
    data = ramp(100).tobytes()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as pipe:
        blocks = Pcm(stream, MONO).blocks()
        pipe.write(data[:6])
        first = next(blocks)
        assert first.shape == (1, 1)
        pipe.write(data[6:])
        pipe.close()
        np.testing.assert_array_equal(joined([first, *blocks]), ramp(100))


@pytest.mark.parametrize("head", [b"RIFF", b"fLaC", b"OggS", b"ID3\x04"])
def test_a_sound_file_on_standard_input_is_told_from_raw_samples(head):
    with pytest.raises(InputError, match="that is a sound file, and raw samples are wanted"):
        list(pcm(head + bytes(100)).blocks())


def test_standard_input_needs_a_rate_and_is_no_terminal(monkeypatch):
    with pytest.raises(InputError, match="say their rate, --rate-hz 44100"):
        standard_input(RawFormat())
    controller, terminal = os.openpty()
    with open(terminal) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(InputError, match="is a terminal"):
            standard_input(RawFormat(8000))
    os.close(controller)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        standard_input(RawFormat(8000))


def test_a_file_of_any_codec_is_read_in_blocks(registry, write):
    frames = 2 * BLOCK_FRAMES + 5
    file = write("song.numbers", " ".join("0.5" for _ in range(frames)))
    with opened(Asked("song", "file", str(file)), registry=registry, raw=RawFormat()) as source:
        assert (source.kind, source.format) == ("file", MONO)
        assert [block.shape[1] for block in source.blocks()] == [BLOCK_FRAMES, BLOCK_FRAMES, 5]


def test_a_file_is_heard_while_it_is_read_and_left_when_nobody_hears_it_any_more(registry, write):
    """It has no end: were it read first, this test would have none either."""
    asked = Asked("song", "file", str(write("endless.drip")))
    before = threading.active_count()
    with opened(asked, registry=registry, raw=RawFormat()) as source:
        heard = [block for block, _ in zip(hops(source), range(1000), strict=False)]
        assert threading.active_count() == before + 1
    assert joined(heard).shape == (1, 80_000)
    assert threading.active_count() == before


def test_a_file_that_is_damaged_is_heard_up_to_there(registry, write):
    asked = Asked("song", "file", str(write("short.drip", "3")))
    with opened(asked, registry=registry, raw=RawFormat()) as source:
        taken, message = until_refused(hops(source))
    assert joined(taken).shape == (1, 3000) and message == "short.drip: damaged"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("none.numbers", InputError, "none.numbers: no such file"),
        ("song", InputError, "a suffix says how a file is read, and its name has none"),
        ("song.xyz", MissingError, "nothing installed reads or writes audio as .xyz"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(registry, write, name, error, message):
    write("song.xyz", "0")
    write("song", "0")
    asked = Asked("song", "file", str(write("here", "")).replace("here", name))
    with pytest.raises(error, match=message), opened(asked, registry=registry, raw=RawFormat()):
        pass


def test_what_another_thread_brings_comes_in_order_and_the_thread_waits_where_there_is_no_room():
    feed = Feed("ws", MONO, size=2)
    blocks = np.split(ramp(1000), 50, axis=1)
    held = []

    def bring():
        for block in blocks:
            feed.put(block)
            held.append(feed._waiting.qsize())
        feed.end()

    thread = threading.Thread(target=bring)
    thread.start()
    np.testing.assert_array_equal(joined(feed.blocks()), ramp(1000))
    thread.join()
    assert max(held) <= 2


def test_a_thread_that_brings_sound_goes_on_when_nobody_reads_any_more():
    feed = Feed("ws", MONO, size=1)
    feed.put(ramp(1))
    feed.close()
    feed.put(ramp(1))
    feed.end()


def test_a_device_that_is_read_too_slowly_ends_with_an_error_and_loses_nothing_silently():
    feed = Feed("mic", MONO, size=2)
    for _ in range(3):
        feed.offer(ramp(10))
    with pytest.raises(InputError, match="mic: the steps are slower than the sound"):
        list(feed.blocks())


def test_clients_are_heard_one_after_another_each_with_its_own_format():
    inlet = Inlet()
    heard = []

    def send():
        for format in (MONO, STEREO):
            inlet.start(format)
            inlet.push(ramp(100, format.channels))
            inlet.end()

    thread = threading.Thread(target=send)
    thread.start()
    for _ in range(2):
        with inlet.accepted() as feed:
            heard.append((feed.format, joined(feed.blocks(), feed.format.channels).shape))
    thread.join()
    assert heard == [(MONO, (1, 100)), (STEREO, (2, 100))]


def test_a_microphone_that_is_not_there_is_one_line_with_a_cure(registry):
    with (
        pytest.raises((MissingError, InputError), match=r"ripieno-core\[mic\]|PortAudio|no microphone"),
        opened(Asked("song", "mic"), registry=registry, raw=RawFormat()),
    ):
        pytest.skip("there is a microphone here")


def test_without_its_library_a_microphone_says_what_to_install(registry, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with (
        pytest.raises(MissingError, match=r'needs sounddevice. Run: pip install "ripieno-core\[mic\]"'),
        opened(Asked("song", "mic"), registry=registry, raw=RawFormat()),
    ):
        pass


def test_playing_speed_is_kept_by_the_monotonic_clock_and_what_is_late_is_not_put_off():
    pace = Realtime()
    pace.wait(0)
    begun_s = time.monotonic()
    for hop in range(1, 21):
        pace.wait(hop / 100)
    assert time.monotonic() - begun_s >= 0.2 - 0.001
    late = Realtime()
    late.wait(0)
    late._begun_s -= 100
    before_s = time.monotonic()
    late.wait(99)
    assert late._begun_s + 99 < before_s, "a moment that has passed is not waited for"


def test_fast_never_waits():
    assert Fast().wait(1e9) is None
