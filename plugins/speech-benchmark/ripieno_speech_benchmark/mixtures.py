"""Mixtures of speech and music of which the truth is known.

Conventions
-----------
A set has the folders ``mix``, ``speech`` and ``music`` with a file NAME.flac each: mono, 24 bit, and sample
by sample mix = speech + music. The truth is the speech in its room, direct path at its place and late
reverberation with it, since to dry a voice is another task; the music, which is laid under the voice later,
is as recorded. A signal-to-noise ratio is the energy of the whole speech over that of the whole music. One
gain for all three brings the highest peak to -6 dBFS.

Pairs of a voice and a piece of music have the same excerpts and the same room at every ratio. What is drawn
for one depends on the seed and on their names alone: a set that gains voices, music or ratios keeps the
mixtures it had.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    ConfigError,
    Dataset,
    DataSource,
    Licence,
    PluginConfig,
    Provenance,
    derive_seed,
)
from ripieno.contracts.packing import sha256_file

from . import recordings
from .mixing import Wanted, mix_piece

VERSION = 1
ENGINES = ("ripieno-speech-benchmark", "ripieno-toolkit", "numpy", "soundfile", "soxr")


class MixturesConfig(PluginConfig):
    """Settings of `Mixtures`."""

    folder: Path = Field(Path("."), description="Where the recordings are.")
    speech: tuple[str, ...] = Field(("speech/*",), description="Names or globs of the voices in the folder.")
    music: tuple[str, ...] = Field(("music/*",), description="Names or globs of the music in the folder.")
    rooms: tuple[str, ...] = Field(
        (),
        description="Names or globs of impulse responses in the folder; each mixture is then made dry and in "
        "one of these rooms.",
    )
    snr_db: tuple[Annotated[float, Field(ge=-60, le=60)], ...] = Field(
        (-5.0, 0.0, 5.0, 10.0),
        description="Energy of the speech over that of the music.",
        json_schema_extra={"unit": "dB"},
    )
    clean: bool = Field(True, description="Whether each voice is in the set without music too.")
    count: int = Field(0, ge=0, description="Mixtures drawn from all combinations; 0 takes all.")
    length_s: float = Field(
        10.0,
        ge=0.1,
        description="Longest mixture; of a longer voice an excerpt is drawn. Shorter music begins again.",
        json_schema_extra={"unit": "s"},
    )
    rate_hz: int = Field(
        16000,
        ge=8000,
        le=192_000,
        description="Of the mixtures; not above that of the voices, else there is no truth for the highs.",
        json_schema_extra={"unit": "Hz"},
    )
    texts: dict[str, str] = Field({}, description="What is said, by name of the voice: for word error rates.")
    licences: str = Field(
        "MANIFEST.csv", description="Table in the folder with the columns path, licence and attribution."
    )


class Mixtures(DataSource[MixturesConfig]):
    """Speech under music at given ratios, dry and in rooms, beside the speech and the music in it."""

    random = True
    parallel = True

    @classmethod
    def assets(cls, config: MixturesConfig) -> tuple[Path, ...]:
        table = config.folder / config.licences
        files = [file for found in _found(config).values() for file in found]
        return (*files, table) if config.licences and table.is_file() else tuple(files)

    @classmethod
    def terms(cls, config: MixturesConfig) -> tuple[Licence, ...]:
        known = recordings.licences(config.folder, config.licences)
        used = (path for paths in _found(config).values() for path in paths)
        return tuple(dict.fromkeys(known[path] for path in used if path in known))

    def generate(self) -> Dataset:
        """The set.

        Raises
        ------
        InputError
            If a name fits no file, or a file is no sound or silent.
        ConfigError
            If there is nothing to mix, or a text is of no voice.
        """
        config, context = self.config, self.context
        found = _found(config)
        _require_voices(config.texts, found["speech"])
        settings = config.model_dump(mode="json", exclude={"folder"})
        rooms = [str(path) for path in found["rooms"]]
        shared = {"settings": settings, "seed": context.seed, "rooms": rooms}
        jobs = [
            {**shared, "music": str(music or ""), "voices": voices}
            for music, voices in _wanted(config, found, context.seed).items()
        ]
        if not jobs:
            raise ConfigError("no mixtures are asked for. Set speech, and music with snr_db, or clean")
        mixtures = [mixture for made in context.map(mix_piece, jobs) for mixture in made]
        mixtures.sort(key=lambda mixture: str(mixture["name"]))
        files = {file: context.checkpoint / file for mixture in mixtures for file in mixture["sha256"]}
        terms = recordings.licences(config.folder, config.licences)
        licences = self.terms(config)
        manifest = {
            "ripieno_mixtures": VERSION,
            "source": "data_source/mixtures",
            "versions": {name: version(name) for name in ENGINES},
            "settings": settings,
            "seed": context.seed,
            "licences": [asdict(licence) for licence in licences],
            "recordings": [self._entry(path, terms.get(path)) for paths in found.values() for path in paths],
            "mixtures": mixtures,
        }
        return Dataset(files, manifest, provenance=Provenance(licences=licences))

    def _entry(self, path: Path, terms: Licence | None) -> dict[str, str]:
        return {
            "file": path.relative_to(self.config.folder).as_posix(),
            "sha256": sha256_file(path),
            "licence": terms.name if terms else "",
        }


def _found(config: MixturesConfig) -> dict[str, tuple[Path, ...]]:
    patterns = {
        "speech": config.speech,
        "music": config.music if config.snr_db else (),
        "rooms": config.rooms,
    }
    return {what: recordings.find(config.folder, names, what=what) for what, names in patterns.items()}


def _require_voices(texts: Iterable[str], voices: Sequence[Path]) -> None:
    names = [voice.stem for voice in voices]
    for name in texts:
        if name not in names:
            raise ConfigError(f"texts: no voice is called {name}. There are {', '.join(names)}")


def _wanted(
    config: MixturesConfig, found: Mapping[str, Sequence[Path]], seed: int
) -> dict[Path | None, dict[str, list[Wanted]]]:
    """What is asked for, by piece of music and voice."""
    every = list(_combinations(config, found))
    if 0 < config.count < len(every):
        rng = np.random.default_rng(derive_seed(seed, "count"))
        every = [every[index] for index in sorted(rng.choice(len(every), config.count, replace=False))]
    pieces: dict[Path | None, dict[str, list[Wanted]]] = {}
    for speech, music, place, snr_db in every:
        pieces.setdefault(music, {}).setdefault(str(speech), []).append((place, snr_db))
    return pieces


def _combinations(
    config: MixturesConfig, found: Mapping[str, Sequence[Path]]
) -> Iterator[tuple[Path, Path | None, str, float | None]]:
    places = ("dry", "room") if found["rooms"] else ("dry",)
    for speech in found["speech"]:
        if config.clean:
            yield from ((speech, None, place, None) for place in places)
        yield from product([speech], found["music"], places, dict.fromkeys(config.snr_db))
