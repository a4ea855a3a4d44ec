"""Sets of pairs joined to one, with augmented copies of each clip.

Conventions
-----------
The manifest is that of a set of pairs (`ripieno.toolkit.pairs.manifest`), ``source``
``joiner/augmented``. A clip says further what it is of: ``set`` (its place in ``joined``), ``clip`` (its name
there), ``copy`` (0 for the clip itself), and of a copy ``draw``, which makes it again, and ``peak_gain_db``,
by which it was made softer to stay below full scale. ``joined`` has the source, versions, settings, seed and
counts of each set.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from ripieno.contracts import Augmenter, Dataset, Joiner, Licence, PluginConfig, PluginRef, Provenance
from ripieno.toolkit.pairs.manifest import KeptClip, Verdict, manifest_of
from ripieno.toolkit.portable import to_json

from .copies import copy_clip
from .pairs import Pair, clips_in, pair_of, write_pairs
from .versions import versions

ROUND = 64
KEPT = tuple(field.name for field in fields(KeptClip))
TOLD = ("source", "versions", "settings", "seed", "counts")


class AugmentedConfig(PluginConfig):
    """Settings of `Augmented`."""

    augmenter: PluginRef[Augmenter[Any]] = Field(
        PluginRef("augmenter/chain"), description="What makes a copy."
    )
    copies: int = Field(1, ge=0, description="Augmented copies of each clip; 0 joins the sets as they are.")
    originals: bool = Field(True, description="Whether the clips themselves are in the set too.")


@dataclass(frozen=True, eq=False)
class Source:
    """A clip of one of the sets.

    Parameters
    ----------
    number : int
        Of the set.
    clip : mapping
        Its entry in the set's manifest.
    pair : Pair
        Its files, and its name in the new set.
    """

    number: int
    clip: Mapping[str, Any]
    pair: Pair

    def entry(self) -> dict[str, Any]:
        """Its entry in the new manifest."""
        named = {"name": self.pair.name, "audio": f"{self.pair.name}.flac", "cont": f"{self.pair.name}.cont"}
        return {**self.clip, **named, "copy": 0}

    def files(self) -> dict[str, Path]:
        """Its files, by their names in the new set."""
        entry = self.entry()
        return {entry["audio"]: Path(self.pair.audio), entry["cont"]: Path(self.pair.cont)}


class Augmented(Joiner[AugmentedConfig]):
    """One set of pairs of many, with augmented copies of each clip.

    A copy is in the split of its clip, and `augmenter/mix` takes others from that split alone, so nothing
    leaks. Clips keep their names where no two sets share one; else their set's number goes before. The
    licences of the sets, and of what copies were made with, are those of the whole.
    """

    random = True
    parallel = True

    def join(self, datasets: list[Dataset]) -> Dataset:
        """The set of all clips.

        Parameters
        ----------
        datasets : list of Dataset
            Sets of pairs, as `data_source/faust` and `data_source/sfizz` give them.

        Raises
        ------
        InputError
            If one of them is no set of pairs.
        """
        sources = sources_of(datasets)
        copies = self._copies(sources)
        clips: list[dict[str, Any]] = []
        files: dict[str, Path] = {}
        for source, made in zip(sources, copies, strict=True):
            of = {"set": source.number, "clip": source.clip["name"]}
            if self.config.originals:
                clips.append(source.entry() | of)
                files |= source.files()
            for clip in (copy["clip"] for copy in made):
                clips.append(clip | of)
                files |= {name: self.context.checkpoint / name for name in (clip["audio"], clip["cont"])}
        licences = [one for dataset in datasets for one in dataset.manifest.get("licences", ())]
        licences += [one for made in copies for copy in made for one in copy["licences"]]
        terms = tuple(dict.fromkeys(Licence(**one) for one in licences))
        manifest = self._manifest(clips, datasets, terms)
        return Dataset(files, manifest, provenance=Provenance(licences=terms))

    def _copies(self, sources: Sequence[Source]) -> list[list[dict[str, Any]]]:
        """What `copy_clip` gives for each clip."""
        config, context = self.config, self.context
        if not config.copies:
            return [[] for _ in sources]
        others = {split: context.checkpoint / f"others-{split}.json" for split in _splits(sources)}
        for split, path in others.items():
            write_pairs(tuple(source.pair for source in sources if source.pair.split == split), path)
        shared = {
            "copies": config.copies,
            "seed": context.seed,
            "augmenter": to_json(config.augmenter.plugin),
        }
        jobs = [
            {
                **shared,
                "pair": vars(source.pair),
                "clip": source.clip,
                "others": str(others[source.pair.split]),
            }
            for source in sources
        ]
        made: list[list[dict[str, Any]]] = []
        for start in range(0, len(jobs), ROUND):
            made += context.map(copy_clip, jobs[start : start + ROUND])
            context.progress(len(made), len(jobs), unit="clips")
        return made

    def _manifest(
        self, clips: Sequence[Mapping[str, Any]], datasets: Sequence[Dataset], licences: Sequence[Licence]
    ) -> dict[str, Any]:
        numbered = [{**clip, "index": index} for index, clip in enumerate(clips)]
        manifest = manifest_of(
            [Verdict.from_json({"clip": _kept(clip), "dropped": []}) for clip in numbered],
            source="joiner/augmented",
            versions=versions(),
            settings=self.config.model_dump(mode="json", by_alias=True),
            seed=self.context.seed,
            licences=tuple(dict.fromkeys(licences)),
        )
        joined = [{name: dataset.manifest.get(name) for name in TOLD} for dataset in datasets]
        return {**manifest, "clips": numbered, "joined": joined}


def sources_of(datasets: Sequence[Dataset]) -> list[Source]:
    """The clips of all sets, each with a name of its own.

    Raises
    ------
    InputError
        If one of them is no set of pairs.
    """
    found = list(_sources(datasets))
    names = Counter(source.pair.name for source in found)
    if all(count == 1 for count in names.values()):
        return found
    return [
        replace(source, pair=replace(source.pair, name=f"{source.number}-{source.pair.name}"))
        for source in found
    ]


def _sources(datasets: Sequence[Dataset]) -> Iterator[Source]:
    for number, dataset in enumerate(datasets):
        for clip in clips_in(dataset, where=f"set {number} of joiner/augmented"):
            yield Source(number, clip, pair_of(clip, dataset, name=clip["name"]))


def _splits(sources: Sequence[Source]) -> tuple[str, ...]:
    return tuple(sorted({source.pair.split for source in sources}))


def _kept(clip: Mapping[str, Any]) -> dict[str, Any]:
    return {name: clip[name] for name in KEPT}
