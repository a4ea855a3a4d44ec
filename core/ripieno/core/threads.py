"""One thread for each library that would start more.

Workers are the parallelism: a library with threads of its own would fight the other workers, and sums in
another order give other bits.
"""

import os

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
ONE_THREAD = dict.fromkeys(VARIABLES, "1")


def pin() -> None:
    """Have libraries that are loaded from now on use one thread."""
    os.environ.update(ONE_THREAD)


def is_pinned() -> bool:
    """Whether this process was started so."""
    return all(os.environ.get(name) == "1" for name in VARIABLES)
