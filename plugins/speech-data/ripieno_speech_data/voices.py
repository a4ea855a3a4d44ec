"""Who can speak: voices of three synthesizers, their speakers and their terms.

Conventions
-----------
A voice is ``SYNTHESIZER/VOICE``; of espeak-ng ``espeak-ng/LANGUAGE+VARIANT``. A speaker is the person behind
one or more voices (kal lent his to three); of espeak-ng it is the variant, whose formants are its own in any
language. Splits go by speaker, so that none of validation is heard in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from ripieno.contracts import Binary, Licence

FLITE = Binary("flite", cure="apt install flite, or brew install flite")
FESTIVAL = Binary(
    "festival", cure="apt install festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"
)
ESPEAK = Binary("espeak-ng", cure="apt install espeak-ng, or brew install espeak-ng")
SYNTHESIZERS = (FLITE, FESTIVAL, ESPEAK)

_CMU = "Carnegie Mellon University"
_CSTR = "Centre for Speech Technology Research, University of Edinburgh"
_FLITE = Licence("MIT-Festival", credit=f"Flite, {_CMU}", source="https://github.com/festvox/flite")
_FESTIVAL = "http://festvox.org"

_LANGUAGES = """
en-us en-gb en-gb-scotland en-gb-x-rp en-029 de nl sv da nb is fr-fr it es es-419 pt pt-br ca ro pl cs sk hr
sl hu fi et lt lv tr id sw cy ga eo la sq
"""
LANGUAGES = tuple(_LANGUAGES.split())
"""Languages of the Latin alphabet, in which the text is read."""

_VARIANTS = """
m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 croak whisper whisperf klatt klatt2 klatt3 klatt4 adam Alex Alicia
Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis Diogo ed edward Gene grandma
grandpa gustave Henrique Hugo iven Jacky john kaukovalta Lee linda marcelo Marco max Michael michel miguel
Mike norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 Storm travis Tweaky victor zac
anika
"""
VARIANTS = tuple(_VARIANTS.split())
"""Throats of espeak-ng, each with formants of its own."""


@dataclass(frozen=True)
class Voice:
    """A voice.

    Parameters
    ----------
    synthesizer : str
        ``flite``, ``festival`` or ``espeak-ng``.
    own_name : str
        As the synthesizer calls it.
    speaker : str
        Whose voice it is.
    licence : Licence
        Of the recordings or rules that sound.
    f0_hz : float
        Mean pitch that the synthesizer may be told to change; 0 where it may not.
    share : float
        How often it speaks, against the others of its synthesizer.
    """

    synthesizer: str
    own_name: str
    speaker: str
    licence: Licence
    f0_hz: float = 0.0
    share: float = 1.0

    @property
    def name(self) -> str:
        """``SYNTHESIZER/VOICE``."""
        return f"{self.synthesizer}/{self.own_name}"


def _festival(credit: str) -> Licence:
    return Licence("MIT-Festival", credit=credit, source=_FESTIVAL)


_ESPEAK = Licence(
    "LicenseRef-espeak-ng-output",
    credit="eSpeak NG; the program is under GPL-3.0-or-later, which does not cover the sound that it gives",
    source="https://github.com/espeak-ng/espeak-ng",
)

_RECORDED = (
    Voice("flite", "kal", "kal", _FLITE, 95.0, 0.3),
    Voice("flite", "kal16", "kal", _FLITE, 95.0, 0.7),
    Voice("flite", "awb", "awb", _FLITE),
    Voice("flite", "rms", "rms", _FLITE),
    Voice("flite", "slt", "slt", _FLITE),
    Voice("festival", "kal_diphone", "kal", _festival("Alan W Black and Kevin Lenzo"), 105.0),
    Voice("festival", "ked_diphone", "ked", _festival(_CSTR), 105.0),
    Voice("festival", "cmu_us_slt_arctic_hts", "slt", _festival(_CMU)),
)


@lru_cache(maxsize=1)
def all_voices() -> tuple[Voice, ...]:
    """Every voice: eight of recorded speakers, and each language of espeak-ng with each variant."""
    formants = (
        Voice(
            "espeak-ng", f"{language}+{variant}", variant, _ESPEAK, share=4.0 if language[:2] == "en" else 1.0
        )
        for language in LANGUAGES
        for variant in VARIANTS
    )
    return (*_RECORDED, *formants)


def matching(patterns: Sequence[str]) -> tuple[Voice, ...]:
    """Voices whose name one of these patterns matches, such as ``flite/*`` or ``espeak-ng/en*``."""
    return tuple(
        voice for voice in all_voices() if any(fnmatchcase(voice.name, pattern) for pattern in patterns)
    )


def programs_of(patterns: Sequence[str]) -> tuple[Binary, ...]:
    """The synthesizers that these voices need."""
    names = {voice.synthesizer for voice in matching(patterns)}
    return tuple(program for program in SYNTHESIZERS if program.name in names)
