"""Whole processes, measured: time by the kernel's own account, memory by sampling ``/proc``."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import BinaryIO

SAMPLE_EVERY_S = 0.05


class CommandFailed(Exception):
    """A measured command ended with another exit status than 0; the message has its last lines."""


@dataclass(frozen=True)
class Command:
    """A program to be measured.

    Parameters
    ----------
    arguments : tuple of str
        The program first.
    folder : Path
        Where it runs.
    environment : mapping of str to str
        Over that of this process.
    prepare : callable
        Called before each run; takes no part in the figures.
    """

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Usage:
    """What a run took: seconds on the clock and of CPU."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Usages:
    """What the runs of one command took."""

    runs: tuple[Usage, ...]

    @property
    def wall_s(self) -> list[float]:
        """Seconds on the clock, one a run."""
        return [run.wall_s for run in self.runs]

    @property
    def cpu_s(self) -> float:
        """Median of the CPU seconds."""
        return median(run.cpu_s for run in self.runs)


@dataclass(frozen=True)
class Peak:
    """Most memory of one process, and of all at once: anonymous resident pages, in MB of 10^6 bytes."""

    process_mb: float
    tree_mb: float


def interleaved(commands: Mapping[str, Command], *, runs: int) -> dict[str, Usages]:
    """Each command once to warm up, then all of them in turns, `runs` times."""
    for command in commands.values():
        measure(command)
    turns = [{name: measure(command) for name, command in commands.items()} for _ in range(runs)]
    return {name: Usages(tuple(turn[name] for turn in turns)) for name in commands}


def measure(command: Command) -> Usage:
    """Run a command once.

    Raises
    ------
    CommandFailed
        If its exit status is not 0.
    """
    command.prepare()
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = _start(command, output.fileno())
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        _check(command, process, status, output)
    return Usage(wall_s, usage.ru_utime + usage.ru_stime)


def measure_memory(command: Command) -> tuple[Usage, Peak]:
    """Run a command once and watch the memory of its whole tree of processes.

    Raises
    ------
    CommandFailed
        If its exit status is not 0.
    """
    command.prepare()
    process_bytes = tree_bytes = 0
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = _start(command, output.fileno())
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            sizes = [anonymous_bytes(pid) for pid in _tree(process.pid)]
            process_bytes = max(process_bytes, *sizes)
            tree_bytes = max(tree_bytes, sum(sizes))
            time.sleep(SAMPLE_EVERY_S)
        wall_s = time.perf_counter() - started
        _, status, usage = ended
        _check(command, process, status, output)
    return Usage(wall_s, usage.ru_utime + usage.ru_stime), Peak(process_bytes / 1e6, tree_bytes / 1e6)


def _start(command: Command, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env={**_environment(), **command.environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


def _environment() -> dict[str, str]:
    """That of this process without what changes how Python starts, such as that it keeps no bytecode."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _check(command: Command, process: "subprocess.Popen[bytes]", status: int, output: BinaryIO) -> None:
    # subprocess would wait for it once more.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        output.seek(0)
        last = output.read()[-2000:].decode(errors="replace")
        raise CommandFailed(f"{' '.join(command.arguments)}: exit status {process.returncode}\n{last}")


def _tree(root: int) -> list[int]:
    """A process and all its descendants."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:
                continue
    return found


def anonymous_bytes(pid: int) -> int:
    """Anonymous resident pages of a process; 0 where there is none."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)
