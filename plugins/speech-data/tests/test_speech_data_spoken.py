"""Spoken clips: what the kit asks, voices and licences, what is said, and programs that are not as they should be."""

import os
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, strategies as st

from ripieno.contracts import ConfigError, Dataset, InputError, MissingError, StepError
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.describe import configure
from ripieno.contracts.testing import DataSourceSuite, overrides
from ripieno_speech_data import clips, spoken, synthesizers
from ripieno_speech_data.speaking import SHARES, Plan, Sentence, assemble, draw_plan
from ripieno_speech_data.spoken import Spoken, SpokenConfig, read_lines
from ripieno_speech_data.synthesizers import Utterance, speak
from ripieno_speech_data.text import sentences
from ripieno_speech_data.voices import SYNTHESIZERS, all_voices, matching

RECORDED = ("flite/*", "festival/*")
here = {program.name for program in SYNTHESIZERS if program.find()}
needs_all = pytest.mark.skipif(len(here) < len(SYNTHESIZERS), reason="needs flite, festival and espeak-ng")
needs_flite = pytest.mark.skipif("flite" not in here, reason="needs flite")
needs_festival = pytest.mark.skipif("festival" not in here, reason="needs festival")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="programs of these tests are scripts")


def generated(seed: int = 5, **settings) -> Dataset:
    with use_context(new_context(random=True, seed=seed)):
        return Spoken(SpokenConfig(**{"clip_s": 2, **settings})).generate()


def bytes_of(dataset: Dataset) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in dataset.files.items()}


def program(folder: Path, name: str, body: str) -> None:
    """A program of that name, first on PATH."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@needs_all
class TestConformance(DataSourceSuite):
    plugin = Spoken

    def settings(self) -> SpokenConfig:
        return SpokenConfig(count=3, clip_s=2)

    @overrides("the licences are those of the voices that speak, which the manifest names")
    def test_what_it_ships_has_a_licence(self) -> None:
        assert all(licence["name"] for licence in self.result().manifest["licences"])


@needs_all
def test_clips_are_filled_with_speech_below_full_scale():
    dataset = generated(count=8, clip_s=3)
    for clip in dataset.manifest["clips"]:
        samples, rate_hz = soundfile.read(dataset.files[clip["audio"]])
        assert (rate_hz, samples.shape) == (16000, (48000,))
        assert 0.05 < np.abs(samples).max() <= 0.97 + 2**-15
        loudest = np.abs(samples).reshape(-1, 1600).max(axis=1)
        assert np.mean(loudest > 0.003) > 0.6
        assert abs(samples.mean()) < 1e-3


@needs_all
def test_clips_are_the_same_whatever_else_is_in_their_batch(monkeypatch):
    whole = bytes_of(generated(count=5, clip_s=1))
    monkeypatch.setattr(spoken, "BATCH", 2)
    assert bytes_of(generated(count=5, clip_s=1)) == whole
    smaller = bytes_of(generated(count=3, clip_s=1))
    assert smaller == {name: whole[name] for name in smaller}


@needs_flite
def test_validation_hears_other_speakers_than_training():
    settings = {"validation_speakers": ["kal", "slt"], "voices": ["flite/*"]}
    made = generated(count=12, clip_s=1, **settings).manifest["clips"]
    of = {
        split: {clip["speaker"] for clip in made if clip["split"] == split}
        for split in ("train", "validation")
    }
    assert of["train"] and of["train"].isdisjoint({"kal", "slt"})
    assert of["validation"] and of["validation"] <= {"kal", "slt"}


@needs_flite
def test_every_clip_says_who_spoke_and_on_what_terms():
    dataset = generated(count=4, clip_s=1, voices=["flite/slt", "flite/awb"])
    voices = {voice.name: voice for voice in all_voices()}
    for clip in dataset.manifest["clips"]:
        voice = voices[clip["voice"]]
        assert (clip["synthesizer"], clip["speaker"]) == ("flite", voice.speaker)
        assert [licence["name"] for licence in clip["licences"]] == ["MIT-Festival"]
    assert [licence.name for licence in dataset.provenance.licences] == ["MIT-Festival"]
    assert list(dataset.manifest["versions"]) == ["ripieno-speech-data", "flite"]


@needs_flite
def test_what_is_finished_is_not_made_again():
    with use_context(new_context(random=True, seed=5)):
        source = Spoken(SpokenConfig(count=2, clip_s=1, voices=["flite/kal16"]))
        first = source.generate()
        stamps = {name: path.stat().st_mtime_ns for name, path in first.files.items()}
        again = source.generate()
        assert {name: path.stat().st_mtime_ns for name, path in again.files.items()} == stamps
        assert again.manifest == first.manifest
        whole = bytes_of(first)
        first.files["speech-000001.flac"].write_bytes(b"torn")
        assert bytes_of(source.generate()) == whole


@needs_flite
def test_a_clip_in_which_nothing_is_said_is_dropped_and_counted(tmp_path):
    text = tmp_path / "marks.txt"
    text.write_text("...\n" * 5 + "Seven rivers run to the western sea.\n", encoding="utf-8")
    manifest = generated(count=4, clip_s=1, text=text, voices=["flite/kal16"]).manifest
    assert manifest["counts"]["clips"] == 4
    assert manifest["counts"]["dropped"] == len(manifest["dropped"]) > 0
    assert {dropped["fault"] for dropped in manifest["dropped"]} == {"silent"}


@needs_all
@pytest.mark.parametrize("voices", ["flite/kal16", "festival/kal_diphone", "espeak-ng/en-us+m1"])
@pytest.mark.parametrize("line", ["...", "“—”"])
def test_only_marks_are_refused_after_all_attempts(tmp_path, line, voices, monkeypatch):
    text = tmp_path / "marks.txt"
    text.write_text(f"{line}\n", encoding="utf-8")
    monkeypatch.setattr(clips, "ATTEMPTS", 2)
    with pytest.raises(StepError, match="speech-000000: dropped 2 times, the last time for: silent"):
        generated(count=1, clip_s=1, text=text, voices=[voices])


@needs_festival
def test_a_line_that_festival_cannot_read_is_left_out(tmp_path):
    [voice] = matching(["festival/kal_diphone"])
    [(nothing, _), (after, _)] = speak([Utterance(voice, "Да"), Utterance(voice, "Yes.")], scratch=tmp_path)
    assert nothing.size == 0 and np.abs(after).max() > 0.05
    assert not list(tmp_path.iterdir())


@needs_all
def test_folders_may_have_any_name(tmp_path):
    folder = tmp_path / 'é "q" (x) \\'
    folder.mkdir()
    for name in ("flite/slt", "festival/kal_diphone", "espeak-ng/en-us+m1"):
        [voice] = matching([name])
        [(samples, _)] = speak([Utterance(voice, "Good day.")], scratch=folder)
        assert np.abs(samples).max() > 0.05


@needs_flite
def test_lines_of_a_text_are_spoken(tmp_path):
    text = tmp_path / "lines.txt"
    text.write_text("\ufeffOne \x07small step.\n\n  Two “quoted” words \\ é.  \n", encoding="utf-8")
    assert read_lines(text) == ("One small step.", "Two “quoted” words \\ é.")
    made = generated(count=2, text=text, voices=["flite/rms"]).manifest["clips"]
    said = {sentence["text"] for clip in made for sentence in clip["sentences"]}
    assert said <= set(read_lines(text))


@needs_festival
def test_festival_reads_quotes_and_accents_as_text(tmp_path):
    [voice] = matching(["festival/kal_diphone"])
    nasty = Utterance(voice, '") (quit) (print "naïve\\')
    [(samples, rate_hz), (after, _)] = speak([nasty, Utterance(voice, "Good day.")], scratch=tmp_path)
    assert rate_hz == 16000 and np.abs(samples).max() > 0.05 and np.abs(after).max() > 0.05


@needs_all
def test_an_utterance_sounds_the_same_whatever_is_spoken_before_it(tmp_path):
    voices = matching(RECORDED)
    others = [Utterance(voice, "Something else.", stretch=0.8) for voice in voices]
    wanted = [Utterance(voice, "Nine blue whales?", stretch=1.1, pitch=0.9) for voice in voices]
    together = speak([*others, *wanted], scratch=tmp_path)[len(others) :]
    for utterance, (late, _) in zip(wanted, together, strict=True):
        [(alone, _)] = speak([utterance], scratch=tmp_path)
        np.testing.assert_array_equal(alone, late)


def pitch_hz(samples: np.ndarray, rate_hz: int) -> float:
    """The median pitch of the louder half, each sixteenth of a second by its autocorrelation, 60 to 300 Hz."""
    length = rate_hz // 16
    frames = samples[: samples.size // length * length].reshape(-1, length)
    levels = np.square(frames).mean(axis=1)
    spectra = np.fft.rfft(frames[levels >= np.median(levels)], 2 * length)
    lags = np.fft.irfft(np.square(np.abs(spectra)))[:, rate_hz // 300 : rate_hz // 60]
    return float(np.median(rate_hz / (rate_hz // 300 + lags.argmax(axis=1))))


@needs_all
@pytest.mark.parametrize("name", ["flite/kal16", "festival/ked_diphone", "espeak-ng/en-us+m1"])
def test_pitch_and_speed_are_those_that_were_asked_for(name, tmp_path):
    [voice] = matching([name])
    said = "We were away a year ago, and all our men are running in the rain."
    settings = [(1.0, 1.0), (1.0, 1.3), (1.3, 1.0)]
    sounds = speak([Utterance(voice, said, stretch=s, pitch=p) for s, p in settings], scratch=tmp_path)
    # espeak-ng's scale of pitch is its own.
    assert pitch_hz(*sounds[1]) / pitch_hz(*sounds[0]) == pytest.approx(1.3, rel=0.15)
    assert sounds[2][0].size / sounds[0][0].size == pytest.approx(1.3, rel=0.12)


def a_plan(*, warp: float = 1.0, tilt_db: float = 0.0, pause_s: float = 0.0) -> Plan:
    sentence = Sentence("", pause_s=pause_s, stretch=1, pitch=1, gain_db=0)
    return Plan(all_voices()[0], (sentence,), warp=warp, tilt_db=tilt_db, level_dbfs=-25)


@pytest.mark.parametrize("warp", [0.85, 1.0, 1.2])
def test_warping_moves_every_frequency_by_its_factor(warp):
    rate_hz, frames = 16000, 16000
    tone = np.sin(2 * np.pi * 500 * np.arange(44100) / 22050).astype(np.float32)
    clip = assemble(a_plan(warp=warp), [(tone, 22050)], frames=frames, rate_hz=rate_hz)
    spectrum = np.abs(np.fft.rfft(clip * np.hanning(frames)))
    assert np.argmax(spectrum) * rate_hz / frames == pytest.approx(500 * warp, abs=1)


def test_pauses_stand_before_what_is_said_and_the_rest_is_silent():
    tone = np.sin(2 * np.pi * 500 * np.arange(4000) / 16000).astype(np.float32)
    clip = assemble(a_plan(pause_s=0.25), [(np.pad(tone, 1600), 16000)], frames=16000, rate_hz=16000)
    sounding = np.flatnonzero(np.abs(clip) > 0.01)
    assert abs(sounding[0] - 4000) < 20 and abs(sounding[-1] - 8000) < 20


def test_the_level_is_that_which_was_drawn():
    tone = np.sin(2 * np.pi * 500 * np.arange(16000) / 16000).astype(np.float32)
    clip = assemble(a_plan(), [(tone, 16000)], frames=16000, rate_hz=16000)
    # Of the samples above a hundredth of the peak, before they are faded.
    loud = clip[:15000][np.abs(clip[:15000]) > 0.01 * np.abs(clip).max()]
    assert 10 * np.log10(np.mean(np.square(loud))) == pytest.approx(-25, abs=0.1)


def test_no_sound_stays_no_sound():
    clip = assemble(a_plan(), [(np.zeros(0, np.float32), 16000)], frames=100, rate_hz=16000)
    assert clip.shape == (100,) and not clip.any()


@given(st.integers(0, 2**63 - 1), st.integers(1, 60))
def test_sentences_have_the_words_asked_for_and_end_with_a_mark(seed, words):
    said = sentences(np.random.default_rng(seed), words=words)
    assert sum(len(sentence.split()) for sentence in said) >= words
    assert all(sentence[-1] in ".?!" and sentence.isascii() and sentence.isprintable() for sentence in said)


SOME = matching(["flite/slt", "espeak-ng/de+*"])


@given(st.integers(0, 2**63 - 1))
def test_plans_keep_to_the_voices_and_the_factors_asked_for(seed):
    plan = draw_plan(seed, voices=SOME, clip_s=3, warp=(0.9, 1.1))
    assert plan.voice in SOME and 0.9 <= plan.warp <= 1.1
    assert plan == draw_plan(seed, voices=SOME, clip_s=3, warp=(0.9, 1.1))


def test_synthesizers_speak_as_often_as_their_shares_say():
    voices, count = all_voices(), 600
    plans = [draw_plan(seed, voices=voices, clip_s=1, warp=(1, 1)) for seed in range(count)]
    for name, share in SHARES.items():
        spoken_by = sum(plan.voice.synthesizer == name for plan in plans)
        # Four standard deviations of a binomial.
        assert abs(spoken_by - share * count) < 4 * np.sqrt(count * share * (1 - share))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"voices": ["flite/slut"]}, 'no voice matches "flite/slut"'),
        ({"voices": []}, "voices"),
        ({"validation_speakers": ["flite/slt"]}, 'no speaker "flite/slt". Say e.g. awb'),
        ({"warp": [1.2, 0.9]}, "two factors, the lesser first"),
        ({"count": 0}, "count"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ConfigError) as caught:
        configure(Spoken, settings)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_text_that_is_not_there_is_named_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read_lines(tmp_path / "none.txt")
    assert str(caught.value).endswith("none.txt: cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no lines"),
        (b"\n \n", "has no lines"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"word " * 500, 'the line "word word .*2499 characters.*Break it'),
    ],
)
def test_a_text_without_lines_to_speak_is_refused_by_name(content, said, tmp_path):
    text = tmp_path / "none.txt"
    text.write_bytes(content)
    with pytest.raises(InputError, match=f"none.txt: {said}") as caught:
        read_lines(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("voices", "cure"),
    [
        ("flite/slt", "apt install flite, or brew install flite"),
        ("festival/ked*", "apt install festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"),
        ("espeak-ng/en-us+m1", "apt install espeak-ng, or brew install espeak-ng"),
    ],
)
def test_a_synthesizer_that_is_missing_is_named_with_what_brings_it(voices, cure, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (lambda: configure(Spoken, {"voices": [voices]}), lambda: generated(voices=[voices])):
        with pytest.raises(MissingError) as caught:
            ask()
        assert cure in str(caught.value) and "\n" not in str(caught.value)


@needs_flite
def test_only_the_synthesizers_that_are_asked_for_are_needed(monkeypatch, tmp_path):
    (tmp_path / "flite").symlink_to(shutil.which("flite"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert generated(count=1, clip_s=1, voices=["flite/slt"]).manifest["counts"]["clips"] == 1


@needs_posix
def test_a_synthesizer_that_hangs_is_ended_and_named(monkeypatch, tmp_path):
    program(tmp_path, "flite", "import time\ntime.sleep(600)")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(synthesizers, "START_S", 0.2)
    monkeypatch.setattr(synthesizers, "LONGEST_S", 1.0)
    with pytest.raises(StepError, match=r"flite was ended after 0 s, its limit"):
        generated(count=1, voices=["flite/slt"])


@needs_posix
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os\nos.abort()", r"flite crashed \(signal 6\)"),
        ("import sys\nsys.exit('no such voice')", r"flite failed \(exit status 1\): no such voice"),
        ("import sys\nopen(sys.argv[-1], 'w').write('no wave')", "flite/slt wrote no sound that can be read"),
    ],
)
def test_a_synthesizer_that_fails_is_named_with_what_it_said(body, said, monkeypatch, tmp_path):
    program(tmp_path, "flite", body)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(StepError, match=said) as caught:
        generated(count=1, voices=["flite/slt"])
    assert "\n" not in str(caught.value)


@pytest.mark.skipif("espeak-ng" not in here, reason="needs espeak-ng")
def test_breath_is_the_same_in_every_folder(tmp_path):
    [voice] = matching(["espeak-ng/pl+f3"])
    folders = [tmp_path / name for name in ("one", "another")]
    for folder in folders:
        folder.mkdir()
    (once, _), (again, _) = (speak([Utterance(voice, "So few.")], scratch=folder)[0] for folder in folders)
    np.testing.assert_array_equal(once, again)
