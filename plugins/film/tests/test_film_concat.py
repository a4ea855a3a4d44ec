import subprocess
from fractions import Fraction

import numpy as np
import pytest
from making_films import decoded_frames, decoded_sound, film, frame_times, tone, trajectory

from ripieno.contracts import InputError
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import JoinerSuite
from ripieno.toolkit.ffmpeg import ffmpeg_path
from ripieno_film.concat import Concat, ConcatConfig
from ripieno_film.streams import read_tags


def titled(seconds, title, *, album="", **given):
    with use_context(new_context(facts={"title": title, "artist": "Nobody", "album": album})):
        return film(trajectory(seconds), tone(seconds), **given)


class TestConformance(JoinerSuite):
    plugin = Concat

    def example(self):
        return {"videos": self.once("films", lambda: [titled(0.5, "One"), titled(0.41, "Two; =2")])}


@pytest.fixture(scope="module")
def films():
    return [titled(0.51, "One"), titled(1.0, "Two; =2"), titled(0.34, "")]


def test_all_frames_follow_each_other_as_they_were(films):
    joined = Concat().join(films)
    assert joined.duration_s == pytest.approx(1.85)
    assert np.array_equal(decoded_frames(joined), np.concatenate([decoded_frames(one) for one in films]))
    times_s, end_s = frame_times(joined)
    expected = [start + np.arange(count) / 30 for start, count in ((0, 16), (0.51, 30), (1.51, 11))]
    assert np.allclose(times_s, np.concatenate(expected), atol=1e-4)
    assert end_s == pytest.approx(1.85, abs=0.001)
    assert len(decoded_sound(joined)) / 48000 == pytest.approx(1.85, abs=0.005)


def test_chapters_have_the_titles_of_the_films(films):
    text = metadata(Concat().join(films))
    chapters = [dict(line.split("=", 1) for line in part.split("\n") if "=" in line) for part in text]
    assert [chapter["title"] for chapter in chapters] == ["One", r"Two\; \=2", "Track 3"]
    ends_s = [float(int(chapter["END"]) * Fraction(chapter["TIMEBASE"])) for chapter in chapters]
    assert ends_s == pytest.approx([0.51, 1.51, 1.85], abs=0.001)


def test_the_whole_is_called_what_all_films_say():
    tide, ebb, other = (titled(0.1, name, album=album) for name, album in ("aT", "bT", "cU"))
    assert called([tide, ebb]) == ("T", "Nobody")
    assert called([tide, other]) == (None, "Nobody")
    assert called([tide, ebb], title="V") == ("V", "Nobody")


def called(films, **settings):
    tags = read_tags(Concat(ConcatConfig(**settings)).join(films).path)
    return tags.get("title"), tags.get("artist")


def metadata(video):
    """FFmpeg's text of each chapter."""
    done = subprocess.run(
        [ffmpeg_path(), "-loglevel", "error", "-i", video.path, "-f", "ffmetadata", "-"],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split("[CHAPTER]\n")[1:]


def test_webm_films_are_joined_too():
    parts = [titled(0.5, "One", codec="vp9"), titled(0.5, "Two", codec="vp9")]
    joined = Concat().join(parts)
    assert joined.path.suffix == ".webm"
    assert len(decoded_frames(joined)) == 30


def test_unlike_films_are_refused(films):
    with pytest.raises(InputError, match=r"film 2 has size 64x64 after 96x64"):
        Concat().join([films[0], titled(0.2, "", size=(64, 64))])


def test_no_films_are_refused():
    with pytest.raises(InputError, match="no films"):
        Concat().join([])
