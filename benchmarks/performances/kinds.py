"""What is played: the instruments of each data source."""

import os
from dataclasses import dataclass
from pathlib import Path

DATA = Path(os.environ.get("RIPIENO_DATA") or Path(__file__).parents[3] / "shared" / "data").resolve()


@dataclass(frozen=True)
class Kind:
    """An instrument of a data source.

    Parameters
    ----------
    source, instrument : str
        ``faust``, ``violin``.
    ring_s : float
        How long after its end a note is still heard under the next ones.
    """

    source: str
    instrument: str
    ring_s: float = 0.5

    @property
    def uses(self) -> str:
        """``faust/violin``."""
        return f"{self.source}/{self.instrument}"

    @property
    def name(self) -> str:
        """As it stands in notes: ``electric guitar``."""
        return self.instrument.replace("_", " ")


FAUST = tuple(
    Kind("faust", instrument)
    for instrument in ("violin", "electric_guitar", "acoustic_guitar", "steel_guitar")
)
BOWED = Kind("sfizz", "violin")
PLUCKED = (Kind("sfizz", "electric_guitar"), Kind("sfizz", "acoustic_guitar", ring_s=1.0))
PIANO = Kind("sfizz", "piano", ring_s=1.2)
SAMPLED = (BOWED, *PLUCKED, PIANO)


def have_samples() -> bool:
    """Whether the sampled libraries are here."""
    return (DATA / "sfz").is_dir()
