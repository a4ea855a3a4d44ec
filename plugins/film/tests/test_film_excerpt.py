"""A part of a film is what the whole film has there."""

import numpy as np
import pytest
from making_films import decoded_frames, film, tone, trajectory

from ripieno.contracts import InputError
from ripieno.contracts.context import new_context
from ripieno_film.excerpt import excerpt


def cut(seconds, part_s, *, fps=30.0):
    return excerpt(
        trajectory(seconds, fps=fps), tone(seconds), part_s=part_s, writer=new_context().audio_writer
    )


def test_a_part_has_the_rows_and_the_sound_of_its_seconds():
    rows, sound = cut(4.0, (1.0, 2.5))
    assert np.array_equal(rows.coefficients, trajectory(4.0).coefficients[30:75])
    assert np.array_equal(sound.samples, tone(4.0).samples[:, 48000:120000])
    assert rows.look == trajectory(4.0).look


def test_a_part_that_ends_after_the_film_ends_with_it():
    rows, sound = cut(2.0, (1.5, 9.0))
    assert (len(rows.coefficients), sound.frames) == (15, 24000)


def test_a_part_outside_the_film_is_refused():
    with pytest.raises(
        InputError, match=r"the part from 60 to 65 s lies outside the film, which lasts 2\.0 s"
    ):
        cut(2.0, (60, 65))


def test_a_film_of_a_part_shows_it():
    whole, part = (film(trajectory(3.0), tone(3.0), **given) for given in ({}, {"part_s": (2.5, 2.8)}))
    assert abs(part.duration_s - 0.3) < 1e-3
    shown, frames = decoded_frames(part).astype(int), decoded_frames(whole)
    assert len(shown) == 9
    away = [np.abs(shown - frames[first : first + 9]).mean() for first in range(0, 76, 15)]
    assert np.argmin(away) == 5


def test_a_part_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="a part begins at 0 or later"):
        film(trajectory(1.0), tone(1.0), part_s=(2, 1))
