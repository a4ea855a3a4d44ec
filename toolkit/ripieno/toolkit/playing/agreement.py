"""How far labels are from the sound."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import Note

Floats = NDArray[np.float64]


def pitch_errors_cents(samples: NDArray[np.floating], notes: Sequence[Note], *, rate_hz: int) -> Floats:
    """Sound less label, in cents, wherever in the bodies of notes the pitch of one can be measured."""
    raise NotImplementedError


def onset_errors_s(samples: NDArray[np.floating], notes: Sequence[Note], *, rate_hz: int) -> Floats:
    """Sound less label, in seconds, for notes that begin after silence."""
    raise NotImplementedError
