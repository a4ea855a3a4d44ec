"""A worker process: reads jobs as lines of JSON, does them one after the other, says what happens.

Conventions
-----------
In: ``{"job": text}`` and, while a job waits for its `Context.map`, ``{"mapped": …}``. Out:
``{"progress": …}``, ``{"warn": …}``, ``{"map": [text, …]}``, ``{"done": …}`` and ``{"failed": …}``. Standard
output carries the protocol alone: what plugins print goes to standard error. When the input ends, the
worker ends too, whatever it is doing: nobody is there to take its result.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from ripieno.contracts.errors import RipienoError, StepError
from ripieno.registry import Registry

from .jobs import Asks, Bench, Job, failure
from .store import Store


def main() -> None:
    """Serve jobs until standard input ends; arguments: store folder, allowed distributions."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    folder, *allow = sys.argv[1:]
    _Worker(Bench(Store(Path(folder)), Registry(allow=allow)), out).serve()


class _Worker:
    def __init__(self, bench: Bench, out: TextIO) -> None:
        self.bench = bench
        self.out = out
        self.inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        for line in sys.stdin:
            self.inbox.put(json.loads(line))
        os._exit(0)

    def say(self, what: str, value: Any) -> None:
        self.out.write(json.dumps({what: value}) + "\n")

    def serve(self) -> None:
        asks = Asks(
            progress=lambda done, total, unit: self.say("progress", [done, total, unit]),
            warn=lambda message: self.say("warn", message),
            map=self.map,
        )
        while True:
            job = Job.parse(self.inbox.get()["job"])
            try:
                self.say("done", self.bench.do(job, asks))
            except Exception as error:
                self.say("failed", failure(error))

    def map(self, jobs: Sequence[Job]) -> list[Any]:
        self.say("map", [job.text() for job in jobs])
        answer = self.inbox.get()["mapped"]
        if "error" in answer:
            raise StepError(answer["error"]) if "traceback" not in answer else MapError(answer["traceback"])
        return list(answer["results"])


class MapError(RuntimeError):
    """What a job of a `Context.map` raised, with its traceback as text."""


if __name__ == "__main__":
    try:
        main()
    except RipienoError as error:
        sys.exit(str(error))
