"""A pitch tracker that knows no label, on passages in which one note alone sounds.

Conventions
-----------
On harmonic tones of a known pitch pYIN, set as it is here, reads 0 to 2 cents too high.

References
----------
Mauch, Dixon: pYIN: a fundamental frequency estimator using probabilistic threshold distributions. ICASSP 2014.
"""

from collections.abc import Iterator, Sequence
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.performance import PITCH, Note

LEAST_S, MOST_S = 0.2, 0.5
WINDOW_PERIODS = 8
LEAST_WINDOW = 2048
HOP_S = 0.01
REACH_SEMITONES = 7.3
"""How far around a note's pitch the tracker searches: a fifth, on bins of which none lies on a tempered pitch."""
RESOLUTION = 0.02
"""Of the tracker's bins, semitones: its answers lie on them."""


def tracker_errors_cents(
    samples: NDArray[np.floating], notes: Sequence[Note], *, rate_hz: int, ring_s: float
) -> Iterator[NDArray[np.float64]]:
    """Labels against pYIN, frame by frame, for each note with a passage of its own; cents, positive = sharp."""
    for note, start_s, end_s in _alone(notes, ring_s):
        if PITCH not in note.masked:
            yield _errors(samples, note, start_s, end_s, rate_hz=rate_hz)


def _alone(notes: Sequence[Note], ring_s: float) -> Iterator[tuple[Note, float, float]]:
    """Notes, and between which times no other is heard; `ring_s` after its end one is heard no more."""
    for index, note in enumerate(notes):
        others = [*notes[:index], *notes[index + 1 :]]
        start_s = max(
            [note.onset_s, *(one.offset_s + ring_s for one in others if one.onset_s <= note.onset_s)]
        )
        end_s = min([note.offset_s, *(one.onset_s for one in others if one.onset_s > note.onset_s)])
        if end_s - start_s >= LEAST_S:
            yield note, start_s, min(end_s, start_s + MOST_S)


def _errors(
    samples: NDArray[np.floating], note: Note, start_s: float, end_s: float, *, rate_hz: int
) -> NDArray[np.float64]:
    from librosa import midi_to_hz, pyin

    envelope = note.envelopes[PITCH]
    pitch_midi = float(np.median(envelope.at(np.linspace(start_s, end_s, 51))))
    lowest, highest = round(pitch_midi) - REACH_SEMITONES, round(pitch_midi) + REACH_SEMITONES
    periods = WINDOW_PERIODS * rate_hz / float(midi_to_hz(pitch_midi))
    window, hop = 2 ** ceil(log2(max(LEAST_WINDOW, periods))), round(HOP_S * rate_hz)
    sound = samples[round(start_s * rate_hz) : round(end_s * rate_hz)]
    if len(sound) < window + hop:
        return np.zeros(0)
    found_hz, voiced, _ = pyin(
        sound,
        fmin=float(midi_to_hz(lowest)),
        fmax=float(midi_to_hz(highest)),
        sr=rate_hz,
        frame_length=window,
        hop_length=hop,
        resolution=RESOLUTION,
        center=False,
    )
    times_s = start_s + (np.arange(len(found_hz)) * hop + window / 2) / rate_hz
    found_midi = 69 + 12 * np.log2(found_hz[voiced] / 440)
    errors: NDArray[np.float64] = 100 * (found_midi - envelope.at(times_s[voiced]))
    return errors
