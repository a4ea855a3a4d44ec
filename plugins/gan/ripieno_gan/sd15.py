"""`data_source/sd15`: pictures by Stable Diffusion 1.5, for a generator to learn from.

Conventions
-----------
Weights are a folder as diffusers saves a pipeline, with safetensors; nothing is fetched, nothing is unpickled.
Each picture has a seed and a prompt of its own, from the run's seed, its family and its number alone.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ripieno.contracts import (
    Dataset,
    DataSource,
    InputError,
    Licence,
    MissingError,
    PluginConfig,
    Resources,
    derive_seed,
    write_whole,
)
from ripieno.toolkit.torch import torch_threads

from . import pictures
from .pictures import Entry
from .sd15_prompts import BUCKETS, NEGATIVE, prompt_of
from .sd15_scores import judged, measured

OPENRAIL = Licence(
    "CreativeML-OpenRAIL-M",
    "Stable Diffusion 1.5 by Robin Rombach, Patrick Esser and contributors",
    source="https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5",
)
MEASURES = ("contrast", "colour", "detail", "variety", "fingerprint")


class Sd15Config(PluginConfig):
    """Settings of `Sd15`."""

    folder: Path | None = Field(
        None, description="Weights: a folder with `model_index.json`, as diffusers saves a pipeline."
    )
    families: tuple[str, ...] = Field(tuple(BUCKETS), min_length=1, description="Buckets of prompts.")
    per_family: int = Field(
        200, ge=1, description="Pictures made of each family.", json_schema_extra={"unit": "pictures"}
    )
    keep: float = Field(
        0.8, gt=0, le=1, description="Share of a family that stays after the worst are taken out."
    )
    negative: str = Field(NEGATIVE, description="What pictures should not have.")
    steps: int = Field(28, ge=1, le=1000, description="Of denoising.")
    guidance: float = Field(7.0, ge=1, le=30, description="Classifier-free guidance; 1 is none.")
    scheduler: Literal["dpm++", "saved"] = Field(
        "dpm++", description="Multistep DPM-Solver++ with Karras' steps, or the one saved with the weights."
    )
    size: int = Field(
        512,
        ge=64,
        le=1024,
        multiple_of=64,
        description="Side that is generated; it was trained at 512.",
        json_schema_extra={"unit": "pixels"},
    )
    saved: int = Field(
        512, ge=16, le=1024, description="Side that is written.", json_schema_extra={"unit": "pixels"}
    )
    batch: int = Field(4, ge=1, le=64, description="Pictures at once; another number gives other last bits.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where: CUDA where it is there, in half precision; a CPU takes minutes a picture."
    )
    threads: int = Field(1, ge=1, le=64, description="Of the CPU; another number gives other last bits.")
    validation_share: float = Field(
        0.1, ge=0, le=1, description="Of the pictures, drawn from each one's seed."
    )

    @field_validator("families")
    @classmethod
    def _are_known(cls, families: tuple[str, ...]) -> tuple[str, ...]:
        pictures.require_known(families, BUCKETS)
        if len(set(families)) < len(families):
            raise ValueError("a family stands there twice")
        return families


class Sd15(DataSource[Sd15Config]):
    """Pictures by Stable Diffusion 1.5 in five families: abstract, glitch, colour field, reaction, monochrome noise.

    Each is a PNG with a JSON that says prompt, seed and all settings. The worst of each family are taken out, by
    contrast, colour, detail and variety; blank ones and doubles always. One that was broken off goes on where it
    was. Needs `pip install "ripieno-gan[sd15]"` and the weights, which `core models show sd15` tells where to get.
    """

    random = True
    # Kernels of a GPU sum in an order of their own; on a CPU the same seed gives the same bytes.
    reproducible = False
    licences = (OPENRAIL,)
    resources = Resources(memory_mb=8000)

    @classmethod
    def assets(cls, config: Sd15Config) -> tuple[Path, ...]:
        return () if config.folder is None else (config.folder,)

    def generate(self) -> Dataset:
        """`per_family` pictures of each family, less the worst.

        Raises
        ------
        MissingError
            If diffusers or the weights are not there, or CUDA is asked for and is not.
        InputError
            If the folder holds no such pipeline, or pickled weights only.
        """
        config, folder = self.config, self.context.checkpoint
        wanted = [(family, number) for family in config.families for number in range(config.per_family)]
        entries = {name: entry for name in map(_name, wanted) if (entry := pictures.kept(folder, name))}
        # Whole batches, since what a picture is drawn beside decides its last bits.
        batches = [wanted[at : at + config.batch] for at in range(0, len(wanted), config.batch)]
        unfinished = [batch for batch in batches if not entries.keys() >= set(map(_name, batch))]
        if unfinished:
            with _quiet():
                self._finish(entries, unfinished, whole=len(wanted))
        return self._culled([entries[_name(one)] for one in wanted])

    def _finish(self, entries: dict[str, Entry], batches: list[list[tuple[str, int]]], *, whole: int) -> None:
        """Make the pictures that entries lack."""
        context, pipeline = self.context, _pipeline(self.config)
        for batch in batches:
            facts = [self._facts(*one) for one in batch]
            for one, of_it, pixels in zip(batch, facts, self._drawn(pipeline, facts), strict=True):
                name = _name(one)
                if name not in entries:
                    known = {**of_it, **measured(pixels)}
                    entries[name] = pictures.keep(context.checkpoint, pixels, name=name, facts=known)
            context.progress(len(entries), whole, unit="pictures")

    def _facts(self, family: str, number: int) -> dict[str, Any]:
        """All that decides a picture."""
        config = self.config
        seed = derive_seed(self.context.seed, family, str(number))
        return {
            "family": family,
            "split": pictures.split_of(seed, validation_share=config.validation_share),
            "seed": seed,
            "prompt": prompt_of(family, np.random.default_rng(seed)),
            "negative": config.negative,
            "steps": config.steps,
            "guidance": config.guidance,
            "scheduler": config.scheduler,
            "generated_size": config.size,
        }

    def _drawn(self, pipeline: Any, batch: list[dict[str, Any]]) -> list[NDArray[np.uint8]]:
        import torch

        # Noise is drawn on the CPU wherever it is used, so that a seed means the same picture everywhere.
        noise = [torch.Generator("cpu").manual_seed(facts["seed"]) for facts in batch]
        with torch_threads(self.config.threads):
            drawn = pipeline(
                prompt=[facts["prompt"] for facts in batch],
                negative_prompt=[self.config.negative] * len(batch),
                num_inference_steps=self.config.steps,
                guidance_scale=self.config.guidance,
                height=self.config.size,
                width=self.config.size,
                generator=noise,
                output_type="np",
            ).images
        side = (self.config.saved, self.config.saved)
        # NaN, which broken weights draw, is black, and culled as blank.
        whole = [(np.clip(np.nan_to_num(picture), 0, 1) * 255 + 0.5).astype(np.uint8) for picture in drawn]
        return [pictures.fitted(pixels, side) for pixels in whole]

    def _culled(self, entries: list[Entry]) -> Dataset:
        """The data set without the worst of each family, which its manifest names with the reason."""
        config, folder = self.config, self.context.checkpoint
        kept, culled = [], []
        for family in config.families:
            ours = [entry for entry in entries if entry["family"] == family]
            measures = [{name: entry[name] for name in MEASURES} for entry in ours]
            verdicts = judged(measures, keep=config.keep, has_colour=BUCKETS[family].has_colour)
            for entry, verdict in zip(ours, verdicts, strict=True):
                scored = {**entry, "score": verdict.score}
                if verdict.culled:
                    culled.append({**scored, "culled": verdict.culled})
                else:
                    write_whole(folder / f"{entry['name']}.json", json.dumps(scored).encode())
                    kept.append(scored)
        if not kept:
            raise InputError(
                f"all {len(entries)} pictures are blank: are these the weights of Stable Diffusion 1.5?"
            )
        data = pictures.gathered(
            folder,
            kept,
            source="data_source/sd15",
            # Where the weights lie says nothing of the pictures.
            settings=config.model_dump(mode="json", exclude={"folder"}),
            seed=self.context.seed,
            licences=self.licences,
        )
        counts = {**data.manifest["counts"], "made": len(entries), "culled": len(culled)}
        manifest = {**data.manifest, "counts": counts, "culled": culled}
        return Dataset(data.files, manifest, provenance=data.provenance)


def _name(one: tuple[str, int]) -> str:
    return f"{one[0]}-{one[1]:05d}"


def _pipeline(config: Sd15Config) -> Any:
    """The pipeline in a folder, where it is to run."""
    folder = config.folder
    if folder is None:
        raise MissingError(
            "data_source/sd15 has no weights. `core models show sd15` says where to get them: "
            "put them in a folder and name it: with: {folder: FOLDER}"
        )
    if not (folder / "model_index.json").is_file():
        raise InputError(f"{folder}: no pipeline of diffusers: it has no model_index.json")
    try:
        import torch

        # Without types of their own.
        diffusers: Any = import_module("diffusers")
        import_module("transformers")
    except ImportError as error:
        raise MissingError(
            f'data_source/sd15 needs {error.name}. Run: pip install "ripieno-gan[sd15]"'
        ) from error
    cuda = torch.cuda.is_available()
    if config.device == "cuda" and not cuda:
        raise MissingError("device is cuda, and torch finds none here. Leave `device` at auto, or say cpu")
    try:
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            # What the checker sees through is no more wanted than the checker.
            feature_extractor=None,
            safety_checker=None,
            requires_safety_checker=False,
        )
    except Exception as error:  # each of the libraries that read a folder's files fails in its own way
        words = " ".join(str(error).split())[:300]
        raise InputError(
            f"{folder}: no whole pipeline of Stable Diffusion with safetensors: {words}"
        ) from error
    if config.scheduler == "dpm++":
        pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
            pipeline.scheduler.config, algorithm_type="dpmsolver++", use_karras_sigmas=True
        )
    pipeline.set_progress_bar_config(disable=True)
    on_gpu = config.device != "cpu" and cuda
    return pipeline.to("cuda", torch.float16) if on_gpu else pipeline.to("cpu", torch.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice and the bars that these libraries write while they load."""
    loggings: list[Any] = []
    with suppress(ImportError):
        loggings += [import_module(f"{library}.utils").logging for library in ("diffusers", "transformers")]
    levels = [logging.get_verbosity() for logging in loggings]
    for logging in loggings:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    try:
        yield
    finally:
        for logging, level in zip(loggings, levels, strict=True):
            logging.set_verbosity(level)
            logging.enable_progress_bar()
