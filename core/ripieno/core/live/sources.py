"""What the inputs of a live run hear, as the command line names it, and opening it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from ripieno.contracts.errors import InputError, PipelineError
from ripieno.registry import Registry
from ripieno.registry.suggest import did_you_mean

from ..pipeline import Pipeline
from .feeds import Feed
from .hops import Source
from .microphone import microphone
from .raw import RawFormat, standard_input
from .recording import recording

KINDS = ("mic", "stdin", "ws", "file:PATH")


@dataclass(frozen=True)
class Asked:
    """A source as the command line names it.

    Parameters
    ----------
    input : str
        Of the pipeline.
    kind : {"mic", "stdin", "ws", "file"}
        What it is.
    path : str
        Of a file.
    """

    input: str
    kind: str
    path: str = ""

    @property
    def key(self) -> str:
        """Of the only item that a list input has: a file's is its stem, as in a run."""
        return normalize("NFC", Path(self.path).stem) if self.path else self.kind


def parse_sources(texts: Sequence[str], pipeline: Pipeline) -> tuple[Asked, ...]:
    """What ``--source [INPUT=]KIND`` says, for each time it is given.

    Raises
    ------
    PipelineError
        If it cannot be read, names no audio input, or one twice.
    """
    asked = tuple(_parsed(text, pipeline) for text in texts)
    for name in {one.input for one in asked}:
        if sum(one.input == name for one in asked) > 1:
            raise PipelineError(f"--source {name}= is given twice: an input has one source")
    for kind, why in {"stdin": "there is one standard input", "ws": "one client sends at a time"}.items():
        if sum(one.kind == kind for one in asked) > 1:
            raise PipelineError(f"--source {kind} is given twice: {why}")
    return asked


def _parsed(text: str, pipeline: Pipeline) -> Asked:
    name, equals, rest = text.partition("=")
    named = bool(equals) and not text.startswith("file:")
    what = rest if named else text
    kind, colon, path = what.partition(":")
    if kind not in ("mic", "stdin", "ws", "file") or bool(colon) != (kind == "file") or (colon and not path):
        hint = f". For a file, write file:{what}" if os.path.exists(what) else did_you_mean(kind, KINDS[:-1])
        raise PipelineError(f"--source {text}: a source is {', '.join(KINDS[:-1])} or {KINDS[-1]}{hint}")
    return Asked(_input(name if named else "", text, pipeline), kind, path)


def _input(name: str, text: str, pipeline: Pipeline) -> str:
    inputs = {one.name: one.kind for one in pipeline.inputs.values()}
    audio = [one for one, kind in inputs.items() if kind == "audio"]
    if name in audio:
        return name
    if name in inputs:
        raise PipelineError(f"--source {text}: the input {name!r} is {inputs[name]}, a source gives audio")
    if not audio:
        raise PipelineError(f"--source {text}: {pipeline.name} has no audio input")
    if name:
        hint = did_you_mean(name, tuple(audio))
        raise PipelineError(f"--source {text}: no input {name!r}. Audio inputs: {', '.join(audio)}{hint}")
    if len(audio) > 1:
        raise PipelineError(
            f"--source {text}: which input is it for, {' or '.join(audio)}? Write --source {audio[0]}={text}"
        )
    return audio[0]


@contextmanager
def opened(asked: Asked, *, registry: Registry, raw: RawFormat) -> Iterator[Source]:
    """A source that is read; a client's is an `Inlet`.

    Raises
    ------
    InputError
        If there is no such file, device or format.
    MissingError
        If a library is not installed, or nothing reads files of the suffix.
    """
    if asked.kind == "stdin":
        yield standard_input(raw)
        return
    with _file(asked.path, registry) if asked.kind == "file" else microphone(raw) as feed:
        yield feed


def _file(name: str, registry: Registry) -> AbstractContextManager[Feed]:
    path = Path(name).expanduser()
    if not path.exists():
        raise InputError(f"--source file:{name}: no such file")
    if path.is_dir():
        raise InputError(f"--source file:{name}: that is a folder, and one file of sound is wanted")
    if not path.suffix:
        raise InputError(f"--source file:{name}: a suffix says how a file is read, and its name has none")
    return recording(registry.build(registry.codec("audio", path.suffix), {}), path)
