import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno_beat_decoders import search
from ripieno_beat_decoders.bar_space import BarSpace
from ripieno_beat_decoders.search import BeatScores, Path, best_path


class Model:
    """A small bar space with random scores."""

    def __init__(
        self,
        *,
        shortest: int,
        longest: int,
        metres: tuple[int, ...],
        frames: int,
        seed: int,
        slip: float = 0.0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.can_slip = slip > 0
        self.space = BarSpace(shortest, longest, metres)
        self.zone, self.fall = rng.normal(size=(2, frames, sum(metres)))
        self.prior = np.log(rng.dirichlet(np.ones(sum(metres) * (longest - shortest + 1))))
        self.prior = self.prior.reshape(sum(metres), -1)
        with np.errstate(divide="ignore"):
            self.tempo = np.log(self.space.tempo_transition(5.0))
            self.bar = np.log(
                self.space.bar_transition(metre_change=0.1, slip=slip, prior=self.space.metre_prior())
            )

    @property
    def path(self) -> Path:
        scores = BeatScores(self.space, self.zone, self.fall)
        return best_path(self.space, scores, prior=self.prior, tempo=self.tempo, bar=self.bar)

    def worth(self, path: Path) -> float:
        """The score of a path, added up beat by beat and frame by frame."""
        intervals = path.intervals - self.space.shortest
        total = self.prior[path.rows[0], intervals[0]]
        total += (
            self.tempo[intervals[:-1], intervals[1:]].sum() + self.bar[path.rows[:-1], path.rows[1:]].sum()
        )
        for start, interval, row in zip(path.starts, intervals, path.rows, strict=True):
            inside = slice(max(0, start), max(0, start + self.space.zone_frames[interval]))
            middle = start + round(self.space.beat_centres[interval])
            is_inside = 0 <= middle < len(self.fall)
            total += self.zone[inside, row].sum() + (self.fall[middle, row] if is_inside else 0)
        return float(total)

    def best_worth(self) -> float:
        """The best score, by the Viterbi recursion over every state of every frame."""
        space = self.space
        in_zone = (space.slot_frames < space.zone_frames[space.slot_intervals])[:, None]
        middles = np.rint(space.beat_centres)[space.slot_intervals]
        is_middle = (space.slot_frames == middles)[:, None]

        def heard(frame: int) -> np.ndarray:
            return in_zone * self.zone[frame] + is_middle * self.fall[frame]

        best = self.prior.T[space.slot_intervals] + heard(0)
        for frame in range(1, len(self.zone)):
            ended = best[space.first_slots + space.intervals - 1]
            ways = ended[:, :, None, None] + self.tempo[:, None, :, None] + self.bar[None, :, None, :]
            best = np.roll(best, 1, axis=0)
            best[space.first_slots] = ways.max(axis=(0, 1))
            best = best + heard(frame)
        return float(best.max())


models = st.builds(
    Model,
    shortest=st.integers(3, 6),
    longest=st.integers(6, 20),
    metres=st.sampled_from([(1,), (2,), (2, 3), (3, 4, 7)]),
    frames=st.integers(1, 80),
    seed=st.integers(0, 2**32),
    slip=st.sampled_from([0.0, 0.05]),
)


@settings(max_examples=60)
@given(models, st.sampled_from([1, 2, 7, 40, 2048]))
def test_no_path_through_all_states_is_better(model, segment):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "SEGMENT", segment)
        path = model.path
    assert model.worth(path) == pytest.approx(model.best_worth(), abs=1e-3)


@given(models)
def test_a_path_is_beats_without_gaps_from_before_the_first_frame_to_behind_the_last(model):
    path = model.path
    np.testing.assert_array_equal(path.starts[1:], path.starts[:-1] + path.intervals[:-1])
    assert path.starts[0] <= 0 < path.starts[0] + path.intervals[0]
    assert path.starts[-1] < len(model.zone) <= path.starts[-1] + path.intervals[-1]
    assert ((path.intervals >= model.space.shortest) & (path.intervals <= model.space.longest)).all()
    places = np.array(model.space.bar_rows)[path.rows]
    for (metre, position), (next_metre, next_position) in pairwise(places.tolist()):
        goes_on = (next_metre, next_position) == (metre, position + 1)
        assert goes_on or (position == metre and next_position == 1) or model.can_slip


@pytest.mark.slow
def test_half_an_hour_takes_little_memory():
    frames = 90_000
    model = Model(shortest=14, longest=55, metres=(2, 3, 4), frames=frames, seed=0)
    model.tempo = np.log(model.space.tempo_transition(60.0))
    tracemalloc.start()
    try:
        path = model.path
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.starts[-1] + path.intervals[-1] >= frames
    assert peak < 40e6
