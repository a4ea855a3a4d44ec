"""What every plugin must keep, as tests that its own test class inherits.

Conventions
-----------
A suite is subclassed with a `plugin` and, where the defaults do not do, a `config`. An inherited test
cannot be removed; one that is replaced says why: ``@overrides("the codec is lossy")``. Results are shared
between the tests of a class, so that a plugin is not called twice for the same question.
"""

import hashlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pytest

from ..artifact import Artifact
from ..config import PluginConfig, references
from ..context import Context, call_in, new_context, temporary_folder, use_context
from ..describe import configure, describe
from ..errors import ConfigError
from ..packing import pack
from ..plugin import Plugin
from ..ports import signature

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")


def overrides(reason: str) -> Callable[[F], F]:
    """Allow a test to replace an inherited one.

    Parameters
    ----------
    reason : str
        Why what every plugin keeps does not hold for this one.
    """
    if not reason.strip():
        raise TypeError("overrides() needs a reason")

    def mark(test: F) -> F:
        test.overrides_because = reason  # type: ignore[attr-defined]
        return test

    return mark


class PluginSuite:
    """Tests of any plugin; the suites of the interfaces derive from it."""

    interface: ClassVar[type[Plugin[Any]]] = Plugin
    """What the plugin must derive from."""
    plugin: ClassVar[type[Plugin[Any]]]
    """The class under test."""
    config: ClassVar[PluginConfig | None] = None
    """Its settings; the defaults where None."""
    _cache: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._cache = {}
        suites = [base for base in cls.__mro__[1:] if issubclass(base, PluginSuite)]
        for name in sorted({name for base in suites for name in vars(base) if name.startswith("test_")}):
            test = inspect.getattr_static(cls, name)
            if any(name in vars(base) and vars(base)[name] is test for base in suites):
                continue
            if not callable(test):
                raise TypeError(f"{cls.__name__} removes {name}: every plugin keeps it")
            if not getattr(test, "overrides_because", ""):
                raise TypeError(f'{cls.__name__} replaces {name}. Say why: @overrides("…")')

    def example(self) -> dict[str, Any]:
        """Arguments of the verb by name; a few seconds of work at most."""
        raise NotImplementedError(f"{type(self).__name__} must define example()")

    def inputs(self, case: str) -> dict[str, Any]:
        """Arguments of the verb for a case; suites with more cases than one extend it."""
        return self.example()

    def check(self, inputs: Mapping[str, Any], result: Any) -> None:
        """What the interface promises of a result beyond its kind."""

    def settings(self) -> PluginConfig:
        """The configuration under test."""
        return self.plugin.config_class()() if self.config is None else self.config

    def call(self, plugin: Plugin[Any], inputs: Mapping[str, Any], *, seed: int = 1) -> Any:
        """The verb, in a context like a run's."""
        with use_context(kit_context(plugin, seed)):
            return getattr(plugin, plugin.verb)(**inputs)

    def result(self, case: str = "example") -> Any:
        """The checked result of a case; computed once for all tests of the class."""
        return self.once(case, lambda: self.checked(case))

    def checked(self, case: str) -> Any:
        """The result of a case, computed and checked now."""
        inputs = self.inputs(case)
        result = self.call(self.plugin(self.settings()), inputs)
        self.check(inputs, result)
        return result

    def once(self, name: str, make: Callable[[], R]) -> R:
        """What `make` gives, made once for all tests of the class."""
        if name not in self._cache:
            self._cache[name] = make()
        made: R = self._cache[name]
        return made

    def test_it_is_found_as_an_entry_point(self) -> None:
        found = entry_points(group=self.plugin.group)
        named = [entry for entry in found if entry.attr == self.plugin.__qualname__]
        assert any(entry.load() is self.plugin for entry in named), (
            f'no installed distribution names it: [project.entry-points."{self.plugin.group}"] '
            f'NAME = "{self.plugin.__module__}:{self.plugin.__qualname__}", then install it again'
        )

    def test_it_derives_from_the_interface(self) -> None:
        assert issubclass(self.plugin, self.interface)

    def test_its_descriptor_is_json(self) -> None:
        descriptor = describe(self.plugin)
        assert json.loads(json.dumps(descriptor)) == descriptor
        configured = configure(self.plugin, self.settings().model_dump(mode="json", by_alias=True))
        assert json.loads(json.dumps(configured)) == configured

    def test_every_setting_is_described(self) -> None:
        schema = self.plugin.config_class().model_json_schema()
        models = {self.plugin.config_class().__name__: schema, **schema.get("$defs", {})}
        undescribed = [
            f"{model}.{field}"
            for model, body in models.items()
            for field, facts in body.get("properties", {}).items()
            if not facts.get("description")
        ]
        assert not undescribed, f"settings without description: {', '.join(undescribed)}"

    def test_settings_survive_json(self) -> None:
        config = self.settings()
        again = type(config).model_validate_json(config.model_dump_json(by_alias=True))
        assert again.model_dump() == config.model_dump()

    def test_foreign_settings_are_refused(self) -> None:
        class Foreign(PluginConfig):
            """Of no plugin."""

        with pytest.raises(ConfigError):
            self.plugin(Foreign())
        with pytest.raises(ConfigError, match="unknown setting"):
            configure(self.plugin, {"no such setting": 1})

    def test_its_module_imports_nothing_heavy(self) -> None:
        heavy = self.probe().stdout.strip()
        assert not heavy, f"{self.plugin.__module__} imports {heavy}: import inside the function that uses it"

    def test_it_is_built_in_a_new_process_without_network(self) -> None:
        probe = self.probe()
        assert probe.returncode == 0, probe.stderr

    def probe(self) -> "subprocess.CompletedProcess[str]":
        """The plugin's module imported, and the plugin built, in a fresh interpreter."""
        # An instance behind a reference does not travel as text: then only the import is tried.
        settings = "" if references(self.settings()) else self.settings().model_dump_json(by_alias=True)
        script = str(Path(__file__).with_name("probe.py"))
        command = [sys.executable, "-P", script, self.plugin.__module__, self.plugin.__qualname__, settings]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}

        def run() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(command, env=env, capture_output=True, encoding="utf-8")

        return self.once("probe", run)

    def test_what_it_ships_has_a_licence(self) -> None:
        assert self.plugin.licences or not self.plugin.assets(self.settings()), "assets without a licence"
        assert all(licence.name for licence in self.plugin.licences), "a licence without a name"

    def test_the_result_is_what_it_declares(self) -> None:
        result, declared = self.result(), signature(self.plugin)
        if not declared.fields:
            assert result.kind == declared.kind
            return
        assert [(name, getattr(result, name).kind) for name in result._fields] == list(declared.fields)

    def test_the_same_call_gives_the_same_bytes(self) -> None:
        self.needs_reproducible()
        assert digest(self.checked("example")) == digest(self.result())

    def test_a_call_leaves_no_state_behind(self) -> None:
        self.needs_reproducible()
        plugin = self.plugin(self.settings())
        for _ in range(2):
            assert digest(self.call(plugin, self.inputs("example"))) == digest(self.result())

    def test_inputs_stay_as_they_are(self) -> None:
        inputs = self.inputs("example")
        before = digest(inputs)
        self.call(self.plugin(self.settings()), inputs)
        assert digest(inputs) == before, "the verb changes its input"

    def needs_reproducible(self) -> None:
        """Skip where the plugin says that its bytes differ from call to call."""
        if not self.plugin.reproducible:
            pytest.skip("it says reproducible = False")


def kit_context(plugin: Plugin[Any], seed: int) -> Context:
    """A context as strict as a run's: jobs are JSON of a top-level function, and done in any order."""

    def run_jobs(function: Callable[[Any, Context], Any], jobs: Sequence[Any]) -> list[Any]:
        assert plugin.parallel, "it calls context.map: say parallel = True"
        assert "<" not in function.__qualname__, f"{function.__qualname__} is not at the top of a module"
        results = {}
        for index in reversed(range(len(jobs))):
            with temporary_folder() as own:
                job = json.loads(json.dumps(jobs[index]))
                results[index] = json.loads(json.dumps(call_in(context.for_job(index, own), function, job)))
        return [results[index] for index in range(len(jobs))]

    context = new_context(seed=seed, random=plugin.random, on_map=run_jobs)
    return context


def digest(value: Any) -> str:
    """Of everything that makes up a value: equal content, equal digest."""
    hashed = hashlib.sha256()
    for piece in _pieces(value):
        hashed.update(piece)
    return hashed.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    yield type(value).__name__.encode()
    if isinstance(value, Artifact):
        with temporary_folder() as folder:
            yield pack(value, folder).digest.encode()
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name).encode()
            yield from _pieces(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _pieces(item)
    elif is_dataclass(value):
        # Not its repr, which leaves out the middle of long arrays.
        yield from _pieces([getattr(value, field.name) for field in fields(value)])
    else:
        yield repr(value).encode()
