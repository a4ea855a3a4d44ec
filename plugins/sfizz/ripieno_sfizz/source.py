"""`data_source/sfizz`: clips of a sampled instrument, with labels measured in their sound."""

import hashlib
import json
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pydantic import Field, model_validator

from ripieno.contracts import (
    ConfigError,
    Context,
    Dataset,
    DataSource,
    PluginConfig,
    PluginRef,
    SampleLibrary,
    write_whole,
)

from .engine import SFIZZ, Engine
from .folder import check_digests, library_folder, open_library
from .sfz import Sfz

BATCH_S = 160.0
"""Sound of one job: the renderer loads its samples once for all of it."""

LIBRARIES: Mapping[str, tuple[str, str]] = {
    "violin": ("violin", "violin"),
    "electric_guitar": ("emily_guitar", "emily-electric-guitar"),
    "acoustic_guitar": ("spanish_guitar", "spanish-classical-guitar"),
    "piano": ("upright_piano", "upright-piano-kw"),
}
"""By instrument, the map that is taken where none is named, and the folder in ``$RIPIENO_DATA/sfz``."""

EXAMPLE = ("example_piano", "package:ripieno_sfizz/example_piano")
"""The map and the samples that this package carries."""

_FOLDERS = dict((*LIBRARIES.values(), EXAMPLE))
_PREFIX = f"{SampleLibrary.prefix}/"
_OPENED = "library.json"


class SampledConfig(PluginConfig):
    """Settings of `SampledInstrument`."""

    instrument: str = Field(
        "violin", description="What is played: violin, electric_guitar, acoustic_guitar, piano."
    )
    count: int = Field(12, ge=1, description="How many clips.", json_schema_extra={"unit": "clips"})
    duration_s: float = Field(
        10.0, ge=3, le=120, description="Length of a clip.", json_schema_extra={"unit": "s"}
    )
    library: str = Field(
        "violin",
        description="Folder of the samples: a name in $RIPIENO_DATA/sfz, a path, or package:MODULE/FOLDER; "
        "that of the map if not given.",
    )
    map: PluginRef[SampleLibrary] = Field(
        PluginRef(f"{_PREFIX}violin"), description="Map of the samples; by instrument where not given."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_instrument(cls, settings: Any) -> Any:
        """What is not given is that of the map, whose default is that of the instrument."""
        if not isinstance(settings, Mapping):
            return settings
        instrument = str(settings.get("instrument", "violin"))
        if "map" not in settings and instrument not in LIBRARIES:
            near = get_close_matches(instrument, LIBRARIES, n=1)
            question = f'Did you mean "{near[0]}"?' if near else "Name the map of another one by map"
            raise ValueError(f'no map of samples for "{instrument}": {", ".join(LIBRARIES)}. {question}')
        given = {"map": f"{_PREFIX}{LIBRARIES.get(instrument, ('', ''))[0]}", **settings}
        folder = _FOLDERS.get(_name_of(given["map"]))
        if "library" not in given and folder is None:
            raise ValueError("library: give the folder of its samples; only maps of this package have one")
        return {"library": folder, **given}


def _name_of(map: Any) -> str:
    """Name of the map that a setting refers to."""
    uses = map.get("uses", "") if isinstance(map, Mapping) else getattr(map, "uses", map)
    return str(uses).removeprefix(_PREFIX)


class SampledInstrument(DataSource[SampledConfig]):
    """Recorded notes as a person would play them, rendered by sfizz; pitch and dynamics as they sound."""

    random = True
    parallel = True
    binaries = (SFIZZ,)

    @classmethod
    def assets(cls, config: SampledConfig) -> tuple[Path, ...]:
        return (library_folder(config.library),)

    def generate(self) -> Dataset:
        """`count` clips; the same for the same seed, whatever the number of workers.

        Raises
        ------
        ConfigError
            If there is no such folder, or the map is of another instrument.
        InputError
            If the library is not the one that the map describes.
        MissingError, StepError
            If sfizz_render is not here, or fails.
        """
        from ripieno.toolkit.pairs.clips import collect

        from .clips import check_sounding

        library, folder = self._library(), library_folder(self.config.library)
        if library.instrument != self.config.instrument:
            given = f"{self.config.map.uses} is of {library.instrument}"
            raise ConfigError(f"map: {given}, and instrument is {self.config.instrument}")
        sfz = open_library(library, folder)
        check_digests(library, sfz)
        check_sounding(library, _engine(library, sfz, self.context.scratch))
        _write_opened(self.context.checkpoint, library, folder)
        return collect(
            render,
            context=self.context,
            name=library.instrument,
            count=self.config.count,
            source="data_source/sfizz",
            settings=self.config.model_dump(mode="json", by_alias=True),
            versions={"ripieno-sfizz": version("ripieno-sfizz"), SFIZZ.name: _digest(SFIZZ.require())},
            licences=(library.terms,),
            batch=max(1, int(BATCH_S / self.config.duration_s)),
        )

    def _library(self) -> SampleLibrary:
        """The map: as the run resolved it, or outside a run one of this package."""
        reference = self.config.map
        if reference.is_bound:
            return reference.plugin
        name = _name_of(reference)
        if name not in _FOLDERS:
            return reference.plugin
        library: SampleLibrary = getattr(import_module(f"{__package__}.libraries"), name)
        return library


def render(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """The clips of one job."""
    from ripieno.toolkit.pairs.clips import keep

    from .clips import make_clips
    from .strokes import Hands

    library, folder = _read_opened(context.checkpoint)
    sfz = open_library(library, folder)
    engine = _engine(library, sfz, context.scratch)
    hands, duration_s = Hands(library, sfz), float(job["settings"]["duration_s"])
    return keep(
        job, context, lambda seeds: make_clips(seeds, hands=hands, engine=engine, duration_s=duration_s)
    )


def _engine(library: SampleLibrary, sfz: Sfz, scratch: Path) -> Engine:
    from .staging import stage

    folder = Path(mkdtemp(prefix="library-", dir=scratch))
    staged = stage(sfz, folder, gain_db=library.gain_db, pitch_bend_cents=library.pitch_bend_cents)
    return Engine(staged.path, turn_controllers=staged.turn_controllers, scratch=folder)


def _write_opened(checkpoint: Path, library: SampleLibrary, folder: Path) -> None:
    """Leave the map to the workers, which resolve no references."""
    opened = {"folder": str(folder), "map": library.model_dump(mode="json")}
    write_whole(checkpoint / _OPENED, json.dumps(opened).encode())


def _read_opened(checkpoint: Path) -> tuple[SampleLibrary, Path]:
    opened = json.loads((checkpoint / _OPENED).read_text(encoding="utf-8"))
    return SampleLibrary.model_validate(opened["map"]), Path(opened["folder"])


def _digest(program: Path) -> str:
    """What tells builds of a program apart that says no version."""
    return f"sha256:{hashlib.sha256(program.read_bytes()).hexdigest()[:16]}"
