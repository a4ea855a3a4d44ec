"""A performance as the JSON of its `.cont` document, and back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, Performance, RipienoError, cont_text

Json = dict[str, Any]


def document_of(performance: Performance) -> Json:
    """The document that `ripieno.contracts.performance_of` reads back."""
    document: Json = json.loads(cont_text(performance))
    return document


def without(document: Json, *names: str) -> Json:
    """A copy that lacks some fields."""
    return {name: value for name, value in document.items() if name not in names}


def linear(times_s: NDArray[np.float64], values: NDArray[np.float64]) -> Json:
    """An envelope of lines."""
    return {"interpolation": "linear", "points": np.stack([times_s, values], axis=1).tolist()}


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a damaged file brings about into an `InputError` of one line that names the file."""
    try:
        yield
    except RipienoError as error:
        raise InputError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (KeyError, TypeError, AttributeError, LookupError) as error:
        raise InputError(f"{path}: damaged, or not as {what} has it: {error!r}") from error
    except (OSError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(
            f"{path}: not {what}: {' '.join(str(error).split()) or type(error).__name__}"
        ) from error
