"""Word errors in the benchmark of speech: by a recognizer whose words are known, and without one."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno_speech_benchmark import scores

TINY_WHISPER = Path(__file__).parents[1] / "plugins/speech-metrics/tests/tiny_whisper.py"
SET = """
name: read
steps:
  mixtures:
    uses: data_source/mixtures
    with: {folder: recordings, snr_db: [0], length_s: 3, texts: {anna: the quick fox}}
outputs: {mixtures: mixtures}
"""
COMMAND = ("speech-benchmark", "run", "set.yaml", "--whisper", "whisper")


@pytest.fixture
def folder(bench):
    for needed in ("pystoi", "pesq", "faster_whisper", "jiwer"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    bench.pipeline(SET, "set.yaml")
    rng = np.random.default_rng(0)
    for name in ("speech/anna", "music/bed"):
        path = bench.folder / f"recordings/{name}.wav"
        path.parent.mkdir(parents=True)
        times_s = np.arange(48_000) / 16_000
        soundfile.write(path, 0.1 * rng.standard_normal(48_000) * np.sin(2 * np.pi * times_s) ** 2, 16_000)
    (bench.folder / "whisper").mkdir()
    return bench.folder


@pytest.mark.slow
def test_words_that_are_heard_wrongly_stand_in_the_table(bench, folder):
    runpy.run_path(str(TINY_WHISPER))["write_tiny_whisper"](folder / "whisper", ["the", "slow", "fox"])
    said = bench.core(*COMMAND).stdout
    assert "| WER |" in said
    found = scores.read(folder / "speech-benchmark/scores.csv")
    assert {score.pipeline for score in found} == {"mix", "hpss", "oracle"}
    assert {score.values["wer"] for score in found} == {0.3333}


@pytest.mark.slow
def test_a_folder_without_a_recognizer_is_said_before_anything_is_measured(bench, folder):
    said = bench.core(*COMMAND, code=1).stderr
    assert said.count("has no model.bin, config.json, tokenizer.json") == 3
    assert not list(bench.folder.glob("runs/*-measure"))
