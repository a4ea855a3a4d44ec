"""Loops over pixels, written in Python and compiled by Numba when first called.

Conventions
-----------
A loop takes arrays and numbers and writes into arrays that it is given. It runs on one core without the
interpreter's lock. What is compiled is kept for the next process: beside the module where that folder can
be written, else in Numba's folder of the user.
"""

import os
from collections.abc import Callable
from functools import cache, update_wrapper
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A loop that is compiled when first called; as a decorator, ``@Compiled``.

    Parameters
    ----------
    function : callable
        At the top of a module; what it calls is another plain function given to `inlined`.

    Notes
    -----
    Two processes that fill Numba's cache at once can leave a function there that crashes every process
    after them (https://github.com/numba/numba/issues/10128), so the first call waits for other first calls.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        self._ready: Callable[P, R] | None = None
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._ready is not None:
            return self._ready(*args, **kwargs)
        import numba

        with _first_calls():
            compiled = numba.njit(nogil=True, cache=True, error_model="numpy")(self._function)
            result: R = compiled(*args, **kwargs)
        self._ready = compiled
        return result


@cache
def _first_calls() -> Any:
    from filelock import FileLock

    # Windows gives each user a folder of their own; elsewhere users share one.
    user = os.getuid() if hasattr(os, "getuid") else ""
    return FileLock(Path(gettempdir()) / f"ripieno-compiled-{user}.lock")
