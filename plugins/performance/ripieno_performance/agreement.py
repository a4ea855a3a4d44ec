"""What a metric of performances counts, as functions of notes.

Conventions
-----------
Notes match as mir_eval says; times in seconds, pitch in MIDI numbers, distances of pitch in cents. A pair is
an index of a true note and one of a found note.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Note, Performance, lower
from ripieno.contracts.performance import PITCH

OFFSET_MIN_TOLERANCE_S = 0.05
ACCURACY_CENTS = (50, 25, 10)
# mir_eval rounds times to a tenth of a millisecond before it compares them.
ROUNDING_S = 1e-4
# Of a note without pitch: no pitch is near it.
NO_PITCH_HZ = 1e-9

Floats = NDArray[np.float64]
Pairs = list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class NoteSet:
    """Notes as mir_eval takes them.

    Parameters
    ----------
    notes : tuple of Note
        In the order of their onsets.
    intervals_s : ndarray [notes, 2]
    pitches_hz : ndarray [notes]
        Medians over the notes' length.
    """

    notes: tuple[Note, ...]
    intervals_s: Floats
    pitches_hz: Floats

    @classmethod
    def of(cls, notes: Iterable[Note]) -> "NoteSet":
        """These notes, ordered."""
        ordered = tuple(sorted(notes, key=lambda note: note.onset_s))
        intervals_s = np.array([(note.onset_s, note.offset_s) for note in ordered]).reshape(-1, 2)
        return cls(ordered, intervals_s, np.array([median_hz(note) for note in ordered]))


def median_hz(note: Note) -> float:
    """The frequency that a note is below for half its length."""
    if PITCH not in note.envelopes:
        return NO_PITCH_HZ
    pitch_midi = np.median(note.envelopes[PITCH].at(np.linspace(note.onset_s, note.offset_s, 101)))
    return float(440 * 2 ** ((pitch_midi - 69) / 12))


def matched(
    truth: NoteSet,
    found: NoteSet,
    *,
    onset_tolerance_s: float,
    pitch_tolerance_cents: float,
    offset_ratio: float | None,
) -> Pairs:
    """As many pairs as can be, each note in one at most, by onset and pitch, and by offset where it has a ratio.

    mir_eval compares all with all. Notes on two sides of a pause cannot match, so what lies between pauses
    is matched by itself, with the same result.
    """
    from mir_eval.transcription import match_notes

    pairs: Pairs = []
    for ours, theirs in _between_pauses(truth, found, onset_tolerance_s + 2 * ROUNDING_S):
        hits = match_notes(
            truth.intervals_s[ours],
            truth.pitches_hz[ours],
            found.intervals_s[theirs],
            found.pitches_hz[theirs],
            onset_tolerance=onset_tolerance_s,
            pitch_tolerance=pitch_tolerance_cents,
            offset_ratio=offset_ratio,
            offset_min_tolerance=OFFSET_MIN_TOLERANCE_S,
        )
        pairs += [(int(ours.start + one), int(theirs.start + other)) for one, other in hits]
    return pairs


def _between_pauses(truth: NoteSet, found: NoteSet, pause_s: float) -> Iterator[tuple[slice, slice]]:
    """Slices of both sides that have onsets, between gaps of more than `pause_s` without any."""
    ours_s, theirs_s = truth.intervals_s[:, 0], found.intervals_s[:, 0]
    onsets_s = np.sort(np.concatenate([ours_s, theirs_s]))
    begins_s = onsets_s[np.diff(onsets_s, prepend=-np.inf) > pause_s]
    ours = np.append(np.searchsorted(ours_s, begins_s), ours_s.size)
    theirs = np.append(np.searchsorted(theirs_s, begins_s), theirs_s.size)
    for index in range(begins_s.size):
        yield slice(*ours[index : index + 2]), slice(*theirs[index : index + 2])


def excused(masked_s: Sequence[float], others_s: Sequence[float], *, onset_tolerance_s: float) -> int:
    """How many notes without a match begin where a masked one does, each excusing one."""
    from mir_eval.util import match_events

    if not (masked_s and others_s):
        return 0
    return len(match_events(np.array(masked_s), np.array(others_s), onset_tolerance_s))


def raw_pitch_accuracy(reference: Performance, estimated: Performance, *, rate_hz: float) -> dict[str, float]:
    """``raw_pitch_accuracy_…``: share of the true pitches, frame by frame, that one found there is near.

    With one voice this is the usual figure; with several each pitch found is near one true pitch at most.
    Pitches that sound beside these cost nothing.
    """
    from mir_eval.multipitch import compute_num_true_positives

    frames = int(np.ceil(reference.duration_s * rate_hz))
    truth = pitches_by_frame(reference, rate_hz=rate_hz, frames=frames, known_only=True)
    found = pitches_by_frame(estimated, rate_hz=rate_hz, frames=frames, known_only=False)
    total = sum(map(len, truth))
    if not total:
        return {}
    return {
        f"raw_pitch_accuracy_{cents}cents": float(
            compute_num_true_positives(truth, found, window=cents / 100).sum() / total
        )
        for cents in ACCURACY_CENTS
    }


def pitches_by_frame(
    performance: Performance, *, rate_hz: float, frames: int, known_only: bool
) -> list[Floats]:
    """Pitches, as MIDI numbers, that sound in each frame; those that are masked only where asked for."""
    lowered = [
        lower(stream, rate_hz=rate_hz, channels=(PITCH,), frames=frames) for stream in performance.streams
    ]
    pitches = [np.where(one.known | (not known_only), one.values, np.nan)[:, :, 0] for one in lowered]
    lanes = np.concatenate([np.zeros((0, frames)), *pitches])
    return [frame[~np.isnan(frame)] for frame in lanes.T]


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float:
    """Mean F1 of the words, true and found, that occur at all; 0 where none do."""
    given = list(pairs)
    words = {word for pair in given for word in pair}
    scores = []
    for word in words:
        both = sum(pair == (word, word) for pair in given)
        scores.append(2 * both / sum((one == word) + (other == word) for one, other in given))
    return float(np.mean(sorted(scores))) if scores else 0.0


def envelope_errors(
    pairs: Iterable[tuple[Note, Note]], *, rate_hz: float, unsaid: Sequence[str]
) -> dict[str, float]:
    """Mean absolute error of each channel over the frames in which both notes of a pair sound.

    Parameters
    ----------
    pairs : iterable of (Note, Note)
        True and found notes that match.
    rate_hz : float
        Of the frames; a pair that shares none is compared at the middle of what it shares.
    unsaid : sequence of str
        Channels that the reference says nothing of.

    Returns
    -------
    mapping of str to float
        In the channels' units; ``pitch_cents`` for pitch.
    """
    errors: dict[str, list[Floats]] = {}
    for truth, found in pairs:
        times_s = _shared_frames_s(truth, found, rate_hz)
        for name in truth.envelopes.keys() & found.envelopes.keys() - {*truth.masked, *unsaid}:
            error = abs(truth.envelopes[name].at(times_s) - found.envelopes[name].at(times_s))
            is_pitch = name == PITCH
            errors.setdefault("pitch_cents" if is_pitch else name, []).append(
                100 * error if is_pitch else error
            )
    joined = {name: np.concatenate(errors[name]) for name in sorted(errors)}
    return {name: float(error.mean()) for name, error in joined.items() if error.size}


def _shared_frames_s(truth: Note, found: Note, rate_hz: float) -> Floats:
    start_s, end_s = max(truth.onset_s, found.onset_s), min(truth.offset_s, found.offset_s)
    if start_s >= end_s:
        return np.zeros(0)
    times_s = np.arange(np.ceil(start_s * rate_hz), np.ceil(end_s * rate_hz)) / rate_hz
    return times_s if times_s.size else np.array([(start_s + end_s) / 2])
