"""Hypothesis strategies for every kind of artifact."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ripieno.contracts import (
    Activations,
    Audio,
    BeatClock,
    Beats,
    Bundle,
    Dataset,
    Envelope,
    Features,
    Image,
    Model,
    Note,
    Performance,
    Scores,
    Sections,
    Stems,
    Stream,
    Text,
    Tracked,
    Trajectory,
    Video,
    slow_states,
)
from ripieno.contracts.performance import ARTICULATIONS, FIELD_SOURCES, INTERPOLATIONS
from ripieno.contracts.provenance import Licence

FOLDER = tempfile.TemporaryDirectory(prefix="ripieno-test-")
names = st.text("abcdefgh_äß0123", min_size=1, max_size=8)
finite = st.floats(-1e3, 1e3, width=32)
rates_hz = st.floats(1.0, 1e3)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
looks = st.dictionaries(names, plain.filter(lambda value: "inf" not in repr(value)), max_size=3)


def matrices(frames, dims):
    return hnp.arrays(np.float32, (frames, dims), elements=finite)


@st.composite
def files(draw, suffix=".bin"):
    folder = Path(tempfile.mkdtemp(dir=FOLDER.name))
    path = folder / f"file{suffix}"
    path.write_bytes(draw(st.binary(min_size=1, max_size=64)))
    return path


@st.composite
def audio(draw, channels=None, frames=None, rate_hz=None):
    channels = draw(st.integers(1, 3)) if channels is None else channels
    frames = draw(st.integers(0, 40)) if frames is None else frames
    return Audio(draw(matrices(channels, frames)), rate_hz or draw(st.integers(1, 192000)))


@st.composite
def stems(draw):
    frames, rate_hz = draw(st.integers(0, 20)), draw(st.integers(1, 192000))
    return Stems(draw(st.dictionaries(names, audio(frames=frames, rate_hz=rate_hz), max_size=3)))


@st.composite
def features(draw):
    frames, labels = draw(st.integers(0, 9)), tuple(draw(st.lists(names, max_size=4)))
    return Features(draw(matrices(frames, len(labels))), labels, draw(rates_hz), draw(finite))


@st.composite
def activations(draw):
    frames = draw(st.integers(0, 9))
    heads = st.dictionaries(names, matrices(frames, 2) | matrices(frames, 1), min_size=1, max_size=3)
    return Activations(draw(heads), draw(rates_hz), draw(finite))


@st.composite
def beats(draw):
    steps = draw(st.lists(st.floats(0.01, 5), max_size=12))
    positions = draw(st.lists(st.integers(0, 12), min_size=len(steps), max_size=len(steps)))
    confidence = draw(hnp.arrays(np.float32, len(steps), elements=st.floats(0, 1, width=32)))
    return Beats(np.cumsum(steps), np.array(positions, np.int64), confidence)


@st.composite
def clocks(draw):
    return BeatClock.from_beats(
        draw(beats()), rate_hz=draw(st.floats(1, 100)), duration_s=draw(st.floats(0, 5))
    )


@st.composite
def sections(draw):
    edges = np.cumsum([0.0, *draw(st.lists(st.floats(0.01, 60), max_size=6))])
    count = len(edges) - 1
    labels = draw(st.lists(names, min_size=count, max_size=count))
    return Sections(edges[:-1], edges[1:], tuple(labels))


@st.composite
def trajectories(draw):
    frames, dims = draw(st.integers(0, 9)), draw(st.integers(0, 4))
    labels = draw(st.just(()) | st.lists(names, min_size=dims, max_size=dims).map(tuple))
    return Trajectory(draw(matrices(frames, dims)), draw(rates_hz), labels, draw(looks))


@st.composite
def slow_states_of(draw):
    tracked_beats = draw(beats())
    clock = BeatClock.from_beats(
        tracked_beats, rate_hz=draw(st.floats(5, 100)), duration_s=draw(st.floats(0, 1))
    )
    return slow_states(Tracked(tracked_beats, clock))


@st.composite
def envelopes(draw, onset_s=0.0, offset_s=10.0):
    places = draw(st.sets(st.integers(0, 1000), min_size=1, max_size=6))
    times_s = [min(onset_s + (offset_s - onset_s) * place / 1000, offset_s) for place in places]
    values = draw(st.lists(st.floats(-1e3, 1e3), min_size=len(times_s), max_size=len(times_s)))
    return Envelope(np.sort(times_s), np.array(values), draw(st.sampled_from(INTERPOLATIONS)))


@st.composite
def notes(draw):
    onset_s = draw(st.floats(0, 90))
    offset_s = onset_s + draw(st.floats(0.01, 9))
    by_channel = draw(st.dictionaries(names, envelopes(onset_s, offset_s), max_size=3))
    return Note(
        onset_s,
        offset_s,
        draw(st.sampled_from(ARTICULATIONS)),
        draw(names),
        by_channel,
        tuple(draw(st.sets(st.sampled_from(sorted(by_channel)))) if by_channel else ()),
        draw(st.none() | st.floats(0, offset_s, exclude_max=True)),
        draw(st.dictionaries(names.map("x_{}".format), st.text() | finite | st.lists(names), max_size=2)),
    )


@st.composite
def streams(draw, instruments=names):
    played = sorted(draw(st.lists(notes(), max_size=4)), key=lambda note: note.onset_s)
    return Stream(draw(instruments), tuple(played))


licences = st.builds(Licence, names, st.text(max_size=5), st.booleans(), st.text(max_size=5))
performances = st.builds(
    Performance,
    st.lists(streams(), max_size=3).map(tuple),
    st.integers(1, 192000),
    st.floats(100, 1e4),
    st.dictionaries(names, st.sampled_from(FIELD_SOURCES), max_size=3),
    st.lists(names, max_size=3).map(tuple),
    st.lists(licences, max_size=2).map(tuple),
)
sizes = st.integers(1, 10000)
many_files = st.dictionaries(names.map(lambda name: f"in/{name}.bin"), files(), min_size=1, max_size=3)
documents = st.dictionaries(names, plain, max_size=3)
BY_KIND = {
    "audio": audio(),
    "stems": stems(),
    "features": features(),
    "activations": activations(),
    "beats": beats(),
    "beat_clock": clocks(),
    "sections": sections(),
    "trajectory": trajectories(),
    "slow_states": slow_states_of(),
    "video": st.builds(Video, files(".mp4"), sizes, sizes, rates_hz, st.floats(0, 1e5)),
    "image": st.builds(Image, files(".png"), sizes, sizes),
    "dataset": st.builds(Dataset, many_files, documents),
    "model": st.builds(Model, files(".onnx"), documents, names),
    "bundle": st.builds(Bundle, many_files),
    "performance": performances,
    "scores": st.builds(
        Scores, st.dictionaries(names, st.floats(allow_nan=False), max_size=4), st.text(max_size=9)
    ),
    "text": st.builds(Text, st.text()),
}
