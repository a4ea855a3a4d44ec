"""What is wrong with settings, in one line: where, and what was meant."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ripieno.contracts.config import message_of


def problem_in(model: type[BaseModel], error: ValidationError) -> str:
    """The first thing that is wrong with settings: its place, and what was meant."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *above, name = first["loc"]
        return f"{place}: unknown setting{meant(str(name), _fields(model, above))}"
    given = first["input"]
    shown = f", got {given!r}" if isinstance(given, (str, int, float, bool)) else ""
    return f"{place}: {message_of(first)}{shown}"


def meant(name: str, known: Sequence[str]) -> str:
    """The end of a message about a name that is not known."""
    close = get_close_matches(name, known, n=1)
    return f'. Did you mean "{close[0]}"?' if close else f". There is: {', '.join(known)}"


def _fields(model: type[BaseModel], place: Sequence[Any]) -> list[str]:
    """Names of the settings at a place in a model; what a mapping holds is found by the mapping's type."""
    for part in place:
        field = model.model_fields.get(str(part))
        if field is not None:
            inner = (field.annotation, *get_args(field.annotation))
            model = next(
                (one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), model
            )
    return list(model.model_fields)
