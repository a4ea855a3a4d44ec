import shutil
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from measured_sounds import hiss, silence, sound, voice
from tiny_whisper import write_tiny_whisper

from ripieno.contracts import Asset, ConfigError, InputError, MissingError, Text
from ripieno.contracts.context import new_context
from ripieno.contracts.testing import MetricSuite, overrides
from ripieno_speech_metrics import catalogue
from ripieno_speech_metrics.words import WordErrors, WordErrorsConfig, word_errors, words_of

pytestmark = pytest.mark.skipif(
    find_spec("faster_whisper") is None or find_spec("jiwer") is None,
    reason='pip install "ripieno-speech-metrics[wer]"',
)
SAID = ["the", "quick", "brown", "fox"]


@cache
def tiny_whisper() -> Path:
    return write_tiny_whisper(new_context().scratch, SAID)


def scores(text: str, *, seconds: float = 2.0) -> dict[str, float]:
    metric = WordErrors(WordErrorsConfig(model=tiny_whisper()))
    return dict(metric.measure(sound(voice(seconds=seconds)), Text(text)).values)


class TestConformance(MetricSuite):
    plugin = WordErrors

    def settings(self):
        return WordErrorsConfig(model=tiny_whisper())

    def example(self):
        return {"audio": sound(voice()), "text": Text("The quick fox.")}

    @overrides("the model is the user's")
    def test_what_it_ships_has_a_licence(self) -> None:
        assert not self.plugin.licences


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The quick, brown fox!", {"wer": 0, "words": 4}),
        ("the QUICK-brown fox", {"wer": 0}),
        ("the slow brown fox", {"wer": 1 / 4, "substitutions": 1, "deletions": 0, "insertions": 0}),
        ("the fox", {"wer": 2 / 2, "substitutions": 0, "deletions": 0, "insertions": 2}),
        ("the very quick brown fox", {"wer": 1 / 5, "deletions": 1, "insertions": 0}),
    ],
)
def test_what_is_heard_is_compared_word_by_word(text, wrong):
    assert {name: scores(text)[name] for name in wrong} == pytest.approx(wrong)


def test_any_length_and_format_is_heard():
    metric = WordErrors(WordErrorsConfig(model=tiny_whisper()))
    for audio in (
        sound(*[hiss(seconds=0.05, rate_hz=192_000)] * 6, rate_hz=192_000),
        sound(voice(seconds=31)),
    ):
        assert metric.measure(audio, Text(" ".join(SAID))).values["deletions"] == 0


def test_silence_is_not_asked_what_it_says():
    metric = WordErrors(WordErrorsConfig(model=tiny_whisper()))
    for audio in (silence(), silence(0)):
        assert metric.measure(audio, Text("one two")).values["deletions"] == 2


def test_a_language_that_the_model_does_not_know_is_refused():
    metric = WordErrors(WordErrorsConfig(model=tiny_whisper(), language="de"))
    with pytest.raises(ConfigError, match="knows en, not de"):
        metric.measure(sound(voice()), Text("eins zwei"))


def test_a_text_without_words_cannot_be_wrong():
    result = WordErrors().measure(sound(voice()), Text(" … —"))
    assert result.values == {}
    assert "no wer" in result.compared_with


def test_it_says_what_was_compared():
    result = WordErrors(WordErrorsConfig(model=tiny_whisper())).measure(sound(voice()), Text("the fox"))
    assert result.compared_with.startswith(
        "the text of 2 words, heard in 3.00 s at 16000 Hz, 1 channel by Whisper"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don\u2019t panic!", ["don't", "panic"]),
        ("well-known -- 'quoted'", ["well", "known", "quoted"]),
        ("It cost 1,000.50 or 3.5, not 12.", ["it", "cost", "1000.50", "or", "3.5", "not", "12"]),
        ("in 1, 2, 3", ["in", "1", "2", "3"]),
        ("Stra\u00dfe \ufb01ne CAF\u00c9", ["strasse", "fine", "caf\u00e9"]),
        ("snake_case\n\ttwo  lines", ["snake", "case", "two", "lines"]),
    ],
)
def test_words_are_without_case_and_punctuation(text, words):
    assert words_of(text) == words


@given(st.text())
def test_words_of_words_are_the_same(text):
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@given(st.lists(st.sampled_from("abcd"), min_size=1), st.lists(st.sampled_from("abcd")))
def test_the_rate_is_the_edit_distance_for_each_word(truth, heard):
    row = list(range(len(heard) + 1))
    for i, word in enumerate(truth, start=1):
        above, row = row, [i]
        for j, other in enumerate(heard, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (word != other)))
    errors = word_errors(heard, truth)
    assert errors["wer"] == pytest.approx(row[-1] / len(truth))
    assert errors["substitutions"] + errors["deletions"] + errors["insertions"] == row[-1]


class TestMissing:
    def test_without_a_model_one_line_says_what_to_get(self):
        with pytest.raises(MissingError, match=r"150 MB, MIT\. Run: hf download") as error:
            WordErrors().measure(sound(voice()), Text("a"))
        assert "\n" not in str(error.value)
        with pytest.raises(MissingError, match="Run: hf download"):
            WordErrors.assets(WordErrorsConfig())
        assert isinstance(catalogue.whisper_base, Asset) and catalogue.whisper_base.licence == "MIT"

    def test_a_folder_that_is_not_there_empty_or_damaged_is_refused(self, tmp_path):
        def measure(folder):
            WordErrors(WordErrorsConfig(model=folder)).measure(sound(voice()), Text("a"))

        with pytest.raises(MissingError, match="no such folder"):
            measure(tmp_path / "nowhere")
        for refused in (measure, lambda folder: WordErrors.assets(WordErrorsConfig(model=folder))):
            with pytest.raises(InputError, match=r"has no model\.bin, config\.json, tokenizer\.json"):
                refused(tmp_path)
        damaged = shutil.copytree(tiny_whisper(), tmp_path / "damaged")
        (damaged / "model.bin").write_bytes(b"nothing of the kind")
        with pytest.raises(InputError, match="not a Whisper model"):
            measure(damaged)

    @pytest.mark.parametrize("module", ["faster_whisper", "jiwer"])
    def test_a_library_that_is_missing_is_named_with_its_cure(self, module, monkeypatch):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingError, match=r'pip install "ripieno-speech-metrics\[wer\]"'):
            scores("a")
