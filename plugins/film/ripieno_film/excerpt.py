"""A part of a film: the rows and the sound of some seconds, as if there were no more."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor

from ripieno.contracts import Audio, AudioWriter, InputError, Trajectory
from ripieno.contracts.formats import AudioFormat

BLOCK_FRAMES = 1 << 16


def excerpt(
    trajectory: Trajectory,
    audio: Audio,
    *,
    part_s: tuple[float, float],
    writer: Callable[[AudioFormat], AudioWriter],
) -> tuple[Trajectory, Audio]:
    """Trajectory and sound of a part.

    Parameters
    ----------
    trajectory : Trajectory
        Of the whole film.
    audio : Audio
        Of the whole film.
    part_s : tuple of float
        First second and the one after the last; what lies beyond the sound is left out.
    writer : callable
        Gives a writer for a format, ``context.audio_writer``.

    Returns
    -------
    tuple of Trajectory and Audio
        The part begins with the frame in which `part_s` begins.

    Raises
    ------
    InputError
        If nothing of the film lies in the part.
    """
    start_s, end_s = part_s
    first = floor(start_s * trajectory.fps + 1e-9)
    last = ceil(end_s * trajectory.fps - 1e-9)
    rows = trajectory.coefficients[first:last]
    start = round(first / trajectory.fps * audio.rate_hz)
    stop = min(round(last / trajectory.fps * audio.rate_hz), audio.frames)
    if not len(rows) or start >= stop:
        raise InputError(
            f"the part from {start_s:g} to {end_s:g} s lies outside the film, which lasts "
            f"{audio.duration_s:.1f} s: choose seconds within it"
        )
    with writer(audio.format) as part:
        for begin in range(start, stop, BLOCK_FRAMES):
            part.write(audio.read(begin, min(begin + BLOCK_FRAMES, stop)))
        return replace(trajectory, coefficients=rows), part.close()
