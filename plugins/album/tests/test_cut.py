"""A sound is cut where its track says, and nowhere else."""

import numpy as np
import pytest
from reels import RATE_HZ, in_context, tone

from ripieno.contracts import Audio, InputError
from ripieno.contracts.testing import EffectSuite
from ripieno_album.cut import Cut, CutConfig


class TestWithoutCut(EffectSuite):
    plugin = Cut


class TestCut(EffectSuite):
    plugin = Cut
    # The kit also has sound of one sample.
    config = CutConfig(end_s=0.5)


def cut(audio, trim=None, **settings):
    facts = {} if trim is None else {"trim": trim}
    return in_context(lambda: Cut(CutConfig(**settings)).process(audio), facts=facts)


@pytest.mark.parametrize(
    ("trim", "start", "stop"), [([0.5, 1.5], 8000, 24000), ([0.25, None], 4000, 32000), ([0, 1], 0, 16000)]
)
def test_the_part_that_the_track_list_names_is_left(trim, start, stop):
    audio = tone(2.0)
    np.testing.assert_array_equal(cut(audio, trim, fade_ms=0).samples, audio.samples[:, start:stop])


def test_the_track_list_goes_before_the_settings():
    assert cut(tone(2.0), [0, 1], start_s=0.5, end_s=1.75).duration_s == 1
    assert cut(tone(2.0), start_s=0.5, end_s=1.75).duration_s == 1.25


def test_what_nothing_is_said_of_passes_as_it_is():
    audio = tone(1.0)
    assert cut(audio) is audio
    assert cut(audio, [0, 1]) is audio


def test_only_an_end_that_was_cut_fades():
    audio = Audio(np.ones((2, RATE_HZ), np.float32), RATE_HZ)
    first, last = (cut(audio, trim, fade_ms=10).samples[0] for trim in ([0, 0.5], [0.5, None]))
    assert first[0] == 1 and first[-1] < 0.001
    assert last[0] < 0.001 and last[-1] == 1
    # A raised cosine is at its half in the middle of the fade.
    assert first[-80] == pytest.approx(0.5, abs=0.02)


def test_blocks_leave_no_seam():
    audio = tone(10.0)
    np.testing.assert_array_equal(cut(audio, [0.1, 9.9], fade_ms=0).samples, audio.samples[:, 1600:158400])


def test_a_part_after_the_sound_is_refused_and_one_that_ends_after_it_is_cut_to_it(caplog):
    with pytest.raises(InputError, match=r"^trim begins at 3 s, but the sound lasts 2.000 s: give seconds"):
        cut(tone(2.0), [3, None])
    assert cut(tone(2.0), [1, 9]).duration_s == 1
    assert "trim ends at 9 s, the sound at 2.000 s" in caplog.text
    with pytest.raises(InputError, match="has no length"):
        cut(tone(2.0), start_s=1, end_s=0.5)
