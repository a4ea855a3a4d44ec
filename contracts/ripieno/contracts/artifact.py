"""What an artifact is: a frozen, validated value of a named kind that can be put on disk and back.

Conventions
-----------
A field of an artifact holds JSON values, numpy arrays, files (`pathlib.Path`), other artifacts, or
mappings and tuples of these. That is all that storing, hashing and loading need to know
(`ripieno.contracts.packing`), so a new kind is a frozen dataclass and nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .provenance import Provenance

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Artifact:
    """A typed value that flows along an edge of a pipeline.

    Subclass it as a frozen dataclass with a `kind`, validate in ``__post_init__``, and register it
    under the entry-point group ``ripieno.artifacts``.

    Parameters
    ----------
    provenance : Provenance
        What made it and under which licences; set by the run, never part of the digest.
    """

    kind: ClassVar[str] = ""
    provenance: Provenance = field(default=Provenance(), kw_only=True, repr=False)

    def parts(self) -> dict[str, Any]:
        """The values that make it up, by name; `from_parts` is the inverse."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "provenance"}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> Self:
        """The artifact of these parts."""
        return cls(**parts)

    def header(self) -> dict[str, Any]:
        """Small JSON facts about it, known without reading its content."""
        return {"kind": self.kind}

    def with_provenance(self, provenance: Provenance) -> Self:
        """A copy that says where it comes from."""
        return replace(self, provenance=provenance)


def read_only(array: NDArray[S]) -> NDArray[S]:
    """A view that cannot be written to; the array itself stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def settle(frozen: Any, **values: Any) -> None:
    """Set fields of a frozen artifact, or of a part of one, while it is being made."""
    for name, value in values.items():
        object.__setattr__(frozen, name, value)


def require(condition: Any, message: str) -> None:
    """Refuse an artifact's value.

    Raises
    ------
    InputError
        With `message`, where `condition` does not hold.
    """
    if not condition:
        raise InputError(message)
