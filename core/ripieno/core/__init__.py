"""Plans and runs pipelines of Ripieno plugins.

``Pipeline.load(path).run(inputs={"song": "my.mp3"})`` is the command line's ``core run``.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Options", "Pipeline", "RunResult"]

_MODULE = {"Pipeline": "pipeline", "Options": "run", "RunResult": "result"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
