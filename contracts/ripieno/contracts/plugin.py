"""What every plugin is: a class with one verb, built from its settings."""

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from .binaries import Binary
from .config import PluginConfig, references
from .context import Context, current_context, ensure_context
from .errors import ConfigError, PluginError
from .provenance import Licence

if TYPE_CHECKING:
    from .audio import AudioSpec
    from .streaming import Session

C = TypeVar("C", bound=PluginConfig)


@dataclass(frozen=True)
class Resources:
    """What one use of a plugin takes.

    Parameters
    ----------
    cpu : int
        Cores kept busy, >= 1.
    gpu : bool
        Whether it needs an accelerator.
    memory_mb : int
        Peak, in megabytes; 0 = not worth saying.
    """

    cpu: int = 1
    gpu: bool = False
    memory_mb: int = 0


class NoConfig(PluginConfig):
    """Settings of a plugin that has none."""


class Plugin(ABC, Generic[C]):
    """Base of all interfaces; a concrete plugin derives from an interface, never from this.

    The config is the type argument: ``class Hpss(Separator[HpssConfig])``. A plugin is built once per
    worker and its verb called many times, so a verb leaves no state behind.

    Parameters
    ----------
    config : PluginConfig, optional
        Its settings; the defaults where not given.

    Raises
    ------
    ConfigError
        If the config is not of the plugin's own class.
    """

    group: ClassVar[str] = ""
    prefix: ClassVar[str] = ""
    verb: ClassVar[str] = ""
    also_called: ClassVar[tuple[str, ...]] = ()
    """Further methods of an interface that find a context, as the verb does."""

    accepts: ClassVar[Mapping[str, "AudioSpec"]] = {}
    """What audio each port takes; any where a port is not named."""
    random: ClassVar[bool] = False
    """Whether it draws from ``context.rng``; only then the seed is part of the cache key."""
    reproducible: ClassVar[bool] = True
    """Whether the same input gives the same bytes."""
    causal: ClassVar[bool] = False
    """Whether it streams; then its verb is its `stream` session run over the file."""
    whole_file: ClassVar[bool] = False
    """Whether it holds a whole recording in memory."""
    parallel: ClassVar[bool] = False
    """Whether it calls ``context.map``."""
    partial: ClassVar[bool] = False
    """Whether it takes what is there where items of what it gathers failed; ``context.lost`` names them."""
    reads_history: ClassVar[bool] = False
    """Whether ``context.history`` says how all that it takes was made; that is part of the key then."""
    resources: ClassVar[Resources] = Resources()
    binaries: ClassVar[tuple[Binary, ...]] = ()
    """Programs it runs; found before anything starts, and part of the cache key."""
    licences: ClassVar[tuple[Licence, ...]] = ()
    """Of the weights and data that it carries."""

    def __init__(self, config: C | None = None) -> None:
        expected = self.config_class()
        self.config: C = expected() if config is None else config
        if not isinstance(self.config, expected):
            raise ConfigError(
                f"{type(self).__name__} takes a {expected.__name__}, got {type(self.config).__name__}"
            )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in (cls.verb, "stream", *cls.also_called):
            method = cls.__dict__.get(name)
            if method is not None and not getattr(method, "__isabstractmethod__", False):
                setattr(cls, name, _with_context(method))

    @classmethod
    def config_class(cls) -> type[C]:
        """The class of its settings, read off the type argument.

        Raises
        ------
        PluginError
            If the class names none.
        """
        for base in cls.__mro__:
            for origin in base.__dict__.get("__orig_bases__", ()):
                for argument in get_args(origin):
                    if isinstance(argument, type) and issubclass(argument, PluginConfig):
                        return argument  # type: ignore[return-value]
        interface = cls.__mro__[1].__name__
        raise PluginError(
            f"{cls.__qualname__} names no config. Write: class {cls.__name__}({interface}[NoConfig])"
        )

    @property
    def context(self) -> Context:
        """Of the call that is running: seed, progress, scratch folder, writers."""
        return current_context()

    @classmethod
    def output_names(cls, config: C) -> tuple[str, ...]:
        """Names in the result where it is an open set (`Stems`); a pipeline wires ``step.name``."""
        return ()

    @classmethod
    def assets(cls, config: C) -> tuple[Path, ...]:
        """Files that it reads beside its inputs; their digests are part of the cache key."""
        return ()

    @classmethod
    def terms(cls, config: C) -> tuple[Licence, ...]:
        """Licences of what its settings name, as far as they can be known before it runs; beside `licences`."""
        return ()

    @classmethod
    def written_as(cls, config: C) -> tuple[str, ...]:
        """Suffixes of files that can hold its result, the preferred one first; any of its kind where none is named.

        A port's name stands for the suffixes of what that port takes.
        """
        return ()

    def check(self, headers: Mapping[str, Any]) -> None:
        """Refuse inputs by their headers, before the verb is called.

        Parameters
        ----------
        headers : mapping of str to JSON
            `Artifact.header` of each wired port; a list of them for a port that takes many.

        Raises
        ------
        InputError
            Saying what does not fit and what to do.
        """

    def stream(self, formats: Mapping[str, Any]) -> "Session":
        """A session of a causal plugin.

        Parameters
        ----------
        formats : mapping of str to AudioFormat, SeriesFormat or EventFormat
            Of each port that will be pushed.

        Raises
        ------
        PluginError
            If the plugin does not stream.
        """
        raise PluginError(f"{type(self).__name__} does not stream")


def draws(plugin: Any) -> bool:
    """Whether a plugin, or one inside it, draws random numbers."""
    if not isinstance(plugin, Plugin):
        return False
    inside = references(plugin.config).values()
    return plugin.random or any(draws(reference.plugin) for reference in inside if reference.is_bound)


def _with_context(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which finds a context also where it is called outside a run."""

    @wraps(method)
    def call(self: Plugin[Any], *args: Any, **kwargs: Any) -> Any:
        with ensure_context(random=draws(self)):
            return method(self, *args, **kwargs)

    return call
