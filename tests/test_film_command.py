"""``core film``: a few seconds of a film, and what it says where there are none."""

import numpy as np
import pytest
import soundfile

from ripieno.toolkit.ffmpeg import probe

PIPELINE = """
name: film
inputs:
  song: {kind: audio, path: "*.wav"}
steps:
  features: {uses: frontend/librosa, in: {audio: song}}
  dream: {uses: controller/latent, in: {features: features}}
  film: {uses: renderer/latent_film, in: {trajectory: dream, audio: song}, with: {size: [640, 360]}}
outputs:
  film: "films/{item}.mp4"
"""


@pytest.fixture
def album(bench):
    bench.pipeline(PIPELINE)
    for name in ("one", "two"):
        sound = np.random.default_rng(0).uniform(-0.3, 0.3, 44100 * 2).astype(np.float32)
        soundfile.write(bench.folder / f"{name}.wav", sound, 44100)
    return bench


@pytest.mark.slow
def test_a_preview_is_a_small_part_of_each_film(album):
    said = album.core("film", "preview", "p.yaml", "--at", 1, "--seconds", 0.4, "--scale", 0.25)
    films = [album.folder / line for line in said.stdout.splitlines()]
    assert [path.name for path in films] == ["one.mp4", "two.mp4"]
    for path in films:
        found = probe(path)
        assert (found.width, found.height) == (160, 90)
        assert found.duration_s == pytest.approx(0.4, abs=0.03)
    only = album.core(
        *("film", "preview", "p.yaml", "--input", "song=one.wav", "--preset", "surge"),
        *("--seconds", 0.2, "--scale", 0.1),
    )
    assert [line.rpartition("/")[2] for line in only.stdout.splitlines()] == ["one.mp4"]
    outside = album.core("film", "preview", "p.yaml", "--at", 60, "--seconds", 2, code=1)
    assert outside.stderr.splitlines() == [
        f'step "film", item "{name}": the part from 60 to 62 s lies outside the film, which lasts 2.0 s: '
        "choose seconds within it"
        for name in ("one", "two")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "surg"), 'no plugin preset/surg is installed. Did you mean "preset/surge"?'),
        (("--step", "dream"), "--step dream: no film is made there. There is: film"),
        (("--input", "song"), "--input song: write NAME=PATH"),
        (("--scale", "0"), "Invalid value for '--scale'"),
        (("--input", "song=gone.wav"), "--input song=gone.wav: input 'song': no file gone.wav"),
    ],
)
def test_what_cannot_be_previewed_is_said_in_one_line(album, options, message):
    assert message in album.fails("film", "preview", "p.yaml", *options)


def test_a_preset_that_is_none_is_said_by_profile_and_by_the_list_too(album):
    unknown = 'no plugin preset/surg is installed. Did you mean "preset/surge"?'
    assert album.fails("film", "profile", "one.wav", "--preset", "surg") == unknown
    assert album.fails("film", "presets", "surg") == unknown
