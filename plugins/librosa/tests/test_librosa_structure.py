import numpy as np
import pytest
from hypothesis import given, strategies as st
from threadpoolctl import threadpool_limits

from ripieno.contracts import Audio, Beats, InputError, Sections
from ripieno.contracts.testing import StructureAnalyzerSuite, digest
from ripieno_librosa.structure import (
    MOST_SPANS,
    RATE_HZ,
    LaplacianSections,
    SectionsConfig,
    cluster,
    modularity,
    on_downbeats,
    span_edges_s,
    without_short_sections,
)

BEAT_S = 0.5
VERSE = ((48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50))
CHORUS = ((54, 58, 61), (56, 60, 63), (51, 54, 58), (49, 53, 56))
BRIDGE = ((62, 65, 69), (64, 67, 70), (60, 65, 69), (58, 62, 65))


class TestConformance(StructureAnalyzerSuite):
    plugin = LaplacianSections


class TestConformanceOfShortSections(StructureAnalyzerSuite):
    plugin = LaplacianSections
    config = SectionsConfig(shortest_s=1.0, kinds=3)
    clip_s = 12.0


def song(*parts: tuple[tuple[int, ...], ...], bars: int = 8) -> tuple[Audio, Beats]:
    """Each part a sequence of chords, one a bar of four beats, played again until `bars` are full."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(4 * BEAT_S * RATE_HZ)) / RATE_HZ
    sounds = []
    for part in parts:
        for bar in range(bars):
            harmonics = [(pitch, order) for pitch in part[bar % len(part)] for order in (1, 2, 3)]
            waves = [
                np.sin(2 * np.pi * order * 440 * 2 ** ((pitch - 69) / 12) * time_s) / order
                for pitch, order in harmonics
            ]
            sounds.append(np.sum(waves, axis=0) * np.exp(-(time_s % BEAT_S) * 3))
    samples = 0.05 * np.concatenate(sounds)
    samples += 1e-4 * rng.standard_normal(len(samples))
    audio = Audio(samples.astype(np.float32), RATE_HZ)
    return audio, Beats(np.arange(0, audio.duration_s, BEAT_S))


def sections(*parts: tuple[tuple[int, ...], ...], **settings: float) -> Sections:
    audio, beats = song(*parts)
    return LaplacianSections(SectionsConfig(**settings)).analyze(audio, beats=beats)


@pytest.mark.parametrize(
    ("parts", "labels"),
    [
        ((VERSE, CHORUS, VERSE), "ABA"),
        ((VERSE, CHORUS, VERSE, CHORUS), "ABAB"),
        ((VERSE, CHORUS, VERSE, CHORUS, BRIDGE, CHORUS), "ABABCB"),
    ],
)
def test_parts_that_come_again_have_the_same_label(parts, labels):
    found = sections(*parts)
    assert "".join(found.labels) == labels
    part_s = 8 * 4 * BEAT_S
    np.testing.assert_allclose(found.start_s, part_s * np.arange(len(parts)), atol=3)


def test_sections_begin_on_downbeats_where_they_are_known():
    audio, beats = song(VERSE, CHORUS, VERSE, CHORUS)
    positions = 1 + np.arange(len(beats.times_s)) % 4
    found = LaplacianSections().analyze(audio, beats=Beats(beats.times_s, positions))
    np.testing.assert_allclose(found.start_s % (4 * BEAT_S), 0)
    np.testing.assert_allclose(found.start_s, 8 * 4 * BEAT_S * np.arange(4), atol=3)


def test_the_number_of_kinds_may_be_given():
    assert set(sections(VERSE, CHORUS, VERSE, CHORUS, kinds=1).labels) == {"A"}
    assert set(sections(VERSE, CHORUS, VERSE, CHORUS, kinds=2).labels) == {"A", "B"}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_beats_closer_than_frames_are_no_trouble(level):
    samples = level * np.random.default_rng(0).standard_normal(3000)
    audio = Audio(samples.astype(np.float32), RATE_HZ)
    beats = Beats(np.linspace(0, audio.duration_s, 40))
    found = LaplacianSections(SectionsConfig(shortest_s=0)).analyze(audio, beats=beats)
    assert (found.start_s[0], found.end_s[-1]) == (0, audio.duration_s)


@pytest.mark.parametrize("count", [0, 1, 2, 15])
def test_too_few_beats_give_one_section(count):
    audio, _ = song(VERSE, CHORUS)
    found = LaplacianSections().analyze(audio, beats=Beats(np.linspace(0, audio.duration_s, count)))
    assert (found.start_s, found.end_s, found.labels) == ([0.0], [audio.duration_s], ("A",))


def test_silence_is_one_section():
    audio = Audio(np.zeros(30 * RATE_HZ, np.float32), RATE_HZ)
    found = LaplacianSections().analyze(audio, beats=Beats(np.arange(0, 30, BEAT_S)))
    assert found.labels == ("A",)


def test_beats_of_a_longer_recording_are_refused():
    audio = Audio(np.zeros(RATE_HZ, np.float32), RATE_HZ)
    with pytest.raises(InputError, match="a beat at 2 s lies beyond"):
        LaplacianSections().analyze(audio, beats=Beats(np.array([0.5, 2.0])))


@pytest.mark.parametrize(
    ("channels", "rate_hz", "cure"), [(2, RATE_HZ, "effect/downmix"), (1, 44100, "effect/resample")]
)
def test_other_formats_are_refused_with_the_cure(channels, rate_hz, cure):
    with pytest.raises(InputError, match=cure):
        LaplacianSections().analyze(Audio(np.zeros((channels, 100), np.float32), rate_hz), beats=Beats([]))


def test_the_number_of_threads_changes_no_bit():
    results = set()
    for threads in (1, 2, 3):
        with threadpool_limits(threads, user_api="blas"):
            results.add(digest(sections(VERSE, CHORUS, BRIDGE)))
    assert len(results) == 1


@given(
    beats_s=st.lists(st.floats(0, 100), min_size=2, max_size=50, unique=True).map(sorted),
    rest_s=st.floats(0.01, 100),
)
def test_spans_cover_the_audio_whatever_the_beats(beats_s, rest_s):
    duration_s = beats_s[-1] + rest_s
    edges_s = span_edges_s(np.array(beats_s), duration_s)
    assert (edges_s[0], edges_s[-1]) == (0.0, duration_s)
    assert (np.diff(edges_s) > 0).all()


@given(beats=st.integers(2, 6000))
def test_spans_are_bounded_in_number(beats):
    edges_s = span_edges_s(0.1 + BEAT_S * np.arange(beats), 0.1 + BEAT_S * beats)
    assert len(edges_s) <= MOST_SPANS + 2


def lengths_s(labels: np.ndarray, edges_s: np.ndarray) -> np.ndarray:
    bounds = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
    return np.diff(edges_s[bounds])


@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=60), shortest_s=st.floats(0, 20))
def test_no_section_stays_too_short_unless_it_is_the_only_one(labels, shortest_s):
    edges_s = np.arange(len(labels) + 1) * BEAT_S
    joined = without_short_sections(np.array(labels), edges_s, shortest_s)
    left_s = lengths_s(joined, edges_s)
    assert len(left_s) == 1 or left_s.min() >= shortest_s
    assert set(joined) <= set(labels)


@given(labels=st.lists(st.integers(0, 3), min_size=8, max_size=60), beats_a_bar=st.integers(1, 7))
def test_only_the_first_section_may_begin_off_a_downbeat(labels, beats_a_bar):
    downbeats = np.arange(1, len(labels), beats_a_bar)
    moved = on_downbeats(np.array(labels), downbeats)
    assert len(moved) == len(labels)
    assert set(np.flatnonzero(np.diff(moved)) + 1) <= set(downbeats)


def test_clusters_far_apart_are_told_apart():
    directions = np.eye(3)[[0, 0, 1, 1, 2, 2, 0]] + 0.01 * np.random.default_rng(0).standard_normal((7, 3))
    labels = cluster(directions, 3)
    assert labels[0] == labels[1] == labels[6]
    assert labels[2] == labels[3]
    assert labels[4] == labels[5]
    assert len(set(labels)) == 3


def test_the_modularity_of_two_separate_equal_halves_is_one_half():
    graph = np.kron(np.eye(2), np.ones((4, 4)))
    assert modularity(graph, np.repeat([0, 1], 4)) == pytest.approx(0.5)
    assert modularity(graph, np.zeros(8, int)) == pytest.approx(0)
