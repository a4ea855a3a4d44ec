"""What is said: sentences of common words, of invented ones and of numbers, or lines of a file.

Invented words have the syllables of English, so that sounds follow each other in more ways than a list of
words would have them do; the marks between them bring pauses and the melodies of statements and questions.
"""

from collections.abc import Sequence

import numpy as np

_COMMON = """
the a of and to in that it is was for on with as by at from they we you she he this have not are but had his
her one all there when which their said if will each about how up out them then many some so these would
other into has more two like him see time could no make than first been its who now people my made over did
down only way find use may water long little very after words called just where most know get through back
much before go good new write our used me man too any day same right look think also around another came
come work three word must because does part even place well such here take why things help put years
different away again off went old number great tell men say small every found still between name should home
big give air line set own under read last never us left end along while might next sound below saw something
thought both few those always show large often together asked house world going want school important until
form food keep children feet land side without boy once animal life enough took sometimes four head above
kind began almost live page got earth need far hand high year mother light parts country father let night
following picture being study second eyes soon times story since white days ever paper hard near sentence
better best across during today others however sure means knew try told young miles sun ways thing whole
hear example heard several change answer room sea against top turned learn point city play toward five using
himself usually money seen car morning given trees fish fire quick jump beige vision measure church judge
yellow thirst breathe zoo oyster loud width shrug splash texture exhaust
"""
WORDS = tuple(_COMMON.split())

_ONSETS = "b c d f g h j k l m n p r s t v w z bl br ch cl cr dr fl fr gl gr pl pr qu sh sl sm sn sp st str sw th tr"
_VOWELS = "a e i o u ai ea ee oa oo ou ay ow er or ar oi"
_CODAS = "b ck d f g l m n p r s t v x nd nt st sk lp rm ng sh ch th"
_ENDS = ". . . . ? ! ..."
_MARKS = ", , , ; : -"


def sentence(rng: np.random.Generator) -> str:
    """One sentence of 1 to 16 words, with the marks that give it a melody."""
    words = [_word(rng) for _ in range(int(rng.integers(1, 17)))]
    for index in range(len(words) - 1):
        if rng.random() < 0.1:
            words[index] += _drawn(_MARKS, rng)
    said = " ".join(words)
    return said[0].upper() + said[1:] + _drawn(_ENDS, rng)


def sentences(rng: np.random.Generator, *, words: int, lines: Sequence[str] = ()) -> tuple[str, ...]:
    """Sentences of at least so many words together: from `lines` where there are any, else invented."""
    said: list[str] = []
    count = 0
    while count < words:
        said.append(lines[int(rng.integers(len(lines)))] if lines else sentence(rng))
        count += max(1, len(said[-1].split()))
    return tuple(said)


def _word(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.55:
        return WORDS[rng.integers(len(WORDS))]
    if kind < 0.93:
        return "".join(_syllable(rng) for _ in range(int(rng.choice([1, 2, 3], p=[0.35, 0.45, 0.2]))))
    return str(rng.integers(0, 10 ** int(rng.integers(1, 5))))


def _syllable(rng: np.random.Generator) -> str:
    onset = _drawn(_ONSETS, rng) if rng.random() < 0.85 else ""
    coda = _drawn(_CODAS, rng) if rng.random() < 0.5 else ""
    return f"{onset}{_drawn(_VOWELS, rng)}{coda}"


def _drawn(choices: str, rng: np.random.Generator) -> str:
    parts = choices.split()
    return parts[rng.integers(len(parts))]
