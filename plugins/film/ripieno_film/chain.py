"""What frames go through after they are painted: effects in a row, each a plugin.

Conventions
-----------
An effect gives for each frame what depends on that frame, its time, and the `lead_frames` before it (an
attribute of the plugin, 0 where it has none). It is given those before too, and what it makes of them is
dropped. So a segment that begins early enough is the same as the middle of a longer one. Where an effect has
settings `fps` and `duration_s`, they are the film's. One whose `neutral` is true is left out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import ConfigError, FrameEffect, PluginRef
from ripieno.toolkit.portable import from_json, to_json

Frames = NDArray[np.uint8]
Effect = FrameEffect[Any]


def chosen_effects(
    references: Sequence[PluginRef[Effect]], look: Mapping[str, Any], *, fps: float, duration_s: float
) -> tuple[dict[str, Any], ...]:
    """The effects of a film that change something, as `ripieno.toolkit.portable` has them.

    Settings are the look's, under the name by which the effect is used, and before them those that the
    pipeline gives.

    Raises
    ------
    ConfigError
        If the look sets an effect that is not in the chain, or sets what it does not have.
    """
    wanted = dict(look.get("effects", {}))
    chosen = []
    for reference in references:
        effect = reference.plugin
        of_film = {"fps": fps, "duration_s": duration_s}
        known = {name: value for name, value in of_film.items() if name in type(effect.config).model_fields}
        # What is given counts even where it is the default, so that grain can be taken off a look.
        given = {**effect.config.model_dump(exclude_defaults=True, by_alias=True), **reference.settings}
        config = _config(effect, {**known, **wanted.pop(reference.uses, {}), **given}, uses=reference.uses)
        document = to_json(effect, config=config)
        if not getattr(from_json(document), "neutral", False):
            chosen.append(document)
    if wanted:
        raise ConfigError(
            f"the trajectory's look sets {', '.join(sorted(wanted))}, which the film does not have: "
            "add it to the renderer's effects"
        )
    return tuple(chosen)


def _config(effect: Effect, settings: Mapping[str, Any], *, uses: str) -> Any:
    from pydantic import ValidationError

    try:
        return effect.config_class().model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{uses}: {place}: {first['msg']} (in the trajectory's look)") from error


@dataclass
class _Stage:
    """One effect, and the frames before those that it is given next."""

    effect: Effect
    lead: int
    fps: float
    held: Frames | None = None
    held_start: int = 0

    def push(self, frames: Frames, start: int) -> Frames:
        """What it makes of frames, the first of them number `start`."""
        if not self.lead:
            return self.effect.apply(frames, start / self.fps)
        known = frames if self.held is None else np.concatenate([self.held, frames])
        first = start - (len(known) - len(frames))
        made = self.effect.apply(known, first / self.fps)[len(known) - len(frames) :]
        self.held = known[-self.lead :].copy()
        return made


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
        effects = [from_json(document) for document in documents]
        self._stages = [_Stage(effect, lead_frames(effect, fps=fps), fps) for effect in effects]
        self._block = max([1, *(stage.lead for stage in self._stages)])

    @property
    def lead(self) -> int:
        """Frames before the first one that must go through it."""
        return sum(stage.lead for stage in self._stages)

    def run(self, painted: Iterable[Frames], *, start: int, first: int) -> Iterator[Frames]:
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
        number = start
        for block in _blocks(painted, self._block):
            made = block
            for stage in self._stages:
                made = stage.push(made, number)
            yield from made[max(0, first - number) :]
            number += len(block)


def lead_frames(effect: Effect, *, fps: float) -> int:
    """How many frames an effect looks back."""
    lead: Any = getattr(effect, "lead_frames", 0)
    return int(lead(fps) if callable(lead) else lead)


def _blocks(frames: Iterable[Frames], length: int) -> Iterator[Frames]:
    """Arrays [n, height, width, 3] of so many frames, the last one of fewer."""
    if length == 1:
        # One frame stays in the processor's cache from effect to effect, and nothing is copied.
        yield from (frame[None] for frame in frames)
        return
    waiting: list[Frames] = []
    for frame in frames:
        waiting.append(frame)
        if len(waiting) == length:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)
