"""The recording behind a picture: its spectrogram, where it is found, how a page has it."""

import base64
import io

import numpy as np
import pytest

from ripieno.contracts import InputError
from ripieno_performance.show.sound import (
    DYNAMIC_RANGE_DB,
    ROWS_PER_SEMITONE,
    as_png,
    find_sound,
    length_s,
    link,
    source_of,
    spectrogram,
)
from ripieno_performance.show.style import hertz

soundfile = pytest.importorskip("soundfile")
RATE_HZ = 48000
LOW, HIGH = 45.0, 100.0


def sine(pitch_midi, seconds=1.0, rate_hz=RATE_HZ):
    return 0.5 * np.sin(2 * np.pi * hertz(pitch_midi) * np.arange(int(seconds * rate_hz)) / rate_hz)


def seen(path, samples, rate_hz=RATE_HZ):
    soundfile.write(path, samples, rate_hz)
    return spectrogram(path, low_midi=LOW, high_midi=HIGH)


@pytest.mark.parametrize("pitch", [47.0, 60.0, 69.4, 84.5, 97.0])
@pytest.mark.parametrize("rate_hz", [22050, 48000])
def test_a_tone_is_brightest_at_its_pitch(tmp_path, pitch, rate_hz):
    levels = seen(tmp_path / "a.wav", sine(pitch, rate_hz=rate_hz), rate_hz)
    column = levels[:, levels.shape[1] // 2].astype(float)
    rows = np.arange(column.size)[column >= column.max()]
    found = HIGH - (rows.mean() + 0.5) / ROWS_PER_SEMITONE
    assert found == pytest.approx(pitch, abs=0.5)


def test_a_click_is_brightest_at_its_time(tmp_path):
    samples = np.zeros(RATE_HZ)
    samples[int(0.7 * RATE_HZ)] = 1
    levels = seen(tmp_path / "a.wav", samples)
    assert levels.sum(axis=0).argmax() / levels.shape[1] == pytest.approx(0.7, abs=0.01)


def test_levels_are_in_decibels_below_the_loudest(tmp_path):
    both = np.concatenate([sine(69.0), sine(69.0) / 10])
    row = seen(tmp_path / "a.wav", both)[round((HIGH - 69) * ROWS_PER_SEMITONE)].astype(float)
    loud, quiet = row[row.size // 4], row[3 * row.size // 4]
    assert (loud - quiet) / 255 * DYNAMIC_RANGE_DB == pytest.approx(20, abs=0.6)


def test_pieces_join_without_a_seam(tmp_path):
    levels = seen(tmp_path / "a.wav", sine(69.0, seconds=4)).astype(int)
    inner = levels[:, 100:-100]
    assert np.abs(np.diff(inner[inner.max(axis=1) > 100], axis=1)).max() <= 2


@pytest.mark.parametrize("frames", [0, 1, 100])
def test_a_sound_shorter_than_a_window_is_drawn(tmp_path, frames):
    levels = seen(tmp_path / "a.wav", np.zeros(frames))
    assert levels.shape[1] >= 1
    assert not levels.any()


def test_stereo_is_drawn_as_one(tmp_path):
    both = seen(tmp_path / "a.wav", np.stack([sine(69.0), sine(69.0)], axis=1))
    assert np.array_equal(both, seen(tmp_path / "b.wav", sine(69.0)))


def test_the_recording_beside_a_document_is_found_by_its_stem(tmp_path):
    assert find_sound(tmp_path / "a.cont") is None
    (tmp_path / "a.wav").touch()
    assert find_sound(tmp_path / "a.cont.gz") == tmp_path / "a.wav"
    (tmp_path / "a.flac").touch()
    assert find_sound(tmp_path / "a.cont") == tmp_path / "a.flac"
    assert find_sound(tmp_path / "b.cont") is None


def test_a_small_recording_is_in_the_page_as_it_was(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(69.0), RATE_HZ, subtype="PCM_16")
    kind, packed = source_of(tmp_path / "a.wav", tmp_path).split(",")
    assert kind == "data:audio/flac;base64"
    again, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(packed)))
    assert rate_hz == RATE_HZ
    assert np.array_equal(again, soundfile.read(tmp_path / "a.wav")[0])


def test_a_large_recording_is_linked(tmp_path):
    (tmp_path / "a b").mkdir()
    soundfile.write(tmp_path / "a b" / "ü#1.wav", np.zeros(2_000_000), RATE_HZ, subtype="PCM_16")
    assert source_of(tmp_path / "a b" / "ü#1.wav", tmp_path) == "a%20b/%C3%BC%231.wav"
    assert link(tmp_path / "x.wav", tmp_path / "pages") == "../x.wav"


def test_what_is_no_sound_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF, or so it says")
    for path in (tmp_path / "a.wav", tmp_path / "none.wav"):
        with pytest.raises(InputError, match=r"cannot be read as sound") as refused:
            length_s(path)
        assert "\n" not in str(refused.value)


def test_the_picture_is_as_opaque_as_the_sound_is_loud():
    image = pytest.importorskip("PIL.Image")
    levels = np.array([[0, 128, 255]], np.uint8)
    packed = as_png(levels).removeprefix("data:image/png;base64,")
    shades = np.array(image.open(io.BytesIO(base64.b64decode(packed))))
    assert shades[0, :, 0].tolist() == [0, 0, 0]
    assert shades[0, [0, 2], 1].tolist() == [0, 255]
    assert 0 < shades[0, 1, 1] < 255
