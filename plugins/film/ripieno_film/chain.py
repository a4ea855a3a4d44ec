"""What frames go through after they are painted: effects in a row, each a plugin.

Conventions
-----------
An effect gives for each frame what depends on that frame, its time, and the `lead_frames` before it (an
attribute of the plugin, 0 where it has none). It is given those before too, and what it makes of them is
dropped. So a segment that begins early enough is the same as the middle of a longer one. One that looks back
may have `follow(frames, start_s)`, which takes and gives an iterator of single frames: it keeps what it needs
of the past, which others are given with each block. Where an effect has settings `fps` and `duration_s`, they
are the film's. One whose `neutral` is true is left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import ConfigError, FrameEffect, PluginRef
from ripieno.toolkit.portable import from_json, to_json

from .faults import problem_in

MOST_BYTES = 50_000_000

Frame = NDArray[np.uint8]
Frames = NDArray[np.uint8]
Effect = FrameEffect[Any]


def chosen_effects(
    references: Sequence[PluginRef[Effect]], look: Mapping[str, Any], *, fps: float, duration_s: float
) -> tuple[dict[str, Any], ...]:
    """The effects of a film that change something, as `ripieno.toolkit.portable` has them.

    Settings are the look's, under the name by which the effect is used, and before them those that the
    pipeline gives. What the look sets of an effect that is not in the chain counts for nothing.

    Raises
    ------
    ConfigError
        If the look sets what an effect does not have.
    """
    wanted = look.get("effects", {})
    chosen = []
    for reference in references:
        effect = reference.plugin
        of_film = {"fps": fps, "duration_s": duration_s}
        known = {name: value for name, value in of_film.items() if name in type(effect.config).model_fields}
        # What is given counts even where it is the default, so that grain can be taken off a look.
        given = {**effect.config.model_dump(exclude_defaults=True, by_alias=True), **reference.settings}
        config = _config(effect, {**known, **wanted.get(reference.uses, {}), **given}, uses=reference.uses)
        document = to_json(effect, config=config)
        if not getattr(from_json(document), "neutral", False):
            chosen.append(document)
    return tuple(chosen)


def left_out(references: Sequence[PluginRef[Effect]], look: Mapping[str, Any]) -> list[str]:
    """Effects that the look sets and the chain does not have."""
    return sorted(set(look.get("effects", {})) - {reference.uses for reference in references})


def _config(effect: Effect, settings: Mapping[str, Any], *, uses: str) -> Any:
    from pydantic import ValidationError

    try:
        return effect.config_class().model_validate(settings)
    except ValidationError as error:
        problem = problem_in(effect.config_class(), error)
        raise ConfigError(f"{uses}: {problem} (in the trajectory's look)") from error


class Chain:
    """Effects in a row over the frames of one segment.

    Parameters
    ----------
    documents : sequence of mapping
        As `chosen_effects` gives them.
    fps : float
        Frames a second.
    """

    def __init__(self, documents: Sequence[Mapping[str, Any]], *, fps: float) -> None:
        self._effects: list[Effect] = [from_json(document) for document in documents]
        self._fps = fps

    @property
    def lead(self) -> int:
        """Frames before the first one that must go through it."""
        return sum(map(lead_frames, self._effects))

    def run(self, painted: Iterable[Frame], *, start: int, first: int) -> Iterator[Frame]:
        """The frames from number `first` on, one by one.

        Parameters
        ----------
        painted : iterable of uint8 array [height, width, 3]
            Consecutive frames.
        start : int
            Number of the first painted one; `first` - `lead`, or 0 where that is less.
        first : int
            Of those that are wanted.
        """
        frames = iter(painted)
        for effect in self._effects:
            frames = _through(effect, frames, start=start, fps=self._fps)
        return islice(frames, first - start, None)


def lead_frames(effect: Effect) -> int:
    """How many frames an effect looks back."""
    return int(getattr(effect, "lead_frames", 0))


def _through(effect: Effect, frames: Iterable[Frame], *, start: int, fps: float) -> Iterator[Frame]:
    """What an effect makes of consecutive frames, the first of them number `start`."""
    if not lead_frames(effect):
        return _one_by_one(effect, frames, start=start, fps=fps)
    if follow := getattr(effect, "follow", None):
        made: Iterator[Frame] = follow(frames, start / fps)
        return made
    return _looking_back(effect, frames, start=start, fps=fps)


def _one_by_one(effect: Effect, frames: Iterable[Frame], *, start: int, fps: float) -> Iterator[Frame]:
    """One frame stays in the processor's cache from effect to effect, and nothing is copied."""
    for number, frame in enumerate(frames, start):
        yield effect.apply(frame[None], number / fps)[0]


def _looking_back(effect: Effect, frames: Iterable[Frame], *, start: int, fps: float) -> Iterator[Frame]:
    """Block by block, each behind the frames before it that the effect looks back to."""
    lead = lead_frames(effect)
    known: Frames | None = None
    held = count = 0
    for frame in frames:
        if known is None:
            block = max(1, min(lead, MOST_BYTES // frame.nbytes))
            known = np.empty((lead + block, *frame.shape), np.uint8)
        known[count] = frame
        count += 1
        if count == len(known):
            yield from effect.apply(known, start / fps)[held:]
            start += count - lead
            known[:lead] = known[count - lead :]
            held = count = lead
    if known is not None and count > held:
        yield from effect.apply(known[:count], start / fps)[held:]
