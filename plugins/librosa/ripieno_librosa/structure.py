"""The form of a piece, from which of its beats sound like which others.

Conventions
-----------
A *span* is what lies between two beats that follow each other; matrices are [spans, spans], symmetric,
>= 0. *Kinds* are the different parts of a piece: a song of verses and choruses has two.
"""

from itertools import pairwise
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, AudioSpec, Beats, InputError, PluginConfig, Sections, StructureAnalyzer

from .formats import require_format
from .library import load_librosa
from .threads import one_thread

RATE_HZ = 22050
HOP = 1024
FEWEST_SPANS = 16
MOST_SPANS = 1500
# A span is like its neighbours anyway; what counts is that it is like a span further away.
NEAREST_LAG = 3
# A repetition is a run of spans that are like the same number of others, three bars or so.
REPETITION_SPANS = 13
SMOOTHED_SPANS = 9
WEAKEST_LINK = 1e-3
# Keeps what sounds exactly the same, such as silence, from a division by nothing.
LEAST_DISTANCE = 1e-9
KMEANS_ROUNDS = 50

Matrix = NDArray[np.float64]
Labels = NDArray[np.intp]


class SectionsConfig(PluginConfig):
    """Settings of `LaplacianSections`."""

    kinds: int = Field(
        0,
        ge=0,
        le=len(ascii_uppercase),
        description="Different parts to tell apart; 0 finds the number that divides the piece best.",
        json_schema_extra={"unit": "kinds"},
    )
    most_kinds: int = Field(
        8,
        ge=1,
        le=len(ascii_uppercase),
        description="Most of them, where the number is to be found.",
        json_schema_extra={"unit": "kinds"},
    )
    shortest_s: float = Field(
        6.0,
        ge=0,
        description="A shorter section joins the longer of its neighbours.",
        json_schema_extra={"unit": "s"},
    )


class LaplacianSections(StructureAnalyzer[SectionsConfig]):
    """Laplacian segmentation of beat-synchronous harmony and timbre.

    Beats that sound alike are joined in a graph, and so are neighbours that keep their timbre; the parts
    of the piece are the clusters of the graph's spectrum. Where the number of kinds is not given, it is
    the one whose sections have the highest modularity in the graph.

    References
    ----------
    McFee, Ellis: Analyzing song structure with spectral clustering. ISMIR 2014.
    Newman: Modularity and community structure in networks. PNAS 103(23), 2006.
    """

    accepts = {"audio": AudioSpec(rate_hz=RATE_HZ, channels=1)}
    whole_file = True

    def analyze(self, audio: Audio, *, beats: Beats) -> Sections:
        """Sections of the audio.

        Parameters
        ----------
        audio : Audio
            22050 Hz, mono.
        beats : Beats
            Of the same audio; sections begin on them, on downbeats where these are known. With fewer than
            16, or audio too short for two sections, there is one section.

        Returns
        -------
        Sections
            From 0 to the end without a gap, labelled ``A``, ``B``, … in order of appearance.

        Raises
        ------
        InputError
            If rate or channels are others, or a beat lies beyond the end.
        """
        require_format(audio, self.accepts["audio"])
        if len(beats.times_s) and beats.times_s[-1] > audio.duration_s:
            raise InputError(
                f"a beat at {beats.times_s[-1]:g} s lies beyond the audio's {audio.duration_s:g} s: "
                "are they of the same recording?"
            )
        if not audio.frames:
            return Sections(np.zeros(0), np.zeros(0), ())
        edges_s = span_edges_s(beats.times_s, audio.duration_s)
        if len(edges_s) <= FEWEST_SPANS or audio.duration_s < 2 * self.config.shortest_s:
            return _sections(np.array([0.0, audio.duration_s]), np.zeros(1, np.intp))
        with one_thread():
            harmony, timbre = span_features(audio.samples[0], edges_s)
            labels = find_kinds(harmony, timbre, edges_s, self.config)
        downbeats = np.flatnonzero(np.isin(edges_s[:-1], beats.downbeats_s))
        return _sections(edges_s, on_downbeats(labels, downbeats) if len(downbeats) else labels)


def span_edges_s(beats_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """Beats and the ends of the audio, with regular beats before the first and after the last.

    Spans at the ends shorter than half a beat are left out; where there are more than `MOST_SPANS`, beats are.
    """
    if len(beats_s) < 2:
        return np.array([0.0, duration_s])
    beat_s = max(float(np.median(np.diff(beats_s))), duration_s / MOST_SPANS)
    before_s = beats_s[0] - beat_s * np.arange(int(beats_s[0] / beat_s), 0, -1)
    after_s = beats_s[-1] + beat_s * np.arange(1, int((duration_s - beats_s[-1]) / beat_s) + 1)
    all_s = np.concatenate([before_s, beats_s, after_s])
    inner_s = all_s[(all_s > beat_s / 2) & (all_s < duration_s - beat_s / 2)]
    return np.concatenate([[0.0], inner_s[:: len(inner_s) // MOST_SPANS + 1], [duration_s]])


def span_features(samples: NDArray[np.float32], edges_s: NDArray[np.float64]) -> tuple[Matrix, Matrix]:
    """Harmony (constant-Q levels in decibels) and timbre (MFCC) of each span, [spans, dims] each."""
    librosa = load_librosa()

    spectrum = librosa.cqt(samples, sr=RATE_HZ, hop_length=HOP, n_bins=7 * 36, bins_per_octave=36)
    levels_db = librosa.amplitude_to_db(np.abs(spectrum), ref=np.max)
    mfcc = librosa.feature.mfcc(y=samples, sr=RATE_HZ, hop_length=HOP, n_mfcc=20)
    frames = np.round(edges_s * RATE_HZ / HOP).astype(int)
    last = mfcc.shape[1] - 1
    spans = [slice(min(start, last), max(start + 1, stop)) for start, stop in pairwise(frames)]
    harmony = np.stack([np.median(levels_db[:, span], axis=1) for span in spans])
    timbre = np.stack([np.mean(mfcc[:, span], axis=1) for span in spans])
    return harmony.astype(np.float64), timbre.astype(np.float64)


def find_kinds(
    harmony: Matrix, timbre: Matrix, edges_s: NDArray[np.float64], config: SectionsConfig
) -> Labels:
    """The kind of each span, in sections of `shortest_s` at least; one kind where nothing comes again."""
    repetition = repetition_graph(harmony)
    if not repetition.any():
        return np.zeros(len(harmony), np.intp)
    spectrum = laplacian_spectrum(balanced(repetition, path_graph(timbre)), config.kinds or config.most_kinds)
    numbers = [config.kinds] if config.kinds else range(1, config.most_kinds + 1)
    candidates = [
        without_short_sections(cluster(spectrum, kinds), edges_s, config.shortest_s) for kinds in numbers
    ]
    return max(candidates, key=lambda labels: modularity(repetition, labels))


def repetition_graph(features: Matrix) -> Matrix:
    """How alike spans are, where each is among the other's nearest and so are the spans around them."""
    from scipy.spatial.distance import cdist

    count = len(features)
    distance = cdist(features, features, "sqeuclidean")
    lag = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    distance[lag < NEAREST_LAG] = np.inf
    neighbours = int(np.ceil(np.sqrt(count)))
    reach = np.sort(distance, axis=1)[:, neighbours - 1]
    mutual = distance <= np.minimum.outer(reach, reach)
    scale = np.maximum(np.sqrt(np.outer(reach, reach)), LEAST_DISTANCE)
    return _runs_only(np.where(mutual, np.exp(-distance / scale), 0.0))


def path_graph(features: Matrix) -> Matrix:
    """How alike each span is to the next; never 0, so that the graph of a piece is in one part."""
    step = np.sum(np.square(np.diff(features, axis=0)), axis=1)
    alike = np.maximum(np.exp(-step / np.maximum(np.median(step), LEAST_DISTANCE)), WEAKEST_LINK)
    return np.diag(alike, 1) + np.diag(alike, -1)


def balanced(repetition: Matrix, path: Matrix) -> Matrix:
    """The two graphs as one, weighed so that repetition and neighbourhood hold a span equally on average."""
    degree, both = path.sum(axis=1), path.sum(axis=1) + repetition.sum(axis=1)
    weight = float(degree @ both / (both @ both))
    return weight * repetition + (1 - weight) * path


def laplacian_spectrum(graph: Matrix, count: int) -> Matrix:
    """The smoothest eigenvectors [spans, count] of the normalised Laplacian, without outliers in time."""
    from scipy.linalg import eigh
    from scipy.ndimage import median_filter
    from scipy.sparse.csgraph import laplacian

    _, vectors = eigh(laplacian(graph, normed=True), subset_by_index=[0, min(count, len(graph)) - 1])
    return np.asarray(median_filter(vectors, size=(SMOOTHED_SPANS, 1)), np.float64)


def cluster(spectrum: Matrix, kinds: int) -> Labels:
    """k-means of the first `kinds` coordinates, started from points far from each other: no chance in it."""
    from scipy.spatial.distance import cdist

    points = spectrum[:, :kinds]
    points = points / (np.linalg.norm(points, axis=1, keepdims=True) + np.finfo(float).tiny)
    centres = points[:1].copy()
    while len(centres) < kinds:
        centres = np.vstack([centres, points[cdist(points, centres).min(axis=1).argmax()]])
    for _ in range(KMEANS_ROUNDS):
        labels = cdist(points, centres).argmin(axis=1)
        for kind in set(labels):
            centres[kind] = points[labels == kind].mean(axis=0)
    return np.asarray(labels, np.intp)


def modularity(graph: Matrix, labels: Labels) -> float:
    """Share of the graph's weight that lies within kinds, beyond what chance would put there."""
    degree = graph.sum(axis=1)
    total = degree.sum()
    if not total:
        return 0.0
    same = np.equal.outer(labels, labels)
    return float(graph[same].sum() / total - np.outer(degree, degree)[same].sum() / total**2)


def without_short_sections(labels: Labels, edges_s: NDArray[np.float64], shortest_s: float) -> Labels:
    """Labels in which the shortest section has joined its longer neighbour until none is too short."""
    labels = np.array(labels, np.intp)
    while True:
        bounds = _bounds(labels)
        lengths_s = np.diff(edges_s[bounds])
        shortest = int(lengths_s.argmin())
        if len(lengths_s) == 1 or lengths_s[shortest] >= shortest_s:
            return labels
        around = [place for place in (shortest - 1, shortest + 1) if 0 <= place < len(lengths_s)]
        joined = max(around, key=lambda place: lengths_s[place])
        labels[bounds[shortest] : bounds[shortest + 1]] = labels[bounds[joined]]


def on_downbeats(labels: Labels, downbeats: NDArray[np.intp]) -> Labels:
    """Labels whose sections begin on the nearest of the spans `downbeats`."""
    bounds = _bounds(labels)
    moved = [downbeats[np.abs(downbeats - bound).argmin()] for bound in bounds[1:-1]]
    return np.asarray(np.repeat(labels[bounds[:-1]], np.diff([0, *moved, len(labels)])), np.intp)


def _runs_only(graph: Matrix) -> Matrix:
    """Each diagonal under a median filter: repetitions are stripes along it."""
    from scipy.ndimage import median_filter

    count = len(graph)
    filtered = np.zeros_like(graph)
    for lag in range(NEAREST_LAG, count):
        rows = np.arange(count - lag)
        filtered[rows, rows + lag] = median_filter(np.diagonal(graph, lag), REPETITION_SPANS, mode="constant")
    return filtered + filtered.T


def _bounds(labels: Labels) -> NDArray[np.intp]:
    """Where runs of equal labels begin, and the end."""
    return np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])


def _sections(edges_s: NDArray[np.float64], labels: Labels) -> Sections:
    bounds = _bounds(labels)
    kinds = [int(labels[place]) for place in bounds[:-1]]
    letters = dict(zip(dict.fromkeys(kinds), ascii_uppercase, strict=False))
    return Sections(edges_s[bounds[:-1]], edges_s[bounds[1:]], tuple(letters[kind] for kind in kinds))
