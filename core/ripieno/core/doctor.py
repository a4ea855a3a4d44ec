"""Looks at what plugins need: programs, providers, the store, each other."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ripieno.contracts.binaries import FFMPEG, Binary
from ripieno.contracts.errors import RipienoError
from ripieno.registry import Registry

from .planner import has_gpu
from .store import open_store


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, and what was found or is to be done."""

    ok: bool
    text: str


def examine() -> list[Finding]:
    """Everything, in an order from the ground up."""
    registry = Registry()
    return [
        Finding(True, f"Python {sys.version.split()[0]} at {sys.executable}"),
        *_store(),
        *_programs(registry),
        *_onnxruntime(),
        Finding(
            True, "GPU: an NVIDIA driver is set up" if has_gpu() else "GPU: none; everything runs on the CPU"
        ),
        *_plugins(registry),
    ]


def _store() -> Iterator[Finding]:
    try:
        store = open_store()
        with store.scratch():
            free_gb = shutil.disk_usage(store.folder).free / 1e9
        yield Finding(free_gb > 1, f"store {store.folder}: {free_gb:.0f} GB free")
    except (RipienoError, OSError) as error:
        yield Finding(False, str(error))


def _programs(registry: Registry) -> Iterator[Finding]:
    needed = {FFMPEG.name: FFMPEG}
    for entry in registry.entries():
        try:
            binaries = registry.describe(entry.uses).binaries if entry.prefix != "command" else ()
        except RipienoError:
            continue  # listed with the plugins below
        needed.update({facts["name"]: Binary(**facts) for facts in binaries})
    for binary in needed.values():
        path = binary.find()
        yield Finding(path is not None, f"{binary.name}: {path or f'not found. Run: {binary.cure}'}")


def _onnxruntime() -> Iterator[Finding]:
    found = {}
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if len(found) == 2:
        yield Finding(
            False,
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other. "
            "Run: pip uninstall onnxruntime onnxruntime-gpu, then install the one you want",
        )
    for name, installed in found.items():
        yield Finding(True, f"{name} {installed}")


def _plugins(registry: Registry) -> Iterator[Finding]:
    faults = [*registry.problems(), *filter(None, map(registry.check, registry.entries()))]
    for fault in dict.fromkeys(faults):
        yield Finding(False, fault)
    broken = len(dict.fromkeys(faults))
    yield Finding(True, f"{len(registry.entries())} plugins, {broken} with a fault")
