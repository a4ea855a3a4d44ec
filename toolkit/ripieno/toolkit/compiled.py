"""Loops over pixels, written in Python and compiled by Numba when first called.

Conventions
-----------
A loop takes arrays and numbers and writes into arrays that it is given. It runs on one core, without the
interpreter's lock. What is compiled is kept for the next process: beside the module where that folder can
be written, else in Numba's folder of the user.

Numba computes in float64 where a constant is a plain Python number, and in int64 where integers meet; the
compiler uses wide registers only where it sees that no array reads what another writes. So constants are
``np.float32``, and a loop either computes or looks up, one short row after the other.
"""

import os
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from tempfile import gettempdir
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A loop that is compiled when first called; a decorator, ``@Compiled``.

    Parameters
    ----------
    function : callable
        At the top of a module; of what it calls, other loops of the module are compiled with it.

    Notes
    -----
    Two processes that fill Numba's cache at once can leave a function there that crashes every process
    after them (https://github.com/numba/numba/issues/10128), so the first call waits for other first calls.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = function
        self._called = False
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._called:
            return self._compiled(*args, **kwargs)
        with _first_calls():
            result = self._compiled(*args, **kwargs)
        self._called = True
        return result

    @cached_property
    def _compiled(self) -> Callable[P, R]:
        import numba

        code, known = self._function.__code__, self._function.__globals__
        called = {name: known[name] for name in code.co_names if isinstance(known.get(name), Compiled)}
        inner = {name: loop._compiled for name, loop in called.items()}
        function = update_wrapper(FunctionType(code, known | inner), self._function)
        del function.__wrapped__  # or Numba would compile what is wrapped
        compiled: Callable[P, R] = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
        return compiled


@cache
def _first_calls() -> Any:
    from filelock import FileLock

    # Windows gives each user a folder of their own; elsewhere users share one.
    user = os.getuid() if hasattr(os, "getuid") else ""
    return FileLock(Path(gettempdir()) / f"ripieno-compiled-{user}.lock")
