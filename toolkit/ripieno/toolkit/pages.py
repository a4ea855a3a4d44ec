"""Memory for pictures that is used again.

A frame of film is made, changed a few times and written, and each time its megabytes are taken from the
system and given back, which costs more than some of the changes.
"""

import math
import sys
import threading

import numpy as np
from numpy.typing import NDArray

_MOST_KEPT, _LARGEST_KEPT = 4, 1 << 25


class _Kept(threading.local):
    """Of each thread its own, so that nobody takes what another is about to take."""

    def __init__(self) -> None:
        self.pages: list[NDArray[np.uint8]] = []


_kept = _Kept()


def new_pages(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array of bytes of unknown content, in memory that nobody holds any longer where there is such.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    """
    size = math.prod(shape)
    for page in _kept.pages:
        # The list, this loop and the call hold it: one more would be an array that somebody still reads.
        if page.size == size and sys.getrefcount(page) == 3:
            return page.reshape(shape)
    page = np.empty(size, np.uint8)
    if size <= _LARGEST_KEPT:
        _kept.pages = [*_kept.pages[-_MOST_KEPT + 1 :], page]
    return page.reshape(shape)
