"""Pipelines run over a set of mixtures, and measured beside the truth.

Conventions
-----------
A pipeline under test has a list input ``mix`` and gives the speech of each; one that also has the inputs
``speech`` and ``music`` is told the truth, as the oracle is.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ripieno.contracts import ConfigError, Host, write_whole

from .scores import DECIMALS, Score

PIPELINES = Path(__file__).with_name("pipelines")
MIXTURES = "data_source/mixtures"
TRACKS = ("mix", "speech", "music")
REFERENCES = {"mix": "", "hpss": str(PIPELINES / "hpss.yaml"), "oracle": str(PIPELINES / "oracle.yaml")}
"""Pipelines of the floors and the limit; the mixture as it is needs none."""


@dataclass(frozen=True)
class Candidate:
    """A pipeline under test.

    Parameters
    ----------
    name : str
        In the table.
    path : str
        File or recipe; empty for the mixture as it is.
    output : str
        Which of its outputs is the speech; empty for ``speech``, or the only one.
    """

    name: str
    path: str
    output: str = ""

    @classmethod
    def parse(cls, text: str) -> "Candidate":
        """A candidate as it is written: ``NAME=PATH`` or ``NAME=PATH#OUTPUT``."""
        name, equals, place = text.partition("=")
        path, _, output = place.partition("#")
        if not (name and equals and path):
            raise ConfigError(f"--pipeline {text}: expected NAME=PATH, or NAME=PATH#OUTPUT")
        if name in REFERENCES:
            raise ConfigError(f"--pipeline {text}: {name} is in every table; give yours another name")
        return cls(name, path, output)


@dataclass(frozen=True)
class MixtureSet:
    """A set as `data_source/mixtures` made it.

    Parameters
    ----------
    folder : Path
    mixtures : tuple of mapping
        Their entries in the manifest.
    """

    folder: Path
    mixtures: tuple[Mapping[str, Any], ...]

    def glob(self, track: str) -> str:
        """The files of ``mix``, ``speech``, ``music`` or ``text``."""
        return str(self.folder / track / ("*.txt" if track == "text" else "*.flac"))

    @property
    def duration_s(self) -> float:
        """Of all mixtures together."""
        return float(sum(mixture["duration_s"] for mixture in self.mixtures))


@dataclass(frozen=True)
class Estimates:
    """What a pipeline made of the mixtures.

    Parameters
    ----------
    inputs : mapping of str to str
        What to give a pipeline that has the input ``estimate``.
    real_time_factor : float
        Time in its steps over the length of the sound; nan where there was nothing to do.
    """

    inputs: Mapping[str, str]
    real_time_factor: float


def build(host: Host, definition: str, *, data: Path | None) -> MixtureSet:
    """Make the set that a pipeline with one step `data_source/mixtures` defines.

    Parameters
    ----------
    data : Path or None
        Folder of the recordings, instead of the one in the pipeline.
    """
    pipeline = host.load(definition)
    steps = [name for name, step in pipeline.steps.items() if step.uses == MIXTURES]
    outputs = [name for name in pipeline.outputs if name in steps]
    if len(steps) != 1 or not outputs:
        raise ConfigError(f"{definition}: a set is a pipeline with one step {MIXTURES}, named in its outputs")
    settings = {f"{steps[0]}.folder": str(data.resolve())} if data else {}
    run = host.run(definition, {}, settings, (steps[0],))
    (made,) = (output for output in _manifest(run)["outputs"] if output["name"] == outputs[0])
    folder = run / made["path"]
    manifest = json.loads((folder / "dataset_manifest.json").read_text(encoding="utf-8"))
    return MixtureSet(folder.resolve(), tuple(manifest["mixtures"]))


def estimates_of(host: Host, candidate: Candidate, mixtures: MixtureSet) -> Estimates:
    """Run a pipeline over the mixtures.

    Raises
    ------
    ConfigError
        If it has no list input ``mix``, or it is not clear which output is the speech.
    """
    if not candidate.path:
        return Estimates({"estimate": mixtures.glob("mix")}, math.nan)
    pipeline = host.load(candidate.path)
    if "mix" not in pipeline.inputs or not pipeline.inputs["mix"].many:
        raise ConfigError(
            f"{candidate.path}: has no list of mixtures. Write: inputs: {{mix: {{kind: audio, many: true}}}}"
        )
    output = _speech_output(candidate, pipeline.outputs)
    inputs = {track: mixtures.glob(track) for track in TRACKS if track in pipeline.inputs}
    run = host.run(candidate.path, inputs, {}, (output.partition(".")[0],))
    manifest = _manifest(run)
    seconds = sum(step["seconds"] for step in manifest["steps"] if step["role"] != "input")
    made = [{"src": one["path"], "id": one["item"]} for one in manifest["outputs"] if one["name"] == output]
    listed = run / "estimates.json"
    write_whole(listed, json.dumps(made, indent=1).encode())
    return Estimates({"estimate.items": str(listed)}, seconds / mixtures.duration_s)


def _speech_output(candidate: Candidate, outputs: Mapping[str, str]) -> str:
    wanted = candidate.output or ("speech" if "speech" in outputs else "")
    if not wanted and len(outputs) == 1:
        (wanted,) = outputs
    if wanted not in outputs:
        raise ConfigError(
            f"{candidate.path}: which output is the speech? Write {candidate.name}={candidate.path}#OUTPUT "
            f"with one of {', '.join(outputs) or 'its outputs: it has none'}"
        )
    return wanted


def measure(
    host: Host, candidate: Candidate, estimates: Estimates, mixtures: MixtureSet, *, whisper: Path | None
) -> list[Score]:
    """Scores of what a pipeline made, by the metrics of ``pipelines/measure.yaml``.

    Parameters
    ----------
    whisper : Path or None
        Folder of a recognizer's model: adds the word error rates of mixtures whose text is known.
    """
    # First, since a folder that holds no such model is no news to wait for.
    words = _words(host, estimates, mixtures, whisper) if whisper else {}
    tracks = {track: mixtures.glob(track) for track in TRACKS}
    found = _figures(host.run(str(PIPELINES / "measure.yaml"), {**tracks, **estimates.inputs}, {}, ()))
    return [
        Score(
            candidate.name,
            mixture["name"],
            mixture["snr_db"],
            mixture["room"],
            figures_of(
                {**found[mixture["name"]], **words.get(mixture["name"], {})},
                is_clean=mixture["snr_db"] is None,
            ),
        )
        for mixture in mixtures.mixtures
    ]


def _words(
    host: Host, estimates: Estimates, mixtures: MixtureSet, whisper: Path
) -> dict[str, dict[str, float]]:
    """Word error rates by mixture, of those whose text is known."""
    if not any(mixtures.folder.glob("text/*.txt")):
        return {}
    inputs = {"text": mixtures.glob("text"), **estimates.inputs}
    settings = {"wer.model": str(whisper.resolve())}
    return _figures(host.run(str(PIPELINES / "words.yaml"), inputs, settings, ()))


def figures_of(found: Mapping[str, float], *, is_clean: bool) -> dict[str, float]:
    """The figures for the table, of all that were measured on one mixture.

    metric/si_sdr leaves out a ratio that is infinite: of silence, or of a sound that nothing has changed.
    """
    values = {name: value for name, value in found.items() if name in DECIMALS}
    values.setdefault("si_sdr_db", math.inf if "loudness_lufs" in found else -math.inf)
    if is_clean:
        values.pop("si_sdr_improvement_db", None)
    return values


def _figures(run: Path) -> dict[str, dict[str, float]]:
    """Every figure that a run's outputs have, by item."""
    found: dict[str, dict[str, float]] = {}
    for output in _manifest(run)["outputs"]:
        document = json.loads((run / output["path"]).read_text(encoding="utf-8"))
        found.setdefault(output["item"], {}).update(document["values"])
    return found


def _manifest(run: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return document
