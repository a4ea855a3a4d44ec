"""The figures, on pictures whose answers are known."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno_gan import bank, scores
from ripieno_gan.report import sheet


def test_the_kernel_distance_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    real, drawn = rng.standard_normal((5, 3)), rng.standard_normal((4, 3)) + 1

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within = [
        np.mean([kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j])
        for rows in (real, drawn)
    ]
    across = np.mean([kernel(a, b) for a in real for b in drawn])
    assert scores.kernel_distance(real, drawn) == pytest.approx(sum(within) - 2 * across)


def test_the_kernel_distance_of_one_kind_is_0_on_average():
    rng = np.random.default_rng(1)
    found = [scores.kernel_distance(*rng.standard_normal((2, 40, 8))) for _ in range(50)]
    assert np.mean(found) == pytest.approx(0, abs=3 * np.std(found) / np.sqrt(50))


def test_points_of_a_triangle_are_apart_as_its_sides_are_long():
    assert scores.apart(np.array([[0.0, 0], [3, 0], [3, 4]])) == pytest.approx((3 + 4 + 5) / 3)


def test_saturation_of_grey_is_0_and_of_red_1():
    red = np.zeros((1, 3, 8, 8), np.float32)
    red[:, 0] = 1
    assert scores.saturation(red) == pytest.approx(1)
    assert scores.saturation(np.full((1, 3, 8, 8), 0.5, np.float32)) == 0


def test_detail_lies_in_the_band_of_its_period():
    def waves(period):
        line = np.sin(2 * np.pi * np.arange(128) / period).astype(np.float32)
        return np.broadcast_to(0.5 + 0.4 * line, (1, 2, 128, 128)).copy()

    strongest = [
        max(scores.detail(waves(period)).items(), key=lambda band: band[1])[0] for period in (3, 12, 48)
    ]
    assert strongest == ["detail_high", "detail_mid", "detail_low"]


def test_an_even_way_has_evenness_1_and_a_jump_the_share_of_its_steps():
    even = np.linspace(0, 1, 5, dtype=np.float32).reshape(1, 5, 1, 1, 1)
    jump = np.array([0, 0, 0, 0, 1], np.float32).reshape(1, 5, 1, 1, 1)
    assert scores.evenness(even) == pytest.approx(1)
    assert scores.evenness(jump) == pytest.approx(1 / 4)


@given(st.integers(0, 1000), st.integers(1, 12))
@settings(max_examples=20)
def test_a_bank_has_different_pictures_and_families_by_turns(seed, count):
    rng = np.random.default_rng(seed)
    families = [("a", "b", "c")[index % 3] for index in range(30)]
    places = bank.chosen(rng.standard_normal((30, 4)), families, count)
    assert len(set(places)) == len(places) == -(-count // 3) * 3
    assert [families[place] for place in places] == ["a", "b", "c"] * (len(places) // 3)


def test_a_bank_takes_what_lies_apart():
    features = np.array([[0.0, 0], [0.1, 0], [0, 0.1], [10, 0], [10, 0.1], [0, 10]])
    places = bank.chosen(features, ["a"] * 6, 3)
    corners = {0: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 2}
    assert {corners[place] for place in places} == {0, 1, 2}


def test_what_is_brighter_and_harder_answers_to_louder_music():
    line = np.sin(2 * np.pi * np.arange(64) / 16).astype(np.float32)
    calm, wild = (
        np.broadcast_to(level + swing * line, (2, 64, 64)) for level, swing in ((0.2, 0.05), (0.6, 0.4))
    )
    rows = bank.answers(np.stack([calm, wild]))
    assert (rows[1] > rows[0])[:3].all()
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("count", "rows"), [(3, 1), (4, 1), (5, 2)])
def test_a_sheet_has_whole_rows_and_nothing_where_pictures_lack(count, rows):
    drawn = sheet(np.ones((count, 3, 6, 5), np.float32), columns=4)
    assert drawn.shape == (6 * rows, 5 * 4, 4)
    assert (drawn == 255).all(axis=2).sum() == count * 6 * 5
    assert (drawn == 0).all(axis=2).sum() == (4 * rows - count) * 6 * 5


def test_a_row_of_a_sheet_has_one_palette_and_the_next_another():
    drawn = sheet(np.full((4, 2, 6, 5), 0.5, np.float32), columns=2)
    colours = drawn[::6, ::5]
    assert (colours[:, 0] == colours[:, 1]).all()
    assert (colours[0, 0] != colours[1, 0]).any()
