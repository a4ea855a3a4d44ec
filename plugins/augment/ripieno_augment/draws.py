"""Draws as JSON and back, and ranges to draw from.

Conventions
-----------
What an augmenter draws is named by the return annotation of its `draw`: a frozen dataclass of plain
values, other such dataclasses and tuples of them; or JSON itself.
"""

from dataclasses import is_dataclass
from typing import Annotated, Any, get_type_hints

import numpy as np
from pydantic import AfterValidator, TypeAdapter

from ripieno.contracts import Augmenter, InputError


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the range runs from {bounds[0]:g} down to {bounds[1]:g}: put the lesser first")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]
"""Least and greatest value of a setting that is drawn evenly."""


def between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """A number drawn evenly from a range."""
    return float(rng.uniform(*bounds))


def log_between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """A positive number drawn from a range, each ratio as likely as another."""
    return float(np.exp(rng.uniform(*np.log(bounds))))


def plain(draw: Any) -> Any:
    """A draw as JSON."""
    if not is_dataclass(draw):
        return draw
    adapter: TypeAdapter[Any] = TypeAdapter(type(draw))
    return adapter.dump_python(draw, mode="json")


def drawn(augmenter: Augmenter[Any], recorded: Any) -> Any:
    """The draw of an augmenter that was recorded as JSON.

    Raises
    ------
    InputError
        If it is not of what the augmenter draws.
    """
    kind = get_type_hints(type(augmenter).draw).get("return")
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return recorded
    name = type(augmenter).__name__
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        draw = adapter.validate_python(recorded)
    except ValueError as error:
        raise InputError(f"not a draw of {name}: {' '.join(str(error).split())}") from error
    unknown = recorded.keys() - plain(draw).keys()
    if unknown:
        raise InputError(f"not a draw of {name}: it has no {', '.join(sorted(unknown))}")
    return draw
