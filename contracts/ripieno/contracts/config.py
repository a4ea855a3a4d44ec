"""Settings of plugins, and references from one plugin's settings to another plugin."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator
from pydantic.fields import FieldInfo

from .errors import PluginError

T = TypeVar("T")


class PluginConfig(BaseModel):
    """Settings of a plugin: typed, documented, immutable; unknown keys are refused.

    Every field needs a description and a default. Its unit goes into
    ``json_schema_extra={"unit": "ms"}``.

    Raises
    ------
    PluginError
        On definition, if a field has no description or no default.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            _check_field(cls, name, field)

    @model_validator(mode="before")
    @classmethod
    def _keep_plugins(cls, settings: Any) -> Any:
        """Where a plugin's settings are given without its name, it is the one that the field has anyway."""
        if not isinstance(settings, Mapping):
            return settings
        return {name: _named(cls.model_fields.get(name), value) for name, value in settings.items()}


def _check_field(config: type[PluginConfig], name: str, field: FieldInfo) -> None:
    where = f"{config.__module__}.{config.__qualname__}.{name}"
    if not field.description:
        raise PluginError(f'{where} has no description. Write: {name}: … = Field(…, description="…")')
    if field.is_required():
        raise PluginError(f"{where} has no default: a pipeline must be able to use a plugin without settings")


def _named(field: FieldInfo | None, value: Any) -> Any:
    default = field.default if field else None
    if not isinstance(default, PluginRef) or not isinstance(value, Mapping) or value.keys() != {"with"}:
        return value
    given = value["with"]
    settings = {**default.settings, **given} if isinstance(given, Mapping) else given
    return {"uses": default.uses, "with": settings}


class PluginRef(BaseModel, Generic[T]):
    """Another plugin as a setting: ``decoder: {uses: decoder/viterbi, with: {…}}`` or ``decoder: viterbi``.

    Without ``uses`` the default plugin of the field takes the settings: ``decoder: {with: {…}}``.

    The type argument is the interface (or the data class) that the other plugin must have:
    ``decoder: PluginRef[BeatDecoder] = Field(PluginRef("decoder/viterbi"), description="…")``. The run
    resolves it; in a notebook, put an instance in: ``PluginRef.of(Viterbi())``.

    Parameters
    ----------
    uses : str
        Prefix and name, ``decoder/viterbi``.
    settings : mapping
        What the other plugin is configured with; ``with`` in a pipeline file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    uses: str = Field(description="Prefix and name of the plugin.")
    settings: Mapping[str, Any] = Field(
        default_factory=dict, alias="with", description="Its settings; unset ones keep their defaults."
    )
    _plugin: T | None = PrivateAttr(default=None)

    def __init__(self, uses: str = "", /, **data: Any) -> None:
        super().__init__(**({"uses": uses} if uses else {}), **data)

    @model_validator(mode="wrap")
    @classmethod
    def _own(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Each config has a reference of its own: binding one binds no default; an instance stays in."""
        if not isinstance(value, PluginRef):
            return handler(cls._complete(value))
        reference = handler(cls._complete({"uses": value.uses, "with": value.settings}))
        reference._plugin = value._plugin
        return reference

    @classmethod
    def _complete(cls, value: Any) -> Any:
        """A bare name is a plugin of the interface asked for; a prefix of another interface is refused."""
        value = {"uses": value} if isinstance(value, str) else value
        prefix = cls.prefix()
        if not prefix or not isinstance(value, dict) or not isinstance(value.get("uses"), str):
            return value
        uses = value["uses"] if "/" in value["uses"] else f"{prefix}/{value['uses']}"
        if not uses.startswith(f"{prefix}/"):
            raise ValueError(f"{uses} is not a {prefix}")
        return {**value, "uses": uses}

    @classmethod
    def prefix(cls) -> str:
        """Prefix of the interface asked for, ``decoder``; empty where any will do."""
        arguments = cls.__pydantic_generic_metadata__["args"] or get_args(cls)
        return cast(str, getattr(arguments[0], "prefix", "")) if arguments else ""

    @classmethod
    def of(cls, plugin: T) -> "PluginRef[T]":
        """A reference that holds this instance."""
        reference = cls(uses=f"{getattr(plugin, 'prefix', 'plugin')}/{type(plugin).__name__}")
        reference.bind(plugin)
        return reference

    def bind(self, plugin: T) -> None:
        """Put the instance in."""
        self._plugin = plugin

    @property
    def is_bound(self) -> bool:
        """Whether an instance was put in."""
        return self._plugin is not None

    @property
    def plugin(self) -> T:
        """The other plugin, built and configured.

        Raises
        ------
        PluginError
            If nothing was put in yet.
        """
        if self._plugin is None:
            raise PluginError(f"{self.uses} is only named here. Outside a run, give PluginRef.of(instance)")
        return self._plugin


def message_of(problem: Any) -> str:
    """What pydantic says of one problem, as the end of a sentence; quoted values keep their case."""
    message: str = problem["msg"].removeprefix("Value error, ")
    for python, yaml in (("a valid tuple", "a list"), ("a valid dictionary", "a map")):
        message = message.replace(python, yaml)
    return message[:1].lower() + message[1:]


def references(config: BaseModel) -> dict[str, PluginRef[Any]]:
    """Every reference in a configuration, lists and nested models included, by its dotted place."""
    found: dict[str, PluginRef[Any]] = {}

    def visit(value: Any, place: str) -> None:
        if isinstance(value, PluginRef):
            found[place] = value
        elif isinstance(value, BaseModel):
            for name in type(value).model_fields:
                visit(getattr(value, name), f"{place}.{name}" if place else name)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                visit(item, f"{place}.{name}")
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                visit(item, f"{place}.{index}")

    visit(config, "")
    return found
