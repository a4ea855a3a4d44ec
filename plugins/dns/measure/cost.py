"""What effect/dns costs with networks of the published sizes, their weights at random; beside it the package.

    python plugins/dns/measure/cost.py [dns48] [dns64]

Processor time is that of one thread, for mono at 16 kHz, ours and the package's by turns. Memory is the most that
a process ever held which does nothing but denoise stereo at 44.1 kHz. The package is measured where it is
installed: pip install --no-deps denoiser==0.1.5
"""

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from ripieno.contracts import Audio
from ripieno_dns.effect import RATE_HZ, Denoise, DenoiseConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

HIDDEN = {"dns48": 48, "dns64": 64}
CLIP_S = 10
TURNS = 3
LENGTHS_S = (5, 30)


def write(path: Path, hidden: int) -> int:
    """Write a network; the number of its parameters."""
    from safetensors.torch import save_file
    from tiny_dns import random_weights

    weights = random_weights(hidden)
    save_file(weights, path)
    return sum(value.numel() for value in weights.values())


def processor_s(path: Path, hidden: int) -> dict[str, float]:
    """Processor time for a second of one channel, of whom it is measured."""
    import torch

    torch.set_num_threads(1)
    audio = noise(1, CLIP_S, RATE_HZ)
    effect = Denoise(DenoiseConfig(weights=path))
    programs: dict[str, Callable[[], object]] = {"effect/dns": lambda: effect.process(audio)}
    if find_spec("denoiser"):
        from denoiser.demucs import Demucs

        network, samples = Demucs(hidden=hidden).eval(), torch.from_numpy(audio.samples.copy())

        def package() -> object:
            with torch.no_grad():
                return network(samples)

        programs["denoiser"] = package
    turns = [{name: timed_s(program) for name, program in programs.items()} for _ in range(1 + TURNS)]
    return {name: median(turn[name] for turn in turns[1:]) / CLIP_S for name in programs}


def timed_s(program: Callable[[], object]) -> float:
    """Processor time of a call."""
    begun_s = time.process_time()
    program()
    return time.process_time() - begun_s


def memory_gb(path: Path, duration_s: int) -> float:
    """Most memory of this process, once it has denoised stereo of a length."""
    Denoise(DenoiseConfig(weights=path)).process(noise(2, duration_s, 44100))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def noise(channels: int, duration_s: int, rate_hz: int) -> Audio:
    """White noise, a tenth of full scale."""
    samples = 0.1 * np.random.default_rng(0).standard_normal((channels, duration_s * rate_hz))
    return Audio(samples.astype(np.float32), rate_hz)


def show(names: list[str]) -> None:
    """Print each figure, measured in a process of its own."""
    processes = ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with TemporaryDirectory() as folder, processes:
        for name in names:
            path = Path(folder) / f"{name}.safetensors"
            parameters = processes.submit(write, path, HIDDEN[name]).result()
            print(f"{name}: {parameters / 1e6:.1f} M parameters")
            for program, taken_s in processes.submit(processor_s, path, HIDDEN[name]).result().items():
                print(f"  {program}: processor time for a second of one channel: {taken_s:.2f} s", flush=True)
            for length_s in LENGTHS_S:
                most_gb = processes.submit(memory_gb, path, length_s).result()
                print(f"  effect/dns: peak memory, {length_s} s of stereo: {most_gb:.2f} GB", flush=True)


if __name__ == "__main__":
    show(sys.argv[1:] or list(HIDDEN))
