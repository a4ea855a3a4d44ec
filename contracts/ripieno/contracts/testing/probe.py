"""Run by the kit in a fresh interpreter: imports a plugin's module, prints what heavy came along, builds it.

Conventions
-----------
Arguments are module, qualified name and settings as JSON (empty: do not build). The network is refused.
"""

import sys
from importlib import import_module
from operator import attrgetter
from typing import Any

HEAVY = {
    *("cv2", "ffmpeg", "jinja2", "librosa", "matplotlib", "numba", "onnxruntime"),
    *("pandas", "scipy", "sklearn", "soundfile", "soxr", "torch"),
}


def refuse_network(event: str, _: tuple[Any, ...]) -> None:
    """An audit hook."""
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError("a plugin uses no network: weights come from the catalogue")


def main(module: str, qualname: str, settings: str) -> None:
    """Import, report, build."""
    sys.addaudithook(refuse_network)
    plugin = attrgetter(qualname)(import_module(module))
    print(*sorted(HEAVY & set(sys.modules)), flush=True)
    if settings:
        plugin(plugin.config_class().model_validate_json(settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
