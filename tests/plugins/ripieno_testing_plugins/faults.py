"""One plugin for each way to fail."""

import os
import sys
import time
from typing import Literal

from pydantic import Field

from ripieno.contracts import Context, InputError, Joiner, PluginConfig, Scores, Text

Fault = Literal[
    "raises", "refuses", "exits", "leaves", "segfaults", "hangs", "wrong", "partial", "prints", "none"
]


class FaultConfig(PluginConfig):
    fault: Fault = Field("none", description="What to do.")
    word: str = Field("", description="Only where the text has this word.")


class Faulty(Joiner[FaultConfig]):
    """Fails as it is told."""

    def join(self, text: Text) -> Text:
        if self.config.word in text.text:
            commit(self.config.fault, self.context)
        if self.config.fault == "wrong" and self.config.word in text.text:
            return Scores({"words": 1.0})  # type: ignore[return-value]
        return Text(text.text.strip() + " survived")


class SpreadFaulty(Joiner[FaultConfig]):
    """Fails in one job of many."""

    parallel = True

    def join(self, text: Text) -> Text:
        jobs = [self.config.fault if index == 3 else "none" for index in range(6)]
        return Text(str(self.context.map(commit, jobs)))


def commit(fault: str, context: Context) -> int:
    """Fail in one way."""
    if fault == "raises":
        raise ZeroDivisionError("a bug in a plugin")
    if fault == "refuses":
        raise InputError("this text is not for me")
    if fault == "exits":
        os._exit(7)
    if fault == "leaves":
        sys.exit("I have had enough")
    if fault == "segfaults":
        import ctypes

        ctypes.string_at(0)
    if fault == "hangs":
        context.progress(0, 1)
        time.sleep(3600)
    if fault == "partial":
        (context.scratch / "half.txt").write_text("half", encoding="utf-8")
        raise OSError("the second half is missing")
    if fault == "prints":
        print("a plugin that talks")
        os.write(1, b"a library that talks\n")
    return 1
