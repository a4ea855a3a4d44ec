"""Torch, which plugins that use it install themselves."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Have torch compute with so many threads within the block; by itself it takes every core.

    Parameters
    ----------
    count : int
        > 0.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
