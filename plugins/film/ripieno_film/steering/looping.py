"""A film whose end meets its begin."""

import numpy as np
from numpy.typing import NDArray

LONGEST_S = 8.0
_TURNS = ("drift_x", "drift_y", "hue")
_OF_THE_SOUND = ("pulse", "flash")


def close_loop(
    rows: NDArray[np.float32], names: tuple[str, ...], *, start: int, stop: int, fps: float
) -> None:
    """Lead the rows before frame `stop` to those of frame `start`, and those after it away again, in place.

    What goes round comes to a whole number of turns more, the nearest. Pulses and flashes stay: the
    sound has them.

    Parameters
    ----------
    rows : ndarray [frames, columns]
        Of a film.
    names : tuple of str
        Of the columns.
    start, stop : int
        Frames of the loop, `start` < `stop`.
    fps : float
        Frames a second.
    """
    reach = max(1, min(round(LONGEST_S * fps), (stop - start) // 4))
    first, last = max(start, stop - reach), min(len(rows), stop + reach)
    if last <= first:
        return
    way = 1 - np.abs(np.arange(first, last) - stop) / reach
    share = (way * way * (3 - 2 * way))[:, None].astype(np.float32)
    meets = rows[start].copy()
    middle = rows[min(stop, len(rows) - 1)]
    for name in _TURNS:
        column = names.index(name)
        meets[column] += np.round(middle[column] - meets[column])
    kept = [index for index, name in enumerate(names) if name not in _OF_THE_SOUND]
    part = rows[first:last, kept]
    rows[first:last, kept] = part + share * (meets[kept] - part)
