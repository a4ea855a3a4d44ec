"""The package loads nothing before it is asked, names everything once, and documents all of it."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

from ripieno import contracts

MODULES = [
    module.name
    for module in pkgutil.walk_packages(contracts.__path__, "ripieno.contracts.")
    if not module.name.endswith(".probe")
]
SOURCE = Path(contracts.__file__)


def test_the_bare_import_loads_neither_numpy_nor_pydantic():
    code = "import sys, ripieno.contracts; print(sorted({'numpy', 'pydantic', 'yaml'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.strip() == "[]"


def test_type_checkers_and_the_interpreter_see_the_same_names():
    stub = ast.parse(SOURCE.with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [statement for statement in stub.body if isinstance(statement, ast.ImportFrom)]
    seen = {
        (statement.module, alias.name, alias.asname) for statement in imports for alias in statement.names
    }
    assert seen == {(module, name, name) for name, module in contracts._MODULE.items()}


def test_every_exported_name_is_there_and_no_other():
    for name in contracts.__all__:
        assert getattr(contracts, name) is not None
    assert set(dir(contracts)) == {*contracts.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'Orchestra'"):
        _ = contracts.Orchestra


def public(module):
    for name, value in vars(module).items():
        # pydantic leaves the classes of a generic's arguments in the module, "[" in their names.
        if (
            not name.startswith("_")
            and "[" not in name
            and getattr(value, "__module__", None) == module.__name__
        ):
            yield f"{module.__name__}.{name}", value


def members(place, kind):
    for name, value in vars(kind).items():
        function = getattr(value, "__func__", getattr(value, "fget", value))
        if not name.startswith(("_", "test_")) and inspect.isfunction(function):
            yield f"{place}.{name}", kind, name


def documented(kind, name):
    """Whether a member or what it overrides says what it does."""
    return any(inspect.getdoc(vars(base)[name]) for base in kind.__mro__ if name in vars(base))


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name):
    module = import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    silent = []
    for place, value in public(module):
        if inspect.isclass(value):
            silent += [] if "__doc__" in vars(value) and value.__doc__ else [place]
            silent += [member for member, kind, own in members(place, value) if not documented(kind, own)]
        elif inspect.isfunction(value):
            silent += [] if value.__doc__ else [place]
    assert not silent


@pytest.mark.parametrize("name", MODULES)
def test_every_setting_and_field_of_data_is_described(name):
    silent = [
        f"{place}.{field}"
        for place, value in public(import_module(name))
        if inspect.isclass(value) and issubclass(value, BaseModel)
        for field, info in value.model_fields.items()
        if not info.description
    ]
    assert not silent


@pytest.mark.parametrize("name", MODULES)
def test_every_parameter_of_a_public_dataclass_is_described(name):
    silent = []
    for place, value in public(import_module(name)):
        if not hasattr(value, "__dataclass_fields__") or not inspect.isclass(value):
            continue
        told = "\n".join(base.__doc__ or "" for base in value.__mro__)
        silent += [
            f"{place}.{field}"
            for field in value.__dataclass_fields__
            if not field.startswith("_") and field not in told and field != "rows"
        ]
    assert not silent


def test_every_hook_is_an_event_with_a_docstring():
    from ripieno.contracts.hooks import EVENTS, Hooks

    assert set(EVENTS) == {name for name in dir(Hooks) if not name.startswith("_")}
    for method in EVENTS.values():
        assert method.__doc__
        assert method(Hooks(), *[None] * (len(inspect.signature(method).parameters) - 1)) is None


def test_every_error_is_a_ripieno_error_and_one_line():
    from ripieno.contracts import errors

    kinds = [value for _, value in public(errors)]
    assert len(kinds) > 8
    assert all(issubclass(kind, contracts.RipienoError) for kind in kinds)
    assert "\n" not in str(contracts.DamagedError("a"))


@pytest.mark.parametrize("module", ["binaries", "context", "errors", "hooks", "plugin", "provenance"])
def test_a_run_that_finds_all_in_the_store_loads_no_numpy(module):
    code = f"import sys, ripieno.contracts.{module}; print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert ran.stdout.strip() == "False"
