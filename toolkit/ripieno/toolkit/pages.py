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


def _holders(pages: list[NDArray[np.uint8]]) -> list[int]:
    """How many hold each page; this loop counts too, by one or two with the version of Python."""
    return [sys.getrefcount(page) for page in pages]


_kept = _Kept()
_ALONE = _holders([np.empty(0, np.uint8)])[0]


def new_pages(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array of bytes of unknown content, in memory that nobody holds any longer where there is such.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    """
    size = math.prod(shape)
    for page, holders in zip(_kept.pages, _holders(_kept.pages), strict=True):
        # Whoever holds it beside the list still reads it.
        if page.size == size and holders == _ALONE:
            return page.reshape(shape)
    page = np.empty(size, np.uint8)
    if size <= _LARGEST_KEPT:
        _kept.pages = [*_kept.pages[-_MOST_KEPT + 1 :], page]
    return page.reshape(shape)
