import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from ripieno.contracts import Audio, Beats
from ripieno_librosa.beats import RATE_HZ, LibrosaBeats
from ripieno_librosa.structure import LaplacianSections

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
SONGS = DATA / "annotated" / "authored"
pytestmark = pytest.mark.skipif(not SONGS.is_dir(), reason="no annotated songs: set RIPIENO_DATA")
every_song = pytest.mark.parametrize("name", ["authored_pop_120", "authored_waltz_96"])


def f_measure(found: np.ndarray, reference: np.ndarray, *, tolerance_s: float) -> float:
    """Harmonic mean of precision and recall; each time matches one of the other side at most."""
    hits, left = 0, list(found)
    for time_s in reference:
        near = [other for other in left if abs(other - time_s) <= tolerance_s]
        if near:
            left.remove(min(near, key=lambda other: abs(other - time_s)))
            hits += 1
    return 2 * hits / (len(found) + len(reference))


def load(name: str) -> Audio:
    samples, rate_hz = soundfile.read(SONGS / f"{name}.ogg", always_2d=True)
    return Audio(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ), RATE_HZ)


def annotation(path: Path) -> np.ndarray:
    return np.loadtxt(path, usecols=0, encoding="utf-8")


@every_song
def test_beats_are_those_of_the_score(name):
    beats_s = LibrosaBeats().track(load(name)).beats.times_s
    assert f_measure(beats_s, annotation(SONGS / f"{name}.beats"), tolerance_s=0.07) > 0.95


@every_song
def test_sections_begin_where_the_score_says(name):
    audio = load(name)
    found = LaplacianSections().analyze(audio, beats=LibrosaBeats().track(audio).beats)
    reference_s = annotation(SONGS / f"{name}.lab")
    # The start of the song is no find.
    assert f_measure(found.start_s[1:], reference_s[1:], tolerance_s=3) > 0.8


def test_known_downbeats_make_the_sections_exact():
    audio, reference = load("authored_waltz_96"), SONGS / "authored_waltz_96"
    times_s, positions = np.loadtxt(reference.with_suffix(".beats"), encoding="utf-8").T
    found = LaplacianSections().analyze(audio, beats=Beats(times_s, positions))
    reference_s = annotation(reference.with_suffix(".lab"))
    assert f_measure(found.start_s[1:], reference_s[1:], tolerance_s=0.5) > 0.7


def test_a_verse_that_comes_again_has_its_label_again():
    audio = load("authored_waltz_96")
    found = LaplacianSections().analyze(audio, beats=LibrosaBeats().track(audio).beats)
    labels = [found.labels[np.searchsorted(found.start_s, time_s) - 1] for time_s in (20, 50, 80)]
    assert labels[0] == labels[2] != labels[1]
