"""Anchors of a preset out of the bank of a generator that the preset does not know.

Conventions
-----------
Every code of the bank is drawn once. What its picture is like is told by its rank among the others, -1..1,
so that no scale of a generator matters.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ripieno.toolkit.latents import GeneratorCard

from .generator import Generator
from .steering.settings import Character

Array = NDArray[np.float64]
TRAITS = tuple(Character.model_fields)
# Of a preset's own kind are this many times the anchors; of these, those that differ most are taken.
POOL = 2


@lru_cache(maxsize=2)
def traits_of(generator: Generator) -> Array:
    """How light, contrasty, fine and various the picture of each code is: ranks [codes, traits], -1..1."""
    shape = generator.card.latent_shape
    found = [
        _measured(generator.draw(code.reshape(shape)).astype(np.float64)) for code in generator.card.anchors
    ]
    ranks = np.argsort(np.argsort(np.array(found), axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(2 * ranks / max(1, len(found) - 1) - 1)


def choose(card: GeneratorCard, traits: Array, character: Character, *, count: int) -> tuple[int, ...]:
    """Places in the bank of some codes of a character, unlike each other.

    Parameters
    ----------
    card : GeneratorCard
        With the bank.
    traits : ndarray [codes, traits]
        As `traits_of` gives them.
    character : Character
        What is wanted.
    count : int
        Of anchors; fewer where the bank is smaller.

    Returns
    -------
    tuple of int
        In an order in which neighbours are alike, the darkest first: moods take neighbours.
    """
    wanted: Mapping[str, float] = character.model_dump()
    score = sum(wanted[name] * traits[:, index] for index, name in enumerate(TRAITS))
    # Extremes of any kind suit few presets.
    score = score - 0.2 * np.abs(traits).max(axis=1)
    count = min(count, len(score))
    pool = np.argsort(-score, kind="stable")[: max(POOL * count, len(score) // 3)]
    flat = card.anchors.astype(np.float64)
    codes = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=2)
    taken = [int(pool[0])]
    while len(taken) < count:
        left = [int(place) for place in pool if place not in taken]
        taken.append(max(left, key=lambda place: apart[place, taken].min() + 0.25 * score[place]))
    light = traits[:, TRAITS.index("light")]
    return _in_order(
        taken, apart + 0.5 * np.abs(light[:, None] - light), first=min(taken, key=light.__getitem__)
    )


def _in_order(places: list[int], apart: Array, *, first: int) -> tuple[int, ...]:
    """From one to the nearest that is left."""
    chain = [first]
    while len(chain) < len(places):
        left = [place for place in places if place not in chain]
        chain.append(min(left, key=lambda place: apart[chain[-1], place]))
    return tuple(chain)


def _measured(picture: Array) -> tuple[float, ...]:
    """Mean and deviation of the shade, mean slope, deviation of the colour, of fields or of RGB."""
    shade = picture[1] if len(picture) == 2 else picture.mean(axis=0)
    colours = picture[:1] if len(picture) == 2 else picture - shade
    slopes = sum(np.hypot(*np.gradient(plane)).mean() for plane in (shade, *colours))
    variety = float(np.sqrt(sum(plane.var() for plane in colours)))
    return float(shade.mean()), float(shade.std()), float(slopes), variety
