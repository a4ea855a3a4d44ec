"""The real renderer: exact in time and pitch, the same whatever else is played, and watched."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_sfz

from ripieno.contracts import MissingError, StepError
from ripieno.toolkit.measuring.refine import refine_pitch
from ripieno_sfizz import engine as engines
from ripieno_sfizz.engine import RATE_HZ, SFIZZ, Engine, Press
from ripieno_sfizz.sfz import read_sfz
from ripieno_sfizz.staging import stage

needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="programs of these tests are shell scripts")
PRESS = Press(60, 100, hold=RATE_HZ // 2, ring=RATE_HZ // 5)


@pytest.fixture
def engine(tmp_path):
    return played(tiny_sfz.folder() / "tiny.sfz", tmp_path, pitch_bend_cents=1200)


def played(sfz: Path, folder: Path, **changes) -> Engine:
    (folder / "copy").mkdir()
    staged = stage(read_sfz(sfz), folder / "copy", **changes)
    return Engine(staged.path, turn_controllers=staged.turn_controllers, scratch=folder)


def pitch_midi(sound, times_s, labels):
    refined = refine_pitch(sound, times_s, labels, rate_hz=RATE_HZ)
    assert refined.is_confirmed.all()
    return refined.pitch_midi


def test_a_key_sounds_on_its_sample_wherever_it_stands_in_the_render(tmp_path):
    impulse = np.zeros(RATE_HZ, np.float32)
    impulse[0] = 0.9
    soundfile.write(tmp_path / "click.wav", impulse, RATE_HZ, subtype="FLOAT")
    (tmp_path / "click.sfz").write_text("<region> sample=click.wav key=60 ampeg_attack=0 loop_mode=one_shot")
    holds = np.random.default_rng(1).integers(100, 9000, 60)
    presses = [Press(60, 127, hold=int(hold), ring=777) for hold in holds]
    sounds = list(played(tmp_path / "click.sfz", tmp_path).render(presses))
    assert [sound.size for sound in sounds] == [press.frames for press in presses]
    assert {int(np.abs(sound).argmax()) for sound in sounds} == {0}


def test_a_stroke_sounds_the_same_alone_and_among_others_to_the_last_bit(engine):
    rng = np.random.default_rng(2)
    presses = [
        Press(
            int(rng.integers(55, 80)),
            int(rng.integers(20, 128)),
            hold=int(rng.integers(2000, 20000)),
            ring=int(rng.integers(100, 5000)),
            key_switch=int(rng.choice([24, 25])),
            turn=int(rng.integers(128)),
            bend=((0, float(rng.uniform(-0.1, 0.1))), (1500, float(rng.uniform(-0.1, 0.1)))),
        )
        for _ in range(24)
    ]
    together = list(engine.render(presses))
    order = rng.permutation(24)
    for index, sound in zip(order, engine.render([presses[index] for index in order]), strict=True):
        np.testing.assert_array_equal(sound, together[index])
    np.testing.assert_array_equal(next(engine.render(presses[7:8])), together[7])


def test_long_lists_of_strokes_are_several_renders_with_the_same_sound(engine, monkeypatch):
    presses = [replace(PRESS, key=key) for key in (56, 60, 64, 70, 75)]
    whole = list(engine.render(presses))
    monkeypatch.setattr(engines, "LONGEST_S", 1.5)
    for one, other in zip(whole, engine.render(presses), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("turn", "name"), [(0, "tone60-1.wav"), (63, "tone60-1.wav"), (64, "tone60-2.wav"), (127, "tone60-2.wav")]
)
@pytest.mark.parametrize("key_switch", [None, 24, 25])
def test_key_switch_and_turn_say_which_sample_is_played(engine, turn, name, key_switch):
    [sound] = engine.render([replace(PRESS, turn=turn, key_switch=key_switch)])
    measured = pitch_midi(sound, np.array([0.2]), np.array([60.0]))
    assert measured == pytest.approx(60 + tiny_sfz.OFF_CENTS[name] / 100, abs=0.005)


def test_the_wheel_bends_as_a_vibrato_does(engine):
    at = np.arange(0, RATE_HZ, 96)
    cents = 30 * np.sin(2 * np.pi * 5.5 * at / RATE_HZ)
    bend = tuple(zip(at.tolist(), (cents / 1200).tolist(), strict=True))
    [sound] = engine.render([replace(PRESS, key=72, turn=0, hold=RATE_HZ, bend=bend)])
    times_s = np.arange(0.1, 0.9, 0.01)
    label = 72 + (tiny_sfz.OFF_CENTS["tone76-1.wav"] + 30 * np.sin(2 * np.pi * 5.5 * times_s)) / 100
    errors_cents = 100 * (pitch_midi(sound, times_s, label) - label)
    assert np.abs(errors_cents).max() < 1.5


def test_no_strokes_are_no_render(engine):
    assert not list(engine.render([]))


def test_a_program_that_is_missing_is_named_with_its_cure(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingError, match="sfizz_render is not on PATH. Run: pip install pysfizz"):
        next(engine.render([PRESS]))


def test_path_comes_before_the_wheel(monkeypatch, tmp_path):
    wheel = SFIZZ.find()
    assert wheel is not None
    if sys.platform == "win32":
        pytest.skip("no shell scripts")
    other = program(tmp_path / "bin", "exit 0")
    monkeypatch.setenv("PATH", str(other.parent))
    assert SFIZZ.find() == other


def program(folder: Path, script: str) -> Path:
    folder.mkdir()
    path = folder / "sfizz_render"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# The arguments of the program are --sfz A --midi B --wav C …
@needs_shell
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo out of luck >&2; exit 3", r"failed \(exit status 3\): out of luck"),
        ("kill -SEGV $$", r"crashed \(signal 11\)"),
        ("exec sleep 60", "was ended after 1 s"),
        ("exit 0", "wrote no sound that can be read"),
        ('echo nonsense > "$6"', "wrote no sound that can be read"),
        ('exec yes > "$6"', r"was ended at \d+ bytes"),
    ],
)
def test_a_program_that_fails_is_ended_and_named(engine, monkeypatch, tmp_path, script, message):
    path = program(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    monkeypatch.setattr(engines, "START_S", 0.5)
    with pytest.raises(StepError, match=message) as caught:
        next(engine.render([PRESS]))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("strokes.*"))


@needs_shell
@pytest.mark.parametrize(
    ("frames", "value", "message"),
    [
        (4800, 0.0, "wrote 4800 frames at 48000 Hz, asked for .* Is the disk full"),
        (PRESS.frames + RATE_HZ, np.nan, f"NaN or infinite samples where key {PRESS.key} is played"),
    ],
)
def test_a_sound_that_cannot_be_used_is_refused(engine, monkeypatch, tmp_path, frames, value, message):
    sound = np.full((frames, 2), value, np.float32)
    soundfile.write(tmp_path / "bad.wav", sound, RATE_HZ, subtype="FLOAT")
    path = program(tmp_path / "bin", f'exec cp "{tmp_path}/bad.wav" "$6"')
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    with pytest.raises(StepError, match=message):
        next(engine.render([PRESS]))
