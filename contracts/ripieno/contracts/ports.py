"""Ports of a plugin, read off the signature of its verb.

Conventions
-----------
A parameter is a port: ``T``, ``T | None = None``, ``list[T]`` or ``dict[str, T]`` with T an artifact
class; a list or dict may be optional too. The return type is an artifact class, or a NamedTuple of them,
whose first field is the main one.
"""

import inspect
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .artifact import Artifact
from .errors import PluginError
from .plugin import Plugin

Many = Literal["one", "list", "dict"]
CURE = "A port is T, T | None = None, list[T] or dict[str, T], with T an artifact class"


@dataclass(frozen=True)
class Port:
    """An input of a verb.

    Parameters
    ----------
    name : str
        Of the parameter.
    kind : str
        Of the artifact.
    many : {"one", "list", "dict"}
        What the parameter holds.
    required : bool
        Whether it must be wired.
    """

    name: str
    kind: str
    many: Many = "one"
    required: bool = True


@dataclass(frozen=True)
class Signature:
    """Ports and results of a verb.

    Parameters
    ----------
    ports : tuple of Port
        Inputs in order.
    kind : str
        Of the result, or of the first field of several.
    fields : tuple of (str, str)
        Name and kind of each of several results; empty where there is one.
    """

    ports: tuple[Port, ...]
    kind: str
    fields: tuple[tuple[str, str], ...] = ()


def signature(plugin: type[Plugin[Any]]) -> Signature:
    """The ports and results of a plugin class.

    Raises
    ------
    PluginError
        With file and cure, if a parameter or the return type is something else.
    """
    verb = getattr(plugin, plugin.verb)
    try:
        hints = get_type_hints(verb)
    except NameError as error:
        raise PluginError(f"{_where(verb)}: {error}. Import the type at the top of the module") from error
    ports = tuple(_port(verb, parameter, hints.get(parameter.name)) for parameter in _parameters(verb))
    kind, fields = _result(verb, hints.get("return"))
    return Signature(ports, kind, fields)


def check_interface(plugin: type[Plugin[Any]], interface: type[Plugin[Any]]) -> None:
    """Refuse a verb that callers of the interface could not call.

    A closed interface fixes the first ports, and others are optional and keyword-only; every interface
    fixes the kind of the result, but for `Artifact`, which is any.

    Raises
    ------
    PluginError
        With file and cure.
    """
    verb, model = getattr(plugin, plugin.verb), getattr(interface, interface.verb)
    kind, fields = _result(model, get_type_hints(model)["return"])
    own = signature(plugin)
    if kind and (own.kind, own.fields) != (kind, fields):
        result = ", ".join(f"{name}: {kind}" for name, kind in fields) or kind
        raise PluginError(f"{_where(verb)}: gives {own.kind}, where {model.__qualname__} gives {result}")
    parameters = inspect.signature(verb).parameters
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in _parameters(model)):
        return
    fixed = signature(interface).ports
    further = [port for port in own.ports if port not in fixed]
    if own.ports[: len(fixed)] != fixed or any(
        port.required or parameters[port.name].kind is not inspect.Parameter.KEYWORD_ONLY for port in further
    ):
        takes = ", ".join(port.name for port in fixed)
        raise PluginError(
            f"{_where(verb)}: {model.__qualname__} takes {takes or 'no port'}; "
            "further ports stand behind * and are T | None = None"
        )


def _parameters(verb: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(verb).parameters.values())[1:]


def _port(verb: Any, parameter: inspect.Parameter, hint: Any) -> Port:
    here = f"{_where(verb)}: parameter {parameter.name}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise PluginError(f"{here} takes any number of arguments. {CURE}")
    optional = parameter.default is None
    if not optional and parameter.default is not parameter.empty:
        raise PluginError(f"{here} has the default {parameter.default!r}: only None is one. {CURE}")
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    others = [member for member in members if member is not NoneType]
    if optional != (NoneType in members) or len(others) != 1:
        raise PluginError(f"{here} has the type {_name(hint)}{' = None' if optional else ''}. {CURE}")
    (hint,) = others
    many: Many = "one"
    if get_origin(hint) is list:
        (hint,), many = get_args(hint), "list"
    elif get_origin(hint) is dict and get_args(hint)[0] is str:
        hint, many = get_args(hint)[1], "dict"
    if not _is_artifact(hint):
        raise PluginError(f"{here} has the type {_name(hint)}. {CURE}")
    return Port(parameter.name, hint.kind, many, not optional)


def _result(verb: Any, hint: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    if _is_artifact(hint):
        return hint.kind, ()
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = get_type_hints(hint)
        if hints and all(_is_artifact(hints[name]) for name in hint._fields):
            fields = tuple((name, hints[name].kind) for name in hint._fields)
            return fields[0][1], fields
    raise PluginError(
        f"{_where(verb)}: returns {_name(hint)}. A verb returns an artifact class or a NamedTuple of them"
    )


def _is_artifact(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Artifact)


def _name(hint: Any) -> str:
    return "nothing" if hint is None else getattr(hint, "__name__", str(hint))


def _where(verb: Any) -> str:
    code = inspect.unwrap(verb).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"
