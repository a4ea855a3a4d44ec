import numpy as np

from ripieno.toolkit.pages import new_pages


def test_memory_that_is_held_is_not_given_again():
    first = new_pages((3, 4, 5))
    part = first[1:, 2]
    address = first.ctypes.data
    del first
    part[:] = 7
    others = [new_pages((3, 4, 5)) for _ in range(20)]
    assert all(not np.shares_memory(part, other) for other in others)
    assert len({other.ctypes.data for other in others} | {address}) == 21


def test_memory_that_nobody_holds_is_used_again():
    first = new_pages((101, 103))
    address = first.ctypes.data
    del first
    again = new_pages((103, 101))
    assert again.ctypes.data == address
    assert again.shape == (103, 101)


def test_a_view_of_a_buffer_holds_it():
    first = new_pages((64, 64))
    view = memoryview(first)
    address = first.ctypes.data
    del first
    assert new_pages((64, 64)).ctypes.data != address
    view.release()


def test_nothing_is_asked_of_nothing():
    assert new_pages((0, 5, 5, 3)).shape == (0, 5, 5, 3)
