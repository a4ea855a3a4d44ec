"""``core speech-benchmark`` from sets that are made to tables, exit statuses and messages."""

import json
import math
import subprocess
import sys

import composed
import pytest
from click.testing import CliRunner

from ripieno.contracts import ConfigError, InputError, RipienoError
from ripieno_speech_benchmark import scores
from ripieno_speech_benchmark.command import speech_benchmark
from ripieno_speech_benchmark.running import Candidate, figures_of
from ripieno_speech_benchmark.scores import Score

SET = {
    "ripieno": 1,
    "name": "tiny",
    "steps": {
        "mixtures": {
            "uses": "data_source/mixtures",
            "with": {"folder": "elsewhere", "speech": ["speech/anna.wav"], "snr_db": [0], "length_s": 2.5},
        }
    },
    "outputs": {"mixtures": "mixtures"},
}
PASSING = {
    "ripieno": 1,
    "inputs": {"mix": {"kind": "audio", "many": True}},
    "steps": {"speech": {"uses": "effect/resample", "in": {"audio": "mix"}, "with": {"rate_hz": 16000}}},
    "outputs": {"speech": "{item}__done.wav"},
}
HARMING = {
    **PASSING,
    "steps": {"stems": {"uses": "separator/hpss", "in": {"audio": "mix"}}},
    "outputs": {"stems.harmonic": "h/{item}.wav", "stems.percussive": "p/{item}.wav"},
}


def called(*words, host=None):
    result = CliRunner().invoke(speech_benchmark, list(map(str, words)), obj=host)
    if isinstance(result.exception, RipienoError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def row(pipeline, **values):
    return [
        Score(pipeline, "one", 0.0, "", {"si_sdr_db": 8.0, "stoi": 0.8, **values}),
        Score(pipeline, "clean", None, "", {"si_sdr_db": 30.0}),
    ]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to run in, with pipelines in it."""
    monkeypatch.chdir(tmp_path)
    for name, document in {"set": SET, "passing": PASSING, "harming": HARMING}.items():
        (tmp_path / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def host():
    for needed in (
        "ripieno.core",
        "ripieno_librosa",
        "ripieno_media",
        "ripieno_speech_metrics",
        "pystoi",
        "pesq",
    ):
        pytest.importorskip(needed)
    from ripieno.core.host import CoreHost

    return CoreHost()


def test_promotion_says_why_and_exits_by_it(tmp_path):
    scores.write(tmp_path / "now.csv", [*row("mask"), *row("oracle", si_sdr_db=20.0)])
    scores.write(tmp_path / "new.csv", [*row("big", si_sdr_db=9.5), *row("bad", stoi=0.7)])
    yes = called("promote", tmp_path / "now.csv", f"{tmp_path / 'new.csv'}#big")
    assert (yes.exit_code, yes.output.splitlines()[-1]) == (0, "promoted")
    no = called("promote", tmp_path / "now.csv", f"{tmp_path / 'new.csv'}#bad")
    assert (no.exit_code, no.output.splitlines()[-1]) == (1, "not promoted")
    assert "STOI 0.8000 -> 0.7000" in no.output


def test_the_exit_status_is_that_of_the_whole_command(tmp_path):
    pytest.importorskip("ripieno.core")
    scores.write(tmp_path / "now.csv", row("mask"))
    command = [sys.executable, "-m", "ripieno.core", "speech-benchmark", "promote", "now.csv", "now.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (1, "not promoted", "")


def test_promotion_asks_whose_scores_where_there_are_several(tmp_path):
    scores.write(tmp_path / "two.csv", [*row("big"), *row("bad")])
    with pytest.raises(ConfigError, match="whose scores.*bad, big"):
        called("promote", tmp_path / "two.csv", tmp_path / "two.csv")


@pytest.mark.parametrize("text", ["mask", "=x.yaml", "mask=", "oracle=x.yaml"])
def test_a_pipeline_needs_a_name_of_its_own_and_a_path(text):
    with pytest.raises(ConfigError, match="--pipeline"):
        Candidate.parse(text)


def test_two_pipelines_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="2 pipelines have this name"):
        called("run", "set.yaml", "--pipeline", "a=b.yaml", "--pipeline", "a=c.yaml")


def test_a_ratio_that_is_not_there_is_infinite():
    """Of silence, or of what nothing has changed; loudness tells which."""
    assert figures_of({"stoi": 1.0, "loudness_lufs": -20.0}, is_clean=True)["si_sdr_db"] == math.inf
    assert figures_of({"stoi": 0.0}, is_clean=True)["si_sdr_db"] == -math.inf
    measured = {"si_sdr_db": 3.0, "si_sdr_improvement_db": 3.0, "estoi": 0.1}
    assert figures_of(measured, is_clean=False) == {"si_sdr_db": 3.0, "si_sdr_improvement_db": 3.0}
    assert figures_of(measured, is_clean=True) == {"si_sdr_db": 3.0}


def test_a_pipeline_may_name_its_output():
    assert Candidate.parse("mask=a/b.yaml#stems.speech") == Candidate("mask", "a/b.yaml", "stems.speech")


@pytest.mark.parametrize("option", ["--data", "--whisper"])
def test_a_folder_that_is_not_there_is_said_before_anything_runs(option):
    result = called("run", "set.yaml", option, "nowhere")
    assert result.exit_code == 2
    assert "'nowhere' does not exist" in result.output


def test_nothing_to_check_and_no_baseline_are_said_before_anything_runs(tmp_path):
    with pytest.raises(ConfigError, match="nothing to check"):
        called("check", "set.yaml", "--baseline", tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"none\.csv"):
        called("check", "set.yaml", "--baseline", tmp_path / "none.csv", "--pipeline", "a=b.yaml")


def test_a_pipeline_without_scores_in_the_baseline_is_said_before_anything_runs(tmp_path):
    scores.write(tmp_path / "old.csv", row("mask"))
    with pytest.raises(ConfigError, match=r"--pipeline a: .*old\.csv has no scores of it\. Name one of mask"):
        called("check", "set.yaml", "--baseline", tmp_path / "old.csv", "--pipeline", "a=b.yaml")


def test_a_ratio_that_no_mixture_has_is_named_with_those_there_are(tmp_path):
    scores.write(tmp_path / "scores.csv", row("mask"))
    with pytest.raises(ConfigError, match=r"--snr-db 5: .* There is: 0"):
        called("show", tmp_path, "--snr-db", "5")
    assert "mask" in called("show", tmp_path, "--snr-db", "0").output


@pytest.mark.slow
def test_a_benchmark_has_floor_and_limit_and_is_the_same_again(host, place):
    words = ["run", "set.yaml", "--data", composed.folder(), "--pipeline", "same=passing.yaml"]
    first = called(*words, "--output", "first", host=host)
    assert first.exit_code == 0
    found = {
        name: scores.of_pipeline(scores.read(place / "first" / "scores.csv"), name)
        for name in ("same", "mix", "hpss", "oracle")
    }
    gains = {name: scores.mean(own, "si_sdr_improvement_db") for name, own in found.items()}
    assert gains["mix"] == gains["same"] == 0
    assert gains["oracle"] > 5 > gains["hpss"]
    assert scores.mean(scores.under_music(found["mix"]), "residual_music_db") == pytest.approx(0, abs=0.05)
    assert scores.clean(found["same"])[0].values["si_sdr_db"] == float("inf")
    assert [line.split("|")[1].strip() for line in first.output.splitlines() if line.startswith("|")] == [
        "pipeline", "---", "hpss", "mix", "same", "oracle",
    ]  # fmt: skip
    called(*words, "--output", "second", host=host)
    texts = [(place / name / "scores.csv").read_bytes() for name in ("first", "second")]
    assert texts[0] == texts[1]
    assert called("show", place / "first", "--snr-db", 0).output in first.output


@pytest.mark.slow
def test_a_fall_is_named_and_fails_the_check(host, place):
    words = ["check", "set.yaml", "--data", composed.folder(), "--baseline", "baseline.csv", "--pipeline"]
    assert called(*words, "it=passing.yaml", "--write", host=host).exit_code == 0
    assert called(*words, "it=passing.yaml", host=host).exit_code == 0
    fallen = called(*words, "it=harming.yaml#stems.percussive", host=host)
    assert fallen.exit_code == 1
    assert "it, under music: si_sdr_db" in fallen.output
    assert "it, clean: si_sdr_db inf -> " in fallen.output


@pytest.mark.slow
def test_what_fails_is_left_out_of_the_table_and_named(host, place):
    words = ["run", "set.yaml", "--data", composed.folder()]
    result = called(*words, "--pipeline", "bad=harming.yaml", "--pipeline", "none=none.yaml", host=host)
    assert result.exit_code == 1
    assert "bad is left out: harming.yaml: which output is the speech?" in result.output
    assert "none is left out" in result.output
    assert {score.pipeline for score in scores.read(place / "speech-benchmark" / "scores.csv")} == {
        "mix",
        "hpss",
        "oracle",
    }
