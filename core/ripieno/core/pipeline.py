"""What was asked: a pipeline file as data.

Conventions
-----------
A reference is ``name`` (an input or a step) or ``step.output``. Paths in a file are relative to the
file, paths given to the run to the current folder; those in settings too, see `paths`.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ripieno.contracts.errors import PipelineError
from ripieno.registry.suggest import did_you_mean

from .document import Document, Trail, parse_document, read_document
from .shape import problems

if TYPE_CHECKING:
    from .result import RunResult

Source = str | list[str] | dict[str, str]


@dataclass(frozen=True)
class Input:
    """An input as it is declared.

    `folder` is what `path` and `items` are relative to, `along` the input whose items it goes with, and
    `given` says that the path is not the file's own.
    """

    name: str
    kind: str
    path: str | None
    items: str | None
    many: bool
    folder: Path
    description: str = ""
    licence: str = ""
    credit: str = ""
    commercial: bool = True
    along: str = ""
    given: bool = False


@dataclass(frozen=True)
class Step:
    """One use of one plugin.

    `folder` is what paths in `settings` are relative to, `given` the places whose values the run gave.
    """

    name: str
    uses: str
    sources: Mapping[str, Source]
    settings: Mapping[str, Any]
    cross: bool = False
    timeout_s: float | None = None
    folder: Path = Path()
    given: frozenset[Trail] = frozenset()

    def folder_of(self, trail: Trail) -> Path:
        """What a path in the settings is relative to."""
        is_given = any(trail[: len(place)] == place for place in self.given)
        return Path() if is_given else self.folder


@dataclass(frozen=True, repr=False)
class Pipeline:
    """A pipeline: `Pipeline.load(path).run(inputs={"song": "my.mp3"})`.

    Parameters
    ----------
    name : str
        Names the run folder.
    inputs, steps : mapping
        By name.
    outputs : mapping of str to str
        Path pattern by reference.
    document : Document
        Where everything stands, for messages.
    """

    name: str
    inputs: Mapping[str, Input]
    steps: Mapping[str, Step]
    outputs: Mapping[str, str]
    document: Document
    seed: int = 0
    commercial: bool = False
    allow: tuple[str, ...] = ()
    description: str = ""
    file: Path | None = field(default=None)

    @classmethod
    def load(cls, path: str | Path) -> "Pipeline":
        """Read a pipeline file.

        Raises
        ------
        PipelineError
            With every problem of its form, one line each, with file:line:column.
        """
        path = Path(path)
        return cls.of(read_document(path), folder=path.parent, file=path)

    @classmethod
    def parse(cls, text: str, *, folder: Path = Path()) -> "Pipeline":
        """Read a pipeline from text; its paths are relative to `folder`."""
        return cls.of(parse_document(text), folder=folder)

    @classmethod
    def of(cls, document: Document, *, folder: Path, file: Path | None = None) -> "Pipeline":
        """A pipeline from a parsed document."""
        found = problems(document, schema())
        if found:
            raise PipelineError("\n".join(found))
        value = document.value
        return cls(
            name=value.get("name") or (file.stem if file else "pipeline"),
            inputs={name: _input(name, item, folder) for name, item in value.get("inputs", {}).items()},
            steps={name: _step(name, item, folder) for name, item in value["steps"].items()},
            outputs=value.get("outputs", {}),
            document=document,
            seed=value.get("seed", 0),
            commercial=value.get("commercial", False),
            allow=tuple(value.get("plugins", {}).get("allow", ())),
            description=value.get("description", ""),
            file=file,
        )

    def __repr__(self) -> str:
        return f"Pipeline({self.name!r}, inputs: {', '.join(self.inputs)}; steps: {', '.join(self.steps)})"

    def at(self, *path: str | int, key: bool = False) -> str:
        """``file:line:column`` of a place in the file."""
        trail: Trail = path
        return self.document.at(trail, key=key)

    def with_inputs(self, paths: Mapping[str, str | Path]) -> "Pipeline":
        """The same with other files: ``NAME`` → path or glob, ``NAME.items`` → track list.

        Raises
        ------
        PipelineError
            If there is no such input.
        """
        inputs = dict(self.inputs)
        for given, path in paths.items():
            name, _, part = given.partition(".")
            if name not in inputs or part not in ("", "items"):
                known = ", ".join(inputs) or "none"
                raise PipelineError(
                    f"{self.document.name}: no input {given!r}. Inputs: {known}{did_you_mean(name, tuple(inputs))}"
                )
            if not isinstance(path, (str, PathLike)):
                raise PipelineError(
                    f"input {given!r} is a {type(path).__name__}: give the path of a file, or a glob"
                )
            changed = {"items": str(path)} if part else {"path": str(path), "items": None}
            # Whether an axis opens stays as the file declares it, whatever is given.
            inputs[name] = replace(inputs[name], **changed, folder=Path(), given=True)
        return replace(self, inputs=inputs)

    def with_settings(self, settings: Mapping[str, Any]) -> "Pipeline":
        """The same with other settings: ``step.key`` (or deeper, ``step.decoder.with.x``) → value.

        Raises
        ------
        PipelineError
            If there is no such step, or a step is named without a key.
        """
        steps = dict(self.steps)
        for place, value in settings.items():
            name, _, key = place.partition(".")
            if name not in steps:
                raise PipelineError(
                    f"{place!r} is not step.key. Steps: {', '.join(steps)}{did_you_mean(name, tuple(steps))}"
                )
            step, keys = steps[name], key.split(".")
            if not key:
                raise PipelineError(
                    f"{place!r} is a step: write {name}.KEY=VALUE. Its keys: core plugins show {step.uses}"
                )
            given = step.given | {tuple(keys)}
            steps[name] = replace(step, settings=_put(step.settings, keys, value), given=given)
        return replace(self, steps=steps)

    def run(
        self,
        inputs: Mapping[str, str | Path] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> "RunResult":
        """Run it; `options` are those of `ripieno.core.run.Options`.

        Returns
        -------
        RunResult
            ``result["step"]`` is a result, ``result.folder`` the run folder.

        Raises
        ------
        RunError
            If a step failed; what could be finished is, and is in the error's `result`.
        """
        from .run import Options, run

        pipeline = self.with_inputs(inputs or {}).with_settings(settings or {})
        return run(pipeline, Options(**options)).checked()


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The JSON schema of a pipeline file."""
    path = Path(__file__).with_name("pipeline.schema.json")
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def names_of(source: Source) -> Sequence[str]:
    """The references in what a port takes."""
    if isinstance(source, str):
        return (source,)
    return tuple(source.values()) if isinstance(source, dict) else source


def expanded(path: str) -> Path:
    """A path as a user writes it, ``~`` put in place."""
    return Path(os.path.expanduser(path))


def is_glob(path: str) -> bool:
    """Whether a path is a pattern."""
    return any(sign in path for sign in "*?[")


def _input(name: str, item: Mapping[str, Any], folder: Path) -> Input:
    path = item.get("path")
    return Input(
        name=name,
        kind=item["kind"],
        path=path,
        items=item.get("items"),
        many=item.get("many", False) or "items" in item or "along" in item or is_glob(path or ""),
        folder=folder,
        description=item.get("description", ""),
        licence=item.get("licence", ""),
        credit=item.get("credit", ""),
        commercial=item.get("commercial", True),
        along=item.get("along", ""),
    )


def _step(name: str, item: Mapping[str, Any], folder: Path) -> Step:
    return Step(
        name=name,
        uses=item["uses"],
        sources=item.get("in", {}),
        settings=item.get("with", {}),
        cross=item.get("cross", False),
        timeout_s=item.get("timeout"),
        folder=folder,
    )


def _put(settings: Mapping[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    first, *rest = keys
    if not rest:
        return {**settings, first: value}
    below = settings.get(first)
    return {**settings, first: _put(below if isinstance(below, dict) else {}, rest, value)}
