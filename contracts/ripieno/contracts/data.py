"""Data plugins: a YAML file in a package, served as an attribute of its module."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from .config import message_of
from .errors import MissingError, PluginError
from .provenance import Licence

D = TypeVar("D", bound="DataPlugin")


class DataPlugin(BaseModel):
    """Base of data that is registered like a plugin: profiles, presets, assets.

    A subclass sets `group` and `prefix` and has documented fields.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    group: ClassVar[str] = ""
    prefix: ClassVar[str] = ""

    @property
    def terms(self) -> Licence | None:
        """Under which its content may be used; None where that is the distribution's own licence."""
        return None


class Preset(DataPlugin):
    """Named settings for plugins of one kind."""

    group, prefix = "ripieno.presets", "preset"

    uses: str = Field(description="The plugin it is for.")
    settings: dict[str, Any] = Field(description="Settings, as a step's `with`.")
    description: str = Field("", description="One line for lists.")


class Recipe(DataPlugin):
    """A pipeline that a distribution ships: ``core run NAME``."""

    group, prefix = "ripieno.pipelines", "recipe"

    path: Path = Field(description="The pipeline file in the package.")


class Asset(DataPlugin):
    """Weights or data that a plugin can use, fetched only when asked for.

    What has no checksum is only described: nothing fetches it, a person gets it from `url`.
    """

    group, prefix = "ripieno.assets", "asset"

    version: str = Field(description="Of the weights.")
    url: str = Field(
        description="Where to fetch it: https:, file:, or package:MODULE/FILE for one that is shipped."
    )
    sha256: str = Field("", description="Of the file; empty where not known.", pattern="^([0-9a-f]{64})?$")
    size: int = Field(0, description="Of the file in bytes; 0 where not known.", ge=0)
    licence: str = Field(description="SPDX identifier where there is one.")
    credit: str = Field("", description="Whom to name.")
    commercial: bool = Field(description="Whether commercial use is allowed.")
    description: str = Field("", description="One line for lists.")
    _path: Path | None = PrivateAttr(default=None)

    @property
    def terms(self) -> Licence:
        """Licence and credit of the file."""
        return Licence(self.licence, self.credit, self.commercial, self.url)

    @property
    def path(self) -> Path:
        """The file, for a plugin that names the asset in its settings: ``self.config.weights.plugin.path``.

        Raises
        ------
        MissingError
            If the asset was not looked up; the run does that.
        """
        if self._path is None:
            raise MissingError(
                "the asset is only described here: its file is known in a run, or by asset.at(path)"
            )
        return self._path

    def at(self, path: Path) -> "Asset":
        """The same asset, whose file is here."""
        located = self.model_copy()
        located._path = path
        return located


def resources(module: str, data: type[D]) -> Callable[[str], D]:
    """A module's ``__getattr__`` that serves its YAML files as data plugins.

    ``__getattr__ = resources(__name__, Preset)`` in a package makes ``package.drift`` the `Preset` of
    ``drift.yaml`` beside its ``__init__.py``. A `Recipe` is the file itself.

    Parameters
    ----------
    module : str
        ``__name__`` of the package.
    data : type
        The data class.

    Raises
    ------
    PluginError
        If the file does not fit the class; the message names file and field.
    """

    def get(name: str) -> D:
        from importlib.util import find_spec

        spec = find_spec(module)
        path = Path(spec.origin).with_name(f"{name}.yaml") if spec and spec.origin else None
        if name.startswith("__") or path is None or not path.is_file():
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if issubclass(data, Recipe):
            return data(path=path)
        return read_data(path, data)

    return get


def read_data(path: Path, data: type[D]) -> D:
    """A data plugin from a YAML file.

    Raises
    ------
    PluginError
        If it is not YAML or does not fit.
    """
    import yaml

    try:
        return data.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise PluginError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{part}: " for part in first["loc"])
        raise PluginError(f"{path}: {place}{message_of(first)}") from error
