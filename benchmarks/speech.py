"""Speech without music: how good the embedded chain is against the true voice, and what it costs.

Quality is that of `examples/speech-benchmark/held-out.yaml` at 0 dB: real voices and music that no network of the
project was trained on, dry and in rooms.
"""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ripieno_speech_benchmark.scores import Score, clean, mean, of_pipeline, read, under_music

from .figures import Bar, Row
from .memory import HOUR_S, write_hour
from .performances.kinds import DATA
from .place import Place
from .processes import measure, measure_memory

EXAMPLES = Path(__file__).parents[1] / "examples"
CHAIN = EXAMPLES / "speech-only" / "pipeline.yaml"
BENCHMARK = EXAMPLES / "speech-benchmark"
PIPELINES = {
    "embedded": CHAIN,
    "mask": BENCHMARK / "mask.yaml",
    "streaming": BENCHMARK / "mask-streaming.yaml",
}
GAINS_DB = {"embedded": 8.5, "mask": 8.5, "streaming": 7.5}
SNR_DB = 0.0


def rows(place: Place) -> Iterator[Row]:
    """The bars of quality, then loudness, time and memory of the chain."""
    if (DATA / "speech").is_dir():
        yield from _quality(place)
    else:
        print(f"speech: no recordings in {DATA}, the rows of quality are left out", file=sys.stderr)
    yield from _loudness(place)
    yield from _hour(place)


def _quality(place: Place) -> Iterator[Row]:
    folder = place.room("speech-benchmark")
    wanted = [word for name, path in PIPELINES.items() for word in ("--pipeline", f"{name}={path}")]
    command = place.core(
        "speech-benchmark", "run", BENCHMARK / "held-out.yaml", "--data", DATA, "--output", folder / "scores", *wanted,
        folder=folder, site=place.noop,
    )  # fmt: skip
    measure(command)
    scores = read(folder / "scores" / "scores.csv")
    mix_stoi = mean(_at_0_db(scores, "mix"), "stoi")
    oracle_db = mean(_at_0_db(scores, "oracle"), "si_sdr_improvement_db")
    for name, bar_db in GAINS_DB.items():
        own = _at_0_db(scores, name)
        gains_db = [score.values["si_sdr_improvement_db"] for score in own]
        gain_db = sum(gains_db) / len(gains_db)
        share = f"{gain_db / oracle_db:.0%} of the oracle's {oracle_db:.1f} dB, {len(own)} mixtures"
        yield Row(
            f"{name}: mean SI-SDR gain at 0 dB", [gain_db], Bar(bar_db, "dB", at_least=True), note=share
        )
        yield Row(
            f"{name}: STOI above the mix", [mean(own, "stoi") - mix_stoi], Bar(0.08, "", at_least=True),
            note=f"from {mix_stoi:.3f}",
        )  # fmt: skip
        yield Row(f"{name}: residual music", [mean(own, "residual_music_db")], Bar(-15, "dB"))
        harmless = [score.values["si_sdr_db"] for score in clean(of_pipeline(scores, name))]
        yield Row(f"{name}: speech without music, worst voice", [min(harmless)], Bar(20, "dB", at_least=True))


def _at_0_db(scores: Sequence[Score], pipeline: str) -> tuple[Score, ...]:
    return tuple(score for score in under_music(of_pipeline(scores, pipeline)) if score.snr_db == SNR_DB)


def _loudness(place: Place) -> Iterator[Row]:
    folder = place.room("speech-only")
    measure(place.core("run", CHAIN, "--quiet", folder=folder, site=place.noop))
    (table,) = folder.glob("runs/*/gallery/metrics.csv")
    with open(table, encoding="utf-8", newline="") as file:
        items: list[Mapping[str, str]] = list(csv.DictReader(file))
    off_lu = [abs(float(item["after.loudness_lufs"]) + 16) for item in items]
    peaks_dbtp = [float(item["after.true_peak_dbtp"]) for item in items]
    yield Row("output loudness, farthest from -16 LUFS", [max(off_lu)], Bar(0.1, "LU"))
    yield Row("output true peak, highest", [max(peaks_dbtp)], Bar(-1, "dBTP"))


def _hour(place: Place) -> Iterator[Row]:
    folder = place.room("speech-hour")
    write_hour(folder / "hour.flac")
    command = place.core(
        "run", CHAIN, "--input", "mix=hour.flac", "--jobs", 1, "--quiet", folder=folder, site=place.noop
    )
    usage, peak = measure_memory(command)
    yield Row(
        "embedded chain, one hour of stereo: memory", [peak.process_mb], Bar(700, "MB"),
        note=f"all processes {peak.tree_mb:.0f} MB",
    )  # fmt: skip
    yield Row(
        "embedded chain: CPU over length", [usage.cpu_s / HOUR_S], Bar(0.1, "x"), note="gallery and all"
    )
