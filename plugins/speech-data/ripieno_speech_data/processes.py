"""Programs as processes, with a limit on their time and on the size of what they write."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ripieno.contracts import StepError

MESSAGE = 300
_POLL_S = 0.005


def run(
    command: Sequence[str], *, writes: Path, limit_s: float, most_bytes: int, inside: Path | None = None
) -> None:
    """Run a program to its end.

    Its home is the folder that it writes to, so that nobody's own settings change what it does.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell.
    writes : Path
        The file that grows meanwhile, or a folder of them; a log is kept beside it until the end.
    limit_s : float
        The longest that it may take.
    most_bytes : int
        The most that it may write.
    inside : Path, optional
        A folder to run in that is its home too, so that it can be told names alone.

    Raises
    ------
    StepError
        If it cannot be started, fails, crashes, takes longer or writes more.
    """
    log = writes.with_name(f"{writes.name}.log")
    # Its words go to a file: a pipe that nobody reads while waiting could fill and stop it.
    with log.open("wb") as words:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                cwd=inside,
                env={**os.environ, **_surroundings(Path() if inside else writes.parent)},
            )
        except OSError as error:
            raise StepError(f"{command[0]}: cannot be started: {error.strerror}") from error
        try:
            fault = _watch(process, writes, limit_s=limit_s, most_bytes=most_bytes)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    said = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-MESSAGE:]
    log.unlink(missing_ok=True)
    fault = fault or _ended(process.returncode)
    if fault:
        raise StepError(f"{command[0]} {fault}{': ' if said else ''}{said}")


def _surroundings(home: Path) -> dict[str, str]:
    """No settings of the user, and no sound server.

    libpulse, which espeak-ng loads even where it writes a file, would draw the name of a folder from the generator
    that espeak-ng then takes the noise of a breath from.
    """
    return {
        "HOME": str(home),
        "PULSE_RUNTIME_PATH": str(home),
        "PULSE_SERVER": f"unix:{home / 'none'}",
    }


def _watch(process: "subprocess.Popen[bytes]", writes: Path, *, limit_s: float, most_bytes: int) -> str:
    """What is wrong with a running process that is to be ended; empty for one that has ended."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            process.wait(timeout=_POLL_S)
            return ""
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > deadline:
            return f"was ended after {limit_s:.0f} s, its limit"
        if _size(writes) > most_bytes:
            return f"was ended at {most_bytes} bytes, its limit"


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir())
    return path.stat().st_size if path.exists() else 0


def _ended(code: int) -> str:
    if code == 0:
        return ""
    return f"crashed (signal {-code})" if code < 0 else f"failed (exit status {code})"
