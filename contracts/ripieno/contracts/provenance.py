"""What made an artifact, and the licences and credits of the data and weights behind it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Terms under which data or weights may be used.

    Parameters
    ----------
    name : str
        SPDX identifier where there is one, e.g. ``CC-BY-4.0``.
    credit : str, optional
        Whom to name, in the words they ask for.
    commercial : bool
        Whether commercial use is allowed. ``commercial: true`` in a pipeline refuses what is not.
    source : str, optional
        Where it comes from.
    """

    name: str
    credit: str = ""
    commercial: bool = True
    source: str = ""


@dataclass(frozen=True)
class Provenance:
    """Where an artifact comes from.

    Parameters
    ----------
    made_by : str, optional
        Step, plugin and version, e.g. ``stems: separator/hpss 0.1.0 of ripieno-librosa``.
    licences : tuple of Licence
        Of everything that went into it: inputs, weights, assets. No duplicates.
    """

    made_by: str = ""
    licences: tuple[Licence, ...] = ()

    def joined(self, others: "tuple[Provenance, ...]") -> "Provenance":
        """The same maker, with the licences of `others` added."""
        licences = (*self.licences, *(licence for other in others for licence in other.licences))
        return Provenance(self.made_by, tuple(dict.fromkeys(licences)))
