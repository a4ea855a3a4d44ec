"""Whether an instrument can play what a stream says."""

from collections.abc import Iterator, Sequence

import numpy as np

from .instrument import InstrumentProfile
from .performance import DYNAMICS, PITCH, Note

# A singing intonation and a bend leave the range a little; a wrong instrument leaves it by far.
RANGE_MARGIN_MIDI = 0.5


def unsuitable(notes: Sequence[Note | None], profile: InstrumentProfile) -> Iterator[tuple[int, str, str]]:
    """What the instrument cannot play.

    Parameters
    ----------
    notes : sequence of Note or None
        Of one stream; None is passed over.
    profile : InstrumentProfile
        Of its instrument.

    Yields
    ------
    (int, str, str)
        Index of the note, field in it (empty: the note itself), what is wrong.
    """
    for index, note in enumerate(notes):
        if note is not None:
            yield from ((index, *fault) for fault in _faults(note, profile))
    yield from _too_many(notes, profile.polyphony)


def _faults(note: Note, profile: InstrumentProfile) -> Iterator[tuple[str, str]]:
    if note.articulation not in profile.articulations:
        yield "articulation", f"{note.articulation!r}; it has {', '.join(profile.articulations)}"
    if note.mode and note.mode not in profile.modes:
        yield "mode", f"{note.mode!r}; it has {', '.join(profile.modes)}"
    for name, envelope in note.envelopes.items():
        where = f"envelopes.{name}"
        if name == DYNAMICS:
            continue
        if name == PITCH:
            middle = float(np.median(envelope.values))
            lowest, highest = profile.lowest_midi, profile.highest_midi
            if not lowest - RANGE_MARGIN_MIDI <= middle <= highest + RANGE_MARGIN_MIDI:
                yield where, f"about {middle:.2f}; its range is {lowest:g} to {highest:g}"
        elif name not in profile.channels:
            yield where, f"a channel that the profile does not have; it has {', '.join(profile.channels)}"
        elif name not in note.masked:
            channel = profile.channels[name]
            least, most = float(envelope.values.min()), float(envelope.values.max())
            if least < channel.minimum or most > channel.maximum:
                allowed = f"{channel.minimum:g} to {channel.maximum:g} {channel.unit}"
                yield where, f"runs from {least:g} to {most:g}; the channel from {allowed}"


def _too_many(notes: Sequence[Note | None], polyphony: int) -> Iterator[tuple[int, str, str]]:
    """Notes that begin while as many sound as the instrument has voices."""
    sounding: list[float] = []
    for index, note in enumerate(notes):
        if note is None:
            continue
        sounding = [offset_s for offset_s in sounding if offset_s > note.onset_s]
        if len(sounding) >= polyphony:
            yield (
                index,
                "",
                f"begins while {len(sounding)} sound; the instrument has {polyphony} voices at once",
            )
        sounding.append(note.offset_s)
