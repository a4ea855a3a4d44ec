import numpy as np
import pytest
from making_films import cppn, settings, tone, trajectory

from ripieno.contracts import ConfigError
from ripieno_film.profile import Clock, Profile, measure
from ripieno_film.profile_command import film_config, table
from ripieno_film.renderer import reel_of


def test_every_stage_is_measured_beside_the_encoder_alone(tmp_path):
    config = settings(fps=30.0)
    reel = reel_of(config, trajectory(1.0), tone(1.0), generator=cppn().plugin.path, folder=tmp_path)
    encoding = {"codec": "x264", "crf": 20, "threads": 1}
    found = measure(reel, encoding=encoding, frames=12, folder=tmp_path)
    assert list(found.stages_ms) == ["decode", "paint", "post", "pipe", "encode"]
    assert min(found.stages_ms.values()) >= 0
    assert found.encoder_fps > 0
    assert not (tmp_path / "frames.yuv").exists()


def test_a_clock_gives_each_stage_its_own_time():
    clock = Clock()
    assert list(clock.of("second", clock.of("first", range(3)))) == [0, 1, 2]
    assert list(clock.exclusive()) == ["first", "second"]
    assert np.all(np.array(list(clock.exclusive().values())) >= 0)


def test_the_table_says_what_can_be_reached():
    lines = table(Profile({"paint": 8.0, "encode": 30.0}, 60.0, 2), before_ms={"features": 2.0})
    assert lines[-2].endswith("40.00 ms a frame: 50.0 frames a second on 2 cores at most")
    assert lines[-1] == "the encoder alone: 60.0 frames a second on 2 cores, of which that is 0.83"


def test_a_size_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="--size 1080p: write width and height as 1920x1080"):
        film_config(None, weights="", size="1080p", fps=30.0, codec="x264")
