"""The pipeline that a command line asks for; what runs it is not imported."""

from collections.abc import Iterable

from ripieno.contracts.errors import PipelineError

from ..document import parse_value
from ..pipeline import Pipeline
from ..recipes import find_pipeline


def asked(pipeline: str, inputs: Iterable[str], settings: Iterable[str]) -> Pipeline:
    """The pipeline with the inputs and settings of the command line."""
    values = {
        place: parse_value(text, name=f"--set {place}") for place, text in pairs(settings, "--set").items()
    }
    return find_pipeline(pipeline).with_inputs(pairs(inputs, "--input")).with_settings(values)


def pairs(values: Iterable[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a dict.

    Raises
    ------
    PipelineError
        If one has no ``=``.
    """
    found = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name:
            raise PipelineError(f"{option} {value}: write {option} NAME=VALUE")
        if name in found:
            many = f". For many files give a glob: {option} '{name}=*.wav'" if option == "--input" else ""
            raise PipelineError(f"{option} {name} is given twice{many}")
        found[name] = rest
    return found
