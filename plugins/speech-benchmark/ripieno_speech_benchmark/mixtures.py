"""Mixtures of speech and music of which the truth is known.

Conventions
-----------
A set has the folders ``mix``, ``speech`` and ``music`` with a file NAME.flac each: mono, 24 bit, and sample
by sample mix = speech + music. The truth is the speech in its room, direct path at its place and late
reverberation with it, since to dry a voice is another task; the music, which is laid under the voice later,
is as recorded. A signal-to-noise ratio is the energy of the whole speech over that of the whole music. One
gain for all three brings the highest peak to -6 dBFS.

Pairs of a voice and a piece of music have the same excerpts and the same room at every ratio. What is drawn
for one depends on the seed and on their names alone: a set that grows keeps the mixtures it had.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import (
    ConfigError,
    Context,
    Dataset,
    DataSource,
    PluginConfig,
    Provenance,
    derive_seed,
)
from ripieno.contracts.packing import sha256_file

from . import recordings

Wanted = tuple[str, float | None]
"""``dry`` or ``room``, and the ratio in dB; None where there is no music."""

VERSION = 1
FULL_SCALE = 1 << 23
PEAK = 0.5
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
    snr_db: tuple[float, ...] = Field(
        (-5.0, 0.0, 5.0, 10.0),
        description="Energy of the speech over that of the music.",
        json_schema_extra={"unit": "dB"},
    )
    clean: bool = Field(True, description="Whether each voice is in the set without music too.")
    count: int = Field(0, ge=0, description="Mixtures drawn from all combinations; 0 takes all.")
    length_s: float = Field(
        10.0,
        gt=0,
        description="Longest mixture; of a longer voice an excerpt is drawn. Shorter music begins again.",
        json_schema_extra={"unit": "s"},
    )
    rate_hz: int = Field(
        16000,
        ge=8000,
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

    def generate(self) -> Dataset:
        """The set.

        Raises
        ------
        InputError
            If a name fits no file, or a file is no sound or silent.
        ConfigError
            If there is nothing to mix.
        """
        config, context = self.config, self.context
        found = _found(config)
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
        used = [path for paths in found.values() for path in paths]
        licences = tuple(dict.fromkeys(terms[path] for path in used if path in terms))
        manifest = {
            "ripieno_mixtures": VERSION,
            "source": "data_source/mixtures",
            "versions": {name: version(name) for name in ENGINES},
            "settings": settings,
            "seed": context.seed,
            "licences": [asdict(licence) for licence in licences],
            "recordings": [
                {
                    "file": path.relative_to(config.folder).as_posix(),
                    "sha256": sha256_file(path),
                    "licence": terms[path].name if path in terms else "",
                }
                for path in used
            ],
            "mixtures": mixtures,
        }
        return Dataset(files, manifest, provenance=Provenance(licences=licences))


def mix_piece(job: Mapping[str, Any], context: Context) -> list[dict[str, Any]]:
    """Make the mixtures of one piece of music with all its voices; their entries in the manifest."""
    piece = Path(job["music"]) if job["music"] else None
    music = recordings.read(piece, rate_hz=job["settings"]["rate_hz"]) if piece else None
    return [
        mixture
        for voice, wanted in job["voices"].items()
        for mixture in _mix_pair(job, context, Path(voice), piece, music, wanted)
    ]


def _mix_pair(
    job: Mapping[str, Any],
    context: Context,
    voice: Path,
    piece: Path | None,
    whole_music: recordings.Samples | None,
    wanted: Sequence[Wanted],
) -> Iterator[dict[str, Any]]:
    settings, rate_hz = job["settings"], job["settings"]["rate_hz"]
    music_name = piece.stem if piece else ""
    whole = recordings.read(voice, rate_hz=rate_hz)
    longest = round(settings["length_s"] * rate_hz)
    own = np.random.default_rng(derive_seed(job["seed"], "speech", voice.stem))
    speech_start = recordings.excerpt_start(whole, longest, rate_hz=rate_hz, rng=own)
    dry = whole[speech_start : speech_start + longest]
    text = settings["texts"].get(voice.stem, "") if dry.size == whole.size else ""

    rng = np.random.default_rng(derive_seed(job["seed"], "pair", voice.stem, music_name))
    music, music_start = np.zeros(dry.size), 0
    if whole_music is not None:
        music_start = recordings.excerpt_start(whole_music, dry.size, rate_hz=rate_hz, rng=rng)
        music = np.resize(whole_music[music_start:], dry.size)
    room = Path(job["rooms"][rng.integers(len(job["rooms"]))]) if job["rooms"] else None
    heard = {"dry": dry}
    if room:
        heard["room"] = recordings.in_room(dry, recordings.read_room(room, rate_hz=rate_hz))

    for place, snr_db in wanted:
        name = name_of(voice.stem, music_name, place, snr_db)
        tracks = mixed(heard[place], music, snr_db=snr_db or 0.0)
        digests = {
            f"{track}/{name}.flac": _write_flac(context.checkpoint / track, name, samples, rate_hz)
            for track, samples in tracks.items()
        }
        if text:
            digests[f"text/{name}.txt"] = _write(context.checkpoint / "text" / f"{name}.txt", text.encode())
        yield {
            "name": name,
            "snr_db": snr_db,
            "room": room.stem if room and place == "room" else "",
            "voice": voice.stem,
            "piece": music_name,
            "speech_start_s": speech_start / rate_hz,
            "music_start_s": music_start / rate_hz,
            "rate_hz": rate_hz,
            "duration_s": dry.size / rate_hz,
            "sha256": digests,
        }


def mixed(
    speech: recordings.Samples, music: recordings.Samples, *, snr_db: float
) -> dict[str, NDArray[np.int32]]:
    """Speech and music at a ratio, and their sum, as integers of 24 bit.

    Parameters
    ----------
    speech, music : array [frames]
        The music may be silent: then the mix is the speech.
    snr_db : float
        Energy of the speech over that of the music.

    Returns
    -------
    dict
        ``mix``, ``speech`` and ``music``; the first is the sum of the others to the last bit.
    """
    powers = np.vdot(speech, speech), np.vdot(music, music)
    if powers[1]:
        music = music * np.sqrt(powers[0] / powers[1] / 10 ** (snr_db / 10))
    peak = max(np.abs(track).max() for track in (speech + music, speech, music))
    tracks = [np.rint(track * (PEAK / peak * FULL_SCALE)).astype(np.int32) for track in (speech, music)]
    return {"mix": tracks[0] + tracks[1], "speech": tracks[0], "music": tracks[1]}


def name_of(speech: str, music: str, place: str, snr_db: float | None) -> str:
    """Name of a mixture: voice, music or ``clean``, place, ratio."""
    ratio = [] if snr_db is None else [f"{snr_db:+g}dB"]
    return "--".join([speech, music or "clean", place, *ratio])


def _found(config: MixturesConfig) -> dict[str, tuple[Path, ...]]:
    patterns = {
        "speech": config.speech,
        "music": config.music if config.snr_db else (),
        "rooms": config.rooms,
    }
    return {what: recordings.find(config.folder, names, what=what) for what, names in patterns.items()}


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
        yield from product([speech], found["music"], places, config.snr_db)


def _write_flac(folder: Path, name: str, samples: NDArray[np.int32], rate_hz: int) -> str:
    import soundfile

    flac = io.BytesIO()
    # libsndfile keeps the upper 24 of 32 bits.
    soundfile.write(flac, samples << 8, rate_hz, format="FLAC", subtype="PCM_24")
    return _write(folder / f"{name}.flac", flac.getvalue())


def _write(path: Path, content: bytes) -> str:
    """Write a file whole or not at all; its digest."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)
    return sha256_file(path)
