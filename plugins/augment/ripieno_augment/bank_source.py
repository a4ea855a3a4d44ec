"""A bank of rooms and noises that are made, free of all rights.

Conventions
-----------
``dataset_manifest.json`` is what `AssetBank` reads, and says of the whole ``ripieno_assets`` (1), ``source``,
``versions``, ``settings``, ``seed`` and ``licences``. Each asset is ``NAME.flac``, mono of 24 bit, and has
``rate_hz``, ``duration_s``, ``sha256`` and the ``shape`` that it was made from; a room ``direct_path_s`` too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Context, Dataset, DataSource, Licence, PluginConfig, atomic_path
from ripieno.contracts.context import derive_seed

from .draws import Range
from .noises import draw_noise, make_noise
from .rooms import draw_room, make_room
from .versions import versions

VERSION = 1
PEAK = 0.9
FREE = Licence("CC0-1.0", source="data_source/asset_bank of ripieno-augment")
ROUND = 64


class MakeAssetBankConfig(PluginConfig):
    """Settings of `MakeAssetBank`."""

    rooms: int = Field(32, ge=0, description="How many responses of rooms.")
    noises: int = Field(32, ge=0, description="How many noises.")
    rate_hz: int = Field(48000, ge=8000, description="Sample rate.", json_schema_extra={"unit": "Hz"})
    rt60_s: Range = Field(
        (0.15, 1.0), description="Reverberation times, by Sabine.", json_schema_extra={"unit": "s"}
    )
    noise_s: float = Field(10.0, gt=0, description="Length of a noise.", json_schema_extra={"unit": "s"})


class MakeAssetBank(DataSource[MakeAssetBankConfig]):
    """Responses of rooms by image sources, and coloured, shaped noises: CC0 by construction.

    Each asset is made from the run's seed and its own number, so that a larger bank begins with the smaller.
    """

    random = True
    parallel = True

    def generate(self) -> Dataset:
        config, context = self.config, self.context
        settings = config.model_dump(mode="json")
        counts = {"room": config.rooms, "noise": config.noises}
        jobs = [
            {"kind": kind, "index": index, "seed": context.seed, "settings": settings}
            for kind, count in counts.items()
            for index in range(count)
        ]
        assets: list[dict[str, Any]] = []
        for start in range(0, len(jobs), ROUND):
            assets += context.map(make_asset, jobs[start : start + ROUND])
            context.progress(len(assets), len(jobs), unit="assets")
        manifest = {
            "ripieno_assets": VERSION,
            "source": "data_source/asset_bank",
            "versions": versions(),
            "settings": settings,
            "seed": context.seed,
            "licences": [asdict(FREE)],
            "assets": assets,
        }
        return Dataset({asset["file"]: context.checkpoint / asset["file"] for asset in assets}, manifest)


def make_asset(job: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Make one asset in the checkpoint folder, if it is not there; its entry in the manifest."""
    kind, index, settings = job["kind"], job["index"], job["settings"]
    rng = np.random.default_rng(derive_seed(job["seed"], kind, str(index)))
    rate_hz = settings["rate_hz"]
    facts: dict[str, Any]
    if kind == "room":
        room = draw_room(rng, rt60_s=settings["rt60_s"])
        response = make_room(room, rate_hz=rate_hz)
        samples, facts = response.samples, {"shape": asdict(room), "direct_path_s": response.direct_path_s}
    else:
        noise = draw_noise(rng)
        samples = make_noise(noise, rate_hz=rate_hz, duration_s=settings["noise_s"])
        facts = {"shape": asdict(noise)}
    name = f"{kind}-{index:05d}"
    path = context.checkpoint / f"{name}.flac"
    if not path.is_file():
        _write(samples, path, rate_hz=rate_hz)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "name": name,
        "file": path.name,
        "kind": kind,
        "licence": FREE.name,
        "credit": FREE.credit,
        "commercial": FREE.commercial,
        "source": FREE.source,
        "sha256": digest,
        "rate_hz": rate_hz,
        "duration_s": samples.size / rate_hz,
        **facts,
    }


def _write(samples: NDArray[np.float32], path: Path, *, rate_hz: int) -> None:
    import soundfile

    peak = np.abs(samples).max(initial=0) or 1
    with atomic_path(path) as part:
        soundfile.write(part, samples * (PEAK / peak), rate_hz, format="FLAC", subtype="PCM_24")
