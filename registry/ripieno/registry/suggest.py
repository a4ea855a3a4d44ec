"""What somebody may have meant."""

from collections.abc import Iterable


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A hint to put behind a message.

    Parameters
    ----------
    word : str
        What was written.
    words : iterable of str
        What could have been.

    Returns
    -------
    str
        ``. Did you mean "beats"?``, or nothing where no word is close.
    """
    return question(closest(word, words))


def question(meant: str) -> str:
    """The hint for one word; nothing for none."""
    return f'. Did you mean "{meant}"?' if meant else ""


def closest(word: str, words: Iterable[str]) -> str:
    """The most similar word; empty where none is similar."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(words), n=1)), "")


def closest_uses(uses: str, known: Iterable[str]) -> str:
    """The most similar ``prefix/name``, empty where none is similar.

    A name is compared with those of its own prefix first: as a whole, any two of one prefix are similar. Of
    several words one is enough: ``viterbi`` for ``bar_pointer_viterbi``.
    """
    known = list(known)
    prefix, _, name = uses.rpartition("/")
    siblings = [other.removeprefix(f"{prefix}/") for other in known if other.startswith(f"{prefix}/")]
    words = {word: sibling for sibling in siblings for word in sibling.split("_")}
    sibling = closest(name, siblings) or words.get(closest(name, words), "")
    if sibling:
        return f"{prefix}/{sibling}"
    namesakes = [other for other in known if other.endswith(f"/{name}")]
    if namesakes:
        return closest(uses, namesakes) or namesakes[0]
    return "" if siblings else closest(uses, known)
