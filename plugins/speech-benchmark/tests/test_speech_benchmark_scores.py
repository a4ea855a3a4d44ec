"""Tables of scores: written, read, printed, and judged by the two rules."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import ConfigError, InputError, StepError
from ripieno_speech_benchmark import scores, speed
from ripieno_speech_benchmark.rules import BOUNDS, falls, promotion
from ripieno_speech_benchmark.scores import DECIMALS, Score, table

figures = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(-9999, 9999).map(lambda n, d=digits: n / 10**d) for name, digits in DECIMALS.items()
    },
)
rows = st.builds(
    Score,
    pipeline=st.sampled_from(["a", "b, c", 'd"e']),
    mixture=st.sampled_from(["one", "two", "歌"]),
    snr_db=st.sampled_from([None, -5.0, 0.0, 2.5]),
    room=st.sampled_from(["", "hall"]),
    values=figures,
)
tables = st.lists(rows, max_size=8, unique_by=lambda score: (score.pipeline, score.mixture))


def scored(pipeline="mask", *, clean_db=30.0, **values):
    """Two mixtures with these figures, and a clean voice."""
    made = [Score(pipeline, f"mix-{n}", 0.0, "", {"si_sdr_db": 8.0, "stoi": 0.8, **values}) for n in range(2)]
    return [*made, Score(pipeline, "clean", None, "", {"si_sdr_db": clean_db, "stoi": 1.0})]


@given(tables)
def test_what_is_written_is_read_again_and_the_order_of_rows_does_not_matter(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("scores")
    scores.write(folder / "one.csv", found)
    scores.write(folder / "other.csv", reversed(found))
    assert (folder / "one.csv").read_bytes() == (folder / "other.csv").read_bytes()
    by_name = {(score.pipeline, score.mixture): score for score in found}
    for score in scores.read(folder / "one.csv"):
        assert score == by_name.pop((score.pipeline, score.mixture))
    assert not by_name


def test_infinite_figures_and_missing_ones_survive(tmp_path):
    values = {"si_sdr_db": -math.inf, "stoi": 0.5}
    scores.write(tmp_path / "scores.csv", [Score("a", "one", 0.0, "", values)])
    assert scores.read(tmp_path / "scores.csv")[0].values == values


def test_a_figure_that_rounds_to_zero_has_no_sign(tmp_path):
    scores.write(tmp_path / "scores.csv", [Score("a", "one", 0.0, "", {"si_sdr_db": -0.0004})])
    assert "-0" not in (tmp_path / "scores.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "pipeline,mixture\na,b\n", "\x00\xff"])
def test_another_table_is_refused_with_its_name(tmp_path, text):
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv"):
        scores.read(tmp_path / "other.csv")
    with pytest.raises(InputError, match=r"none\.csv: no such file; core speech-benchmark run writes"):
        scores.read(tmp_path / "none.csv")


def test_speeds_are_written_where_they_are_known(tmp_path):
    speed.write(tmp_path / "speed.csv", {"mask": 0.0125, "mix": math.nan})
    assert speed.read(tmp_path / "speed.csv") == {"mask": 0.0125}
    assert speed.read(tmp_path / "none.csv") == {}
    (tmp_path / "other.csv").write_text("pipeline,real_time_factor\nmask,quick\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv: not a table of real-time factors"):
        speed.read(tmp_path / "other.csv")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StepError, match=r"scores\.csv: cannot be written"):
        scores.write(tmp_path / "file" / "scores.csv", [])


def test_the_table_has_means_under_music_and_the_worst_of_clean_speech():
    found = [
        Score("mask", "a", 0.0, "", {"si_sdr_improvement_db": 8.0, "stoi": 0.7}),
        Score("mask", "b", 5.0, "", {"si_sdr_improvement_db": 4.0, "stoi": 0.9}),
        Score("mask", "c", None, "", {"si_sdr_db": 31.0, "stoi": 1.0}),
        Score("mask", "d", None, "", {"si_sdr_db": 24.0, "stoi": 1.0}),
    ]
    head, _, row = table(found, real_time_factors={"mask": 0.01}).splitlines()
    cells = dict(
        zip(*([cell.strip() for cell in line.strip("|").split("|")] for line in (head, row)), strict=True)
    )
    assert cells["SI-SDR gain dB"] == "6.0"
    assert (cells["at 0"], cells["at 5"]) == ("8.0", "4.0")
    assert cells["STOI"] == "0.800"
    assert cells["clean speech dB"] == "24.0"
    assert cells["x real time"] == "0.0100"
    assert "WER" not in cells


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"si_sdr_db": 9.0}, []),
        ({"si_sdr_db": 8.98}, ["SI-SDR"]),
        ({"si_sdr_db": 9.0, "stoi": 0.7901}, []),
        ({"si_sdr_db": 9.0, "stoi": 0.79}, ["STOI"]),
        ({"si_sdr_db": 9.0, "clean_db": 20.0}, []),
        ({"si_sdr_db": 9.0, "clean_db": 19.9}, ["clean"]),
        ({"si_sdr_db": -math.inf, "stoi": 0.5, "clean_db": -math.inf}, ["SI-SDR", "STOI", "clean"]),
    ],
)
def test_a_separator_is_promoted_by_its_gain_if_it_costs_nothing(change, failing):
    findings = promotion(scored(), scored("new", **change))
    assert [finding.says.split()[0] for finding in findings if not finding.ok] == failing


def test_one_clean_voice_that_is_harmed_is_enough_against_it():
    harmed = [*scored("new", si_sdr_db=20.0), Score("new", "clean-2", None, "", {"si_sdr_db": 12.0})]
    others = [*scored(), Score("mask", "clean-2", None, "", {"si_sdr_db": 50.0})]
    assert [finding.ok for finding in promotion(others, harmed)] == [True, True, False]


def test_scores_on_other_mixtures_are_not_compared():
    with pytest.raises(ConfigError, match="other mixtures"):
        promotion(scored(), scored("new")[1:])
    with pytest.raises(ConfigError, match="other mixtures"):
        falls(scored(), scored()[1:])


def test_scores_without_clean_speech_promote_nothing():
    with pytest.raises(ConfigError, match="without music"):
        promotion(scored()[:2], scored("new")[:2])


@given(tables)
def test_nothing_falls_below_itself(found):
    assert falls(found, found) == []


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.figure)
@pytest.mark.parametrize("direction", [1, -1])
def test_a_figure_may_move_within_its_tolerance_and_to_the_better(bound, direction):
    before = scored(**{bound.figure: 0.5})
    within = scored(**{bound.figure: 0.5 + direction * 0.9 * bound.tolerance})
    beyond = scored(**{bound.figure: 0.5 + direction * 1.1 * bound.tolerance})
    assert falls(before, within) == []
    lines = falls(before, beyond)
    assert len(lines) == (0 if bound.better == direction else 1)
    assert all(bound.figure in line and "mask, under music" in line for line in lines)


def test_clean_speech_is_watched_apart():
    (line,) = falls(scored(clean_db=30.0), scored(clean_db=25.0))
    assert "mask, clean: si_sdr_db 30 -> 25" in line


def test_a_figure_that_is_gone_is_a_fall_but_for_words_that_need_weights():
    without = [replace(score, values={"si_sdr_db": score.values["si_sdr_db"]}) for score in scored()]
    lines = falls(scored(), without)
    assert len(lines) == 2
    assert all("stoi" in line for line in lines)
    assert falls(scored(wer=0.1), scored()) == []


def test_a_pipeline_that_the_baseline_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="no scores of new"):
        falls(scored(), scored("new"))
