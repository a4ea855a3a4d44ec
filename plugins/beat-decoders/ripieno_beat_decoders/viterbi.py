"""Beats, bars and a clock of a whole recording: the most likely path through the bar pointer model."""

from dataclasses import dataclass

import numpy as np

from ripieno.contracts import Activations, BeatClock, BeatDecoder, Beats, Features, SeriesFormat, Tracked

from .bar_filter import AROUND_S, FilterConstants
from .bar_space import BarSpace, Floats, Indexes
from .config import BarPointerConfig
from .cue_evidence import CueEvidence, CueWeights
from .hindsight import Hearing, evidence_of_beats
from .observation import BeatObservation, DownbeatEvidence
from .output import head_columns, require_same_frames
from .readout import BELOW_ONE
from .search import BeatScores, Path, best_path

HEARD = 0.3
"""Beats begin with the first one that stands out so much: silence has none."""
FAINT = 0.03
"""The peak of a lower activation tells no time."""


@dataclass(frozen=True)
class ViterbiConstants:
    """Numbers of the model that no user needs to turn.

    Parameters
    ----------
    floor, contrast, power, level : float
        As in `BeatObservation`.
    peak_s : float
        How long its peak is remembered.
    metre_change : float
        Probability, at a bar's end, that another metre begins.
    slip : float
        Probability, at a beat's end, that the count is lost.
    tempo_pull : float
        How much the tempo prior counts, for each second.
    memory_beats, downbeat_epsilon, trust_in_three : float
        As in `FilterConstants`; more is remembered, as all of it counts.
    """

    floor: float = 0.01
    contrast: float = 0.5
    power: float = 0.7
    level: float = 1.0
    peak_s: float = 6.0
    metre_change: float = 1e-3
    slip: float = 1e-5
    tempo_pull: float = 0.05
    memory_beats: float = 64.0
    downbeat_epsilon: float = FilterConstants.downbeat_epsilon
    trust_in_three: float = FilterConstants.trust_in_three


CONSTANTS = ViterbiConstants()


class BarPointerViterbi(BeatDecoder[BarPointerConfig]):
    """Beats, bars and a clock, from the whole recording: the best path of the bar pointer model.

    The same states and observations as `BarPointerForward`, and the same settings. Beats lie on the peaks
    of the activation, between frames. As one path is chosen, its metre has probability 1 and its downbeats
    are certain; the confidence tells how much its beats stand out. All of it is known at the end only.

    References
    ----------
    Whiteley, Cemgil, Godsill: Bayesian modelling of temporal structure in musical audio. ISMIR 2006.
    Krebs, Böck, Widmer: An efficient state-space model for joint tempo and meter tracking. ISMIR 2015.
    """

    def decode(self, activations: Activations, *, cues: Features | None = None) -> Tracked:
        """Beats and clock of activations.

        Parameters
        ----------
        activations : Activations
            Heads ``beat`` and ``downbeat``.
        cues : Features, optional
            ``chroma_0`` to ``chroma_11`` and ``bass_db`` at the rate of the activations.

        Returns
        -------
        Tracked
            No beats before the first one that is heard, none at all where none is; breaks and the end are
            beaten through.

        Raises
        ------
        InputError
            If a head or a cue is missing, or the rates differ.
        """
        if cues is not None:
            require_same_frames(cues.format, activations.format)
        heads = activations.rows[:, head_columns(activations.format)].astype(np.float64)
        beat, downbeat = np.clip(heads.T, 0, 1)
        space = BarSpace.of_tempi(
            self.config.min_bpm, self.config.max_bpm, rate_hz=activations.rate_hz, metres=self.config.metres
        )
        if not len(beat):
            format = SeriesFormat(activations.rate_hz, BeatClock.columns(space.metres), activations.start_s)
            return Tracked.from_chunks([], format)
        scores = BeatScores(
            space,
            zone_scores(space, beat, rate_hz=activations.rate_hz),
            fall_scores(space, self.config, beat, downbeat, cues, rate_hz=activations.rate_hz),
        )
        path = find_path(space, self.config, scores, rate_hz=activations.rate_hz)
        return read_off(space, path, beat, downbeat, activations.format)


def zone_scores(space: BarSpace, beat: Floats, *, rate_hz: float) -> Floats:
    """Log-likelihood of the zone of a beat against its rest [frames, bar rows], the same for every row."""
    observation = BeatObservation(
        floor=CONSTANTS.floor,
        contrast=CONSTANTS.contrast,
        power=CONSTANTS.power,
        level=CONSTANTS.level,
        memory=CONSTANTS.peak_s * rate_hz,
        pulse=CONSTANTS.peak_s * rate_hz,
    )
    ratios = np.array([observation.log_ratio(activation) for activation in beat.tolist()])
    return np.broadcast_to(ratios[:, None], (len(beat), len(space.bar_rows)))


def fall_scores(
    space: BarSpace,
    config: BarPointerConfig,
    beat: Floats,
    downbeat: Floats,
    cues: Features | None,
    *,
    rate_hz: float,
) -> Floats:
    """Log-likelihood of each place in the bar for a beat in a frame [frames, bar rows]."""
    rows, memory = len(space.bar_rows), CONSTANTS.memory_beats
    trust = np.where(space.row_metres == 3, CONSTANTS.trust_in_three, 1.0)
    downbeats = DownbeatEvidence(
        config.downbeat_weight * trust * space.accents,
        delay=max(1, round(AROUND_S * rate_hz)),
        memory=memory,
        epsilon=CONSTANTS.downbeat_epsilon,
    )
    scores = evidence_of_beats(downbeats, zip(beat.tolist(), downbeat.tolist(), strict=True), beat, rows=rows)
    if cues is None:
        return scores
    harmony_and_bass = CueEvidence(
        rate_hz=rate_hz,
        names=cues.names,
        accents=space.accents,
        weights=CueWeights(config.harmony_weight, config.bass_weight),
        memory=memory,
    )
    return scores + evidence_of_beats(harmony_and_bass, ((row,) for row in cues.values), beat, rows=rows)


def find_path(space: BarSpace, config: BarPointerConfig, scores: BeatScores, *, rate_hz: float) -> Path:
    """The most likely path, from what each beat is worth."""
    tempo_prior = space.tempo_prior(60 * rate_hz / config.expected_bpm, config.tempo_spread)
    bar_prior = space.metre_prior(config.weights_of(space.metres))
    # A slow beat has more neighbours than a fast one; that must not make it less likely to go on.
    tempo = _logs(space.tempo_transition(config.stiffness))
    tempo -= tempo.max(axis=1, keepdims=True)
    preference = np.log(tempo_prior / tempo_prior.max()) * space.intervals / rate_hz
    step = space.bar_transition(metre_change=CONSTANTS.metre_change, slip=CONSTANTS.slip, prior=bar_prior)
    return best_path(
        space,
        scores,
        prior=_logs(np.outer(bar_prior, tempo_prior / space.intervals)),
        tempo=tempo + CONSTANTS.tempo_pull * preference[:, None],
        bar=_logs(step),
    )


def _logs(probabilities: Floats) -> Floats:
    with np.errstate(divide="ignore"):  # what cannot follow has the logarithm -inf
        logs: Floats = np.log(probabilities)
    return logs


def read_off(space: BarSpace, path: Path, beat: Floats, downbeat: Floats, format: SeriesFormat) -> Tracked:
    """Beats and clock of a path through activations [frames] of that format."""
    zones = space.zone_frames[path.intervals - space.shortest]
    hearing = Hearing(beat, path.starts, path.intervals, zones)
    confidence = hearing.confidence
    metres, positions = np.array(space.bar_rows)[path.rows].T
    edges_s = format.start_s + _edges(beat, path, zones) / format.rate_hz
    end_s = format.start_s + len(beat) / format.rate_hz
    times_s = edges_s[:-1]
    is_heard = np.maximum.accumulate(hearing.contrast >= HEARD)
    told = is_heard & (path.starts >= 0) & (times_s >= 0) & (times_s <= end_s)
    beats = Beats(
        times_s[told],
        positions=positions[told],
        confidence=confidence[told],
        known_s=np.full(int(told.sum()), max(end_s, 0.0)),
    )
    frames_s = format.start_s + np.arange(len(beat)) / format.rate_hz
    under_way = np.clip(np.searchsorted(edges_s, frames_s, side="right") - 1, 0, len(times_s) - 1)
    spb_s = np.diff(edges_s)[under_way]
    gone = (frames_s - times_s[under_way]) / spb_s
    other_spb_s, other = _other_octave(space, path, hearing, np.diff(edges_s))
    clock = BeatClock(
        spb_s=spb_s,
        phase=np.minimum(gone % 1, BELOW_ONE),
        next_beat_s=times_s[under_way] + (np.floor(gone) + 1) * spb_s,
        metre_probabilities=metres[under_way, None] == np.array(space.metres),
        metres=space.metres,
        rate_hz=format.rate_hz,
        start_s=format.start_s,
        confidence=confidence[under_way],
        downbeat_probability=positions[under_way] == 1,
        other_spb_s=other_spb_s[under_way],
        other_probability=other[under_way],
        beat_activation=beat,
        downbeat_activation=downbeat,
    )
    return Tracked(beats, clock)


def _edges(activation: Floats, path: Path, zones: Indexes) -> Floats:
    """Frames in which the beats of a path fall, and in which the last one ends [beats + 1]."""
    # Two frames at most, and never so far that two beats could meet.
    reaches = np.minimum(2, path.intervals // 8)
    spans = np.stack([path.starts, zones, reaches], axis=1).tolist()
    falls = [start if start < 0 else _peak(activation, start, zone, reach) for start, zone, reach in spans]
    return np.array([*falls, falls[-1] + path.intervals[-1]], np.float64)


def _peak(activation: Floats, start: int, zone: int, reach: int) -> float:
    """Where the activation peaks in a zone or `reach` frames from it, between frames by a parabola.

    The middle of the zone where nothing is heard.
    """
    first = max(0, start - reach)
    at = first + int(activation[first : start + zone + reach].argmax())
    if activation[at] < FAINT:
        return start + (zone - 1) / 2
    if not 0 < at < len(activation) - 1:
        return at
    before, here, after = activation[at - 1 : at + 2].tolist()
    bend = before - 2 * here + after
    return at + min(max(0.5 * (before - after) / bend, -0.5), 0.5) if bend < 0 else at


def _other_octave(space: BarSpace, path: Path, hearing: Hearing, spb_s: Floats) -> tuple[Floats, Floats]:
    """Seconds a beat in the likelier neighbouring octave, and its share; 0 out of range [beats]."""
    double = hearing.double_share * (path.intervals >= 2 * space.shortest)
    half = hearing.half_share * (2 * path.intervals <= space.longest)
    return np.where(double > half, spb_s / 2, spb_s * 2), np.maximum(double, half)
