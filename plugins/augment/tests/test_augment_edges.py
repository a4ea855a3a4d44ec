"""What is unusual: silence, nothing, one sample, any rate and channels, no FFmpeg, notes at the very end."""

import os
import subprocess
import sys

import numpy as np
import pytest
from augment_examples import example, first_frames, silent
from hypothesis import given, settings, strategies as st

from ripieno.contracts import (
    Audio,
    ConfigError,
    Envelope,
    Example,
    InputError,
    Note,
    Performance,
    Stream,
    cont_text,
    performance_of,
)
from ripieno.contracts.describe import configure
from ripieno.contracts.performance import DYNAMICS, PITCH
from ripieno_augment.codec import CodecDraw, LossyCodec
from ripieno_augment.draws import drawn
from ripieno_augment.dynamics import ChangeGain, Compress
from ripieno_augment.equalizer import Equalize
from ripieno_augment.labels import delayed, followed, retimed, rounded
from ripieno_augment.masking import SpecAugment
from ripieno_augment.mix import MixStems
from ripieno_augment.noise import AddNoise
from ripieno_augment.room import PutInRoom
from ripieno_augment.warping import PitchShift, StretchDraw, TimeStretch

AUGMENTERS = [
    AddNoise(), PutInRoom(), Equalize(), Compress(), ChangeGain(),
    LossyCodec(), TimeStretch(), PitchShift(), SpecAugment(),
]  # fmt: skip
each = pytest.mark.parametrize("augmenter", AUGMENTERS, ids=lambda augmenter: type(augmenter).__name__)


def applied(augmenter, given_example, seed=0):
    return augmenter.apply(given_example, augmenter.draw(np.random.default_rng(seed)))


@each
def test_empty_audio_stays_empty(augmenter):
    assert applied(augmenter, first_frames(example(), 0)).audio.frames == 0


@each
@pytest.mark.parametrize("frames", [1, 2, 100, 1000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_few_samples_are_taken(augmenter, frames, channels):
    found = applied(augmenter, first_frames(example(channels=channels, seconds=1.0), frames))
    assert found.audio.channels == channels
    if not isinstance(augmenter, TimeStretch):
        assert found.audio.frames == frames


@pytest.mark.parametrize("format", ["mp3", "aac", "opus"])
@pytest.mark.parametrize("rate_hz", [8000, 44100, 48000])
def test_every_codec_takes_less_than_a_packet(format, rate_hz):
    before = first_frames(example(seconds=1.0, rate_hz=rate_hz), 5)
    found = LossyCodec().apply(before, CodecDraw(format, 64))
    assert found.audio.samples.shape == (1, 5)


@each
def test_what_is_softer_than_can_be_heard_stays_finite(augmenter):
    before = example(seconds=1.0)
    faint = Example(Audio(before.audio.samples * np.float32(1e-20), 48000), before.performance)
    found = applied(augmenter, faint)
    assert np.isfinite(found.audio.samples).all()
    assert len(found.performance.notes) == len(before.performance.notes)


@each
def test_silence_stays_silent_and_labels_stay_finite(augmenter):
    before = silent(example(seconds=1.0))
    found = applied(augmenter, before)
    assert not np.abs(found.audio.samples).max() > 1e-6
    assert len(found.performance.notes) == len(before.performance.notes)


@each
@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 96000])
def test_any_rate_is_taken(augmenter, rate_hz):
    before = example(seconds=1.0, rate_hz=rate_hz, channels=2)
    found = applied(augmenter, before)
    assert found.audio.rate_hz == rate_hz and found.performance.rate_hz == rate_hz
    assert found.audio.channels == 2
    assert found.performance.duration_s == pytest.approx(found.audio.duration_s)


@each
def test_the_labels_are_a_valid_document(augmenter):
    found = applied(augmenter, example(seconds=2.0), seed=1)
    text = cont_text(rounded(found.performance))
    assert cont_text(performance_of(text)) == text


@each
def test_a_draw_of_something_else_is_refused(augmenter):
    with pytest.raises(InputError, match=f"not a draw of {type(augmenter).__name__}"):
        drawn(augmenter, {"anything": 1})


def test_a_codec_refuses_more_than_two_channels():
    with pytest.raises(InputError, match="not 3 channels: downmix first"):
        applied(LossyCodec(), example(seconds=1.0, channels=3))


WITHOUT_FFMPEG = """
import sys
import numpy as np
import ffmpeg, pydantic, scipy.fft
from ripieno.contracts import Audio, Example, MissingError, Performance
from ripieno_augment.codec import CodecDraw, LossyCodec
from ripieno.toolkit import ffmpeg as pipes
sys.path.clear()
try:
    LossyCodec().apply(Example(Audio(np.ones((1, 9)), 48000), Performance((), 48000, 0)), CodecDraw("mp3", 64))
except MissingError as error:
    print(error)
"""


def test_without_ffmpeg_the_message_says_what_brings_it(tmp_path):
    env = {**os.environ, "PATH": str(tmp_path), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FFMPEG], env=env, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "the program ffmpeg is not on PATH. Run: pip install imageio-ffmpeg\n"


def test_mixing_needs_others_to_mix_in():
    with pytest.raises(ConfigError, match="Set bank to a data set of pairs"):
        MixStems().draw(np.random.default_rng(0))


def test_a_range_runs_upward():
    with pytest.raises(ConfigError, match="the range runs from 6 down to -6: put the lesser first"):
        configure(Equalize, {"gain_db": [6, -6]})


def played(
    *spans: tuple[float, float], duration_s: float = 2.0, interpolation: str = "linear"
) -> Performance:
    notes = []
    for onset_s, offset_s in spans:
        times_s = np.linspace(onset_s, offset_s, 5)
        values = np.linspace(60, 62, 5)
        envelopes = {name: Envelope(times_s, values, interpolation) for name in (PITCH, DYNAMICS)}
        notes.append(Note(onset_s, offset_s, "sustained", "arco", envelopes))
    return Performance((Stream("violin", tuple(notes)),), 48000, duration_s)


def test_a_note_is_cut_where_the_sound_ends_and_left_out_beyond_it():
    found = delayed(played((0.5, 1.0), (1.2, 1.95), (1.898, 2.0)), 0.1).notes
    assert [note.onset_s for note in found] == pytest.approx([0.6, 1.3])
    assert [note.offset_s for note in found] == pytest.approx([1.1, 2.0])
    pitch = found[1].envelopes[PITCH]
    assert pitch.times_s[-1] == 2.0
    assert pitch.values[-1] == pytest.approx(60 + 2 * 0.7 / 0.75)


@given(
    cuts=st.lists(st.floats(0.01, 3.9), min_size=2, max_size=12, unique=True),
    delay_s=st.floats(0, 0.5),
    tempo=st.floats(0.5, 2),
    interpolation=st.sampled_from(["step", "linear", "cubic"]),
)
@settings(max_examples=50)
def test_labels_stay_valid_however_times_move(cuts, delay_s, tempo, interpolation):
    edges_s = sorted(cuts)
    spans = [
        (start, end) for start, end in zip(edges_s[::2], edges_s[1::2], strict=False) if end - start > 1e-4
    ]
    before = played(*spans, duration_s=4.0, interpolation=interpolation)
    moved = delayed(retimed(before, lambda times_s: times_s / tempo, duration_s=4.0 / tempo), delay_s)
    assert len(moved.notes) <= len(before.notes)
    assert all(note.offset_s <= moved.duration_s for note in moved.notes)
    assert rounded(moved).duration_s == moved.duration_s


@given(
    gains_db=st.lists(st.floats(-40, 40), min_size=2, max_size=20),
    at=st.floats(0.3, 1.7),
    interpolation=st.sampled_from(["step", "linear"]),
)
@settings(max_examples=50)
def test_a_gain_over_time_is_added_wherever_it_is_asked(gains_db, at, interpolation):
    before = played((0.3, 1.7), interpolation=interpolation)
    gain = Envelope(np.linspace(0, 2, len(gains_db)), np.array(gains_db))
    level = followed(before, gain).notes[0].envelopes[DYNAMICS]
    asked_s = level.times_s if interpolation == "step" else np.array([at])
    expected = before.notes[0].envelopes[DYNAMICS].at(asked_s) + gain.at(asked_s)
    assert level.at(asked_s) == pytest.approx(expected, abs=1e-3)


def test_a_tempo_of_one_changes_nothing():
    before = example(seconds=1.0)
    found = TimeStretch().apply(before, StretchDraw(1.0))
    assert np.array_equal(found.audio.samples, before.audio.samples)
    assert cont_text(found.performance) == cont_text(before.performance)


def test_loud_sound_may_pass_full_scale_in_memory():
    before = example(seconds=1.0)
    loud = Example(Audio(before.audio.samples * 20, 48000), before.performance)
    assert np.abs(applied(AddNoise(), loud).audio.samples).max() > 1
