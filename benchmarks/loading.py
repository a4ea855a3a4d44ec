"""``python -m benchmarks.loading STORE KEY`` prints the milliseconds in which a stored result is there."""

import sys
import time
from pathlib import Path

from ripieno.contracts import Audio
from ripieno.core.store import Store
from ripieno.registry import Registry


def main() -> None:
    """Find the record of a key and load its audio."""
    folder, key = Path(sys.argv[1]), sys.argv[2]
    store, registry = Store(folder), Registry(cache=folder)
    registry.kind(Audio.kind)
    started = time.perf_counter()
    record = store.find(key)
    assert record is not None
    audio = store.get(record.outputs[""].digest, registry.kind)
    ended = time.perf_counter()
    assert isinstance(audio, Audio) and audio.duration_s == 3600
    print(1000 * (ended - started))


if __name__ == "__main__":
    main()
