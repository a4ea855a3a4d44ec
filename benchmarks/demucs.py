"""Demucs's networks: what the voice of 30 s of stereo costs here and by the demucs command, and how both differ.

The networks are built as htdemucs is, 42 million weights each, at random; the bag has one for each stem, as
htdemucs_ft has. Both programs read the same files, compute on one thread and write the stem as float32.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from numpy.typing import NDArray

from .figures import Bar, Row
from .place import Place
from .processes import Command, Peak, Usage, measure, measure_memory

SONG_S = 30
RATE_HZ = 44_100
RUNS = 2
STEMS = ("drums", "bass", "other", "vocals")
MODELS = {"one": "one network", "bag": "a bag of four"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
PIPELINE = """ripieno: 1
name: voice
inputs:
  mix: {kind: audio}
steps:
  parts:
    uses: separator/demucs
    in: {audio: mix}
    with: {folder: models, model: one, trust: true, two_stems: vocals}
outputs:
  parts.vocals: voice.wav
"""


def rows(place: Place) -> Iterator[Row]:
    """One network, then a bag; of both only the vocals are asked for."""
    if find_spec("demucs") is None:
        print("demucs: not installed, its rows are left out", file=sys.stderr)
        return
    folder = place.room("demucs")
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    _write_models(folder / "models")
    for name, duration_s in (("warm", 1), ("song", SONG_S)):
        _write_song(folder / f"{name}.wav", duration_s=duration_s)
    measure(_own(place, folder, "one", song="warm"))
    measure(_theirs(folder, "one", song="warm"))
    for model, what in MODELS.items():
        yield from _compared(place, folder, model, what)


def _compared(place: Place, folder: Path, model: str, what: str) -> Iterator[Row]:
    own, theirs = _own(place, folder, model), _theirs(folder, model)
    turns = [(measure_memory(own), measure_memory(theirs)) for _ in range(RUNS)]
    own_turns, their_turns = zip(*turns, strict=True)
    yield Row(
        f"vocals of {SONG_S} s, {what}: CPU over that of demucs",
        [here.cpu_s / there.cpu_s for (here, _), (there, _) in turns],
        Bar(1, "x"),
        note=_cost(own_turns),
        peers=f"demucs {version('demucs')}: {_cost(their_turns)}",
    )
    expected = _read(folder / "demucs" / model / "song" / "vocals.wav")
    found = _own_voice(folder, model)
    rounded = measure(_own(place, folder, model, precision="bf16"))
    error_db = 10 * np.log10(np.mean((_own_voice(folder, model, "bf16") - found) ** 2) / np.mean(found**2))
    yield Row(
        f"vocals of {SONG_S} s, {what}: largest difference",
        [float(np.abs(found - expected).max())],
        Bar(1e-4, "of full scale"),
        note=f"peak {np.abs(expected).max():.2g}; in bfloat16 the error is {error_db:.0f} dB of the stem, "
        f"CPU {rounded.cpu_s:.1f} s",
    )


def _cost(turns: Sequence[tuple[Usage, Peak]]) -> str:
    cpu_s = median(usage.cpu_s for usage, _ in turns)
    return f"{cpu_s:.1f} s, {max(peak.process_mb for _, peak in turns):,.0f} MB"


def _own(place: Place, folder: Path, model: str, *, song: str = "song", precision: str = "fp32") -> Command:
    command = place.core(
        "run", "pipeline.yaml", "--force", "--quiet", "--runs", f"{song}-{model}-{precision}",
        "--input", f"mix={song}.wav", "--set", f"parts.model={model}", "--set", f"parts.precision={precision}",
        folder=folder, site=place.noop,
    )  # fmt: skip
    return replace(command, environment={**command.environment, **ONE_THREAD})


def _theirs(folder: Path, model: str, *, song: str = "song") -> Command:
    arguments = (
        sys.executable, "-m", "demucs", "-n", model, "--repo", "models", "-d", "cpu", "--shifts", "0",
        "--two-stems", "vocals", "--other-method", "none", "--float32", "--clip-mode", "none", "-o", "demucs",
        f"{song}.wav",
    )  # fmt: skip
    return Command(arguments, folder, ONE_THREAD)


def _own_voice(folder: Path, model: str, precision: str = "fp32") -> NDArray[np.float64]:
    return _read(next(folder.glob(f"song-{model}-{precision}/*/voice.wav")))


def _read(path: Path) -> NDArray[np.float64]:
    samples: NDArray[np.float64] = soundfile.read(path)[0]
    return samples


def _write_song(path: Path, *, duration_s: float) -> None:
    """Tones and noise that come and go."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * pitch_hz * time_s) for pitch_hz in rng.uniform(80, 3000, 4))
    noise = rng.standard_normal((2, len(time_s))) * (1 + np.sin(3 * time_s))
    soundfile.write(path, (0.1 * tones + 0.05 * noise).T, RATE_HZ, subtype="FLOAT")


def _write_models(folder: Path) -> None:
    """A network for each stem and the bag of them, as Demucs keeps its own: in half precision."""
    import torch
    from demucs.htdemucs import HTDemucs
    from demucs.states import get_state

    folder.mkdir()
    names = ("one", "two", "three", "four")
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        network = HTDemucs(list(STEMS), bottom_channels=512, dconv_mode=3, segment=Fraction(39, 5))
        for parameter_name, parameter in network.named_parameters():
            # At the start of a training these branches are all but silent, and so would be their errors.
            if parameter_name.endswith("scale"):
                torch.nn.init.constant_(parameter, 0.1)
        args, kwargs = network._init_args_kwargs
        state = get_state(network, None, half=True)  # type: ignore[no-untyped-call]
        package = {"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": state, "training_args": {}}
        torch.save(package, folder / f"{name}.th")
    stems = range(len(STEMS))
    weights = [[float(stem == own) for stem in stems] for own in stems]
    (folder / "bag.yaml").write_text(f"models: [{', '.join(names)}]\nweights: {weights}\n", encoding="utf-8")
