import hashlib

import numpy as np
import pytest
from making_films import LOOK, decoded_frames, film, tone, trajectory
from pydantic import Field

from ripieno.contracts import ConfigError, FrameEffect, PluginConfig, PluginRef
from ripieno_film.chain import Chain, chosen_effects


class EchoConfig(PluginConfig):
    """Settings of `Echo`."""

    frames: int = Field(0, ge=0, description="How far it looks back.")
    fps: float = Field(1.0, description="Of the film.")


class Echo(FrameEffect[EchoConfig]):
    """The brightest of a frame and of those before it."""

    @property
    def neutral(self):
        return self.config.frames == 0

    @property
    def lead_frames(self):
        return self.config.frames

    def apply(self, frames, start_s):
        first = max(0, round(start_s * self.config.fps))
        assert first + len(frames) > 0
        reach = self.config.frames
        return np.stack([frames[max(0, at - reach) : at + 1].max(0) for at in range(len(frames))])


def echo(frames):
    return PluginRef[FrameEffect].of(Echo(EchoConfig(frames=frames)))


def numbered(start, stop):
    """Frames of two by two pixels, each a random colour that its number alone decides."""
    for number in range(start, stop):
        yield np.random.default_rng(number).integers(0, 256, (2, 2, 3), np.uint8)


def test_what_looks_back_is_the_same_from_any_frame_on():
    documents = chosen_effects([echo(3), echo(5)], {}, fps=30.0, duration_s=2.0)
    chain = Chain(documents, fps=30.0)
    assert chain.lead == 8
    whole = list(chain.run(numbered(0, 60), start=0, first=0))
    expected = [max_of(at) for at in range(60)]
    assert np.array_equal(whole, expected)
    for first in (1, 7, 8, 20):
        start = max(0, first - 8)
        part = list(Chain(documents, fps=30.0).run(numbered(start, 41), start=start, first=first))
        assert np.array_equal(part, expected[first:41])


def max_of(number):
    return np.stack(list(numbered(max(0, number - 8), number + 1))).max(0)


def test_what_is_neutral_is_left_out_and_the_look_sets_the_rest():
    assert chosen_effects([echo(0)], {}, fps=30.0, duration_s=1.0) == ()
    reference = PluginRef[FrameEffect].of(Echo())
    look = {"effects": {reference.uses: {"frames": 2}}}
    (document,) = chosen_effects([reference], look, fps=25.0, duration_s=1.0)
    assert document["settings"] == {"frames": 2, "fps": 25.0}


def test_the_pipeline_goes_before_the_look():
    reference = echo(4)
    (document,) = chosen_effects(
        [reference], {"effects": {reference.uses: {"frames": 2}}}, fps=25.0, duration_s=1.0
    )
    assert document["settings"]["frames"] == 4
    off = PluginRef[FrameEffect](reference.uses, **{"with": {"frames": 0}})
    off.bind(Echo())
    look = {"effects": {off.uses: {"frames": 2}}}
    assert chosen_effects([off], look, fps=25.0, duration_s=1.0) == ()


def test_a_look_that_cannot_be_followed_is_refused():
    reference = PluginRef[FrameEffect].of(Echo())
    with pytest.raises(ConfigError, match="frames: "):
        chosen_effects([reference], {"effects": {reference.uses: {"frames": -1}}}, fps=30.0, duration_s=1.0)


def test_what_an_effect_does_not_have_is_named_with_what_was_meant():
    reference = PluginRef[FrameEffect].of(Echo())
    with pytest.raises(ConfigError, match='framse: unknown setting. Did you mean "frames"'):
        chosen_effects([reference], {"effects": {reference.uses: {"framse": 1}}}, fps=30.0, duration_s=1.0)


def test_an_effect_that_the_film_does_not_have_is_left_out_and_named(caplog):
    look = {**LOOK, "effects": {"frame_effect/halo": {"strength": 1}}}
    assert len(decoded_frames(film(trajectory(0.2, look=look), tone(0.2)))) == 6
    assert "the look sets frame_effect/halo, not among the effects" in caplog.text


def test_segments_of_a_film_that_looks_back_meet_without_a_seam():
    whole, cut = (
        hashlib.sha256(
            decoded_frames(
                film(trajectory(1.5), tone(1.5), quality=0, effects=(echo(6),), segment_s=seconds)
            ).tobytes()
        ).digest()
        for seconds in (60, 0.5)
    )
    assert whole == cut
