import hashlib

import numpy as np
import pytest
from making_films import ANCHORS, decoded_frames, decoded_sound, film, frame_times, settings, tone, trajectory
from pydantic import ValidationError

from ripieno.contracts import Audio, Context, InputError, Model
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import RendererSuite
from ripieno.toolkit.ffmpeg import probe
from ripieno_film.renderer import LatentFilm


class TestConformance(RendererSuite):
    plugin = LatentFilm
    config = settings(fps=30.0)

    def example(self):
        return {"trajectory": trajectory(1.0), "audio": tone(1.0)}


def cut(seconds, **given):
    return film(trajectory(seconds), tone(seconds), **given)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 1.01, 2.35])
def test_picture_and_sound_end_together(seconds):
    video = cut(seconds, segment_s=0.5)
    times_s, end_s = frame_times(video)
    assert len(times_s) == len(decoded_frames(video)) == np.ceil(seconds * 30 - 1e-9)
    assert np.allclose(times_s, np.arange(len(times_s)) / 30, atol=1e-5)
    assert end_s == pytest.approx(seconds, abs=0.001)
    assert len(decoded_sound(video)) / 48000 == pytest.approx(seconds, abs=0.005)


@pytest.mark.parametrize("fps", [24, 25, 29.97, 59.94, 120])
def test_frames_keep_their_times_over_segments_at_any_rate(fps):
    video = film(trajectory(1.3, fps=fps), tone(1.3), segment_s=0.5)
    times_s, end_s = frame_times(video)
    assert len(times_s) == np.ceil(1.3 * fps)
    assert np.allclose(times_s, np.arange(len(times_s)) / fps, atol=1e-5)
    assert end_s == pytest.approx(1.3, abs=0.001)


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_a_webm_ends_together_too(codec):
    video = cut(1.21, codec=codec, segment_s=0.5)
    times_s, end_s = frame_times(video)
    assert video.path.suffix == ".webm"
    assert np.allclose(times_s, np.arange(37) / 30, atol=0.001)
    assert end_s == pytest.approx(1.21, abs=0.002)
    assert probe(video.path).codec == "opus"


@pytest.mark.parametrize("rate_hz", [44100, 48000])
def test_opus_in_an_mp4_ends_with_the_picture(rate_hz):
    video = film(trajectory(1.0), tone(1.0, rate_hz=rate_hz), audio_codec="opus")
    assert (video.path.suffix, probe(video.path).codec) == (".mp4", "opus")
    assert len(decoded_sound(video)) / 48000 == pytest.approx(1.0, abs=0.005)


def test_flashes_are_seen_when_clicks_are_heard():
    fps, clicks = 60.0, np.array([13, 47, 80])
    samples = np.zeros((1, 96000), np.float32)
    samples[0, clicks * 800] = 0.9
    flash = np.isin(np.arange(120), clicks).astype(np.float32)
    video = film(trajectory(2.0, fps=fps, flash=flash), Audio(samples, 48000), segment_s=0.5)
    light = decoded_frames(video).mean(axis=(1, 2, 3))
    seen_s = frame_times(video)[0][np.sort(np.argsort(np.diff(light, prepend=light[0]))[-3:])]
    heard = np.abs(decoded_sound(video))
    heard_s = [(np.argmax(heard[at - 2400 : at + 2400]) + at - 2400) / 48000 for at in clicks * 800]
    assert np.abs(seen_s - heard_s).max() <= 0.005


def test_a_film_is_the_same_wherever_it_is_cut_into_segments():
    whole, cut_ = (decoded_lossless(segment_s=seconds) for seconds in (60, 0.5))
    assert whole == cut_


def decoded_lossless(**given):
    frames = decoded_frames(cut(1.5, quality=0, **given))
    return hashlib.sha256(frames.tobytes()).hexdigest()


def test_a_film_slower_than_its_trajectory_takes_the_rows_between():
    path = trajectory(1.0, fps=60.0)
    assert len(decoded_frames(film(path, tone(1.0), fps=25))) == 25


def test_odd_sizes_grow_by_a_pixel():
    video = cut(0.2, size=(97, 63))
    facts = probe(video.path)
    assert (video.width, video.height) == (facts.width, facts.height) == (98, 64)


@pytest.mark.parametrize("size", [(64, 114), (80, 80)])
def test_vertical_and_square_films_are_filled(size):
    frames = decoded_frames(cut(0.2, size=size))
    assert frames.shape[1:3] == size[::-1]
    assert frames[0].std(axis=(0, 1)).min() > 2


def test_averaged_pictures_make_motion_softer():
    flash = (np.arange(30) % 2).astype(np.float32)
    plain, soft = (
        np.diff(
            decoded_frames(film(trajectory(1.0, flash=flash), tone(1.0), supersample=count)).mean((1, 2, 3))
        )
        for count in (1, 4)
    )
    assert np.abs(soft).mean() < 0.5 * np.abs(plain).mean()


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 8000), (3, 44100), (2, 192000)])
def test_any_rate_and_channels_can_be_heard(channels, rate_hz):
    facts = probe(film(trajectory(0.3), tone(0.3, channels=channels, rate_hz=rate_hz)).path)
    assert facts.channels == min(channels, 2)
    assert (facts.codec, facts.video_codec) == ("aac", "h264")


def test_silence_and_nothing_have_films():
    assert cut_of(np.zeros((2, 9600), np.float32)) == (6, 0.2)
    for samples in (0, 3, 400):
        assert cut_of(np.zeros((2, samples), np.float32)) == (1, pytest.approx(1 / 30))


def cut_of(samples):
    video = film(trajectory(0.2), Audio(samples, 48000), loudness_lufs=-14)
    return len(decoded_frames(video)), video.duration_s


def test_loudness_is_what_was_asked_for():
    from ripieno.toolkit.loudness import LoudnessMeter

    meter = LoudnessMeter(48000, channels=1)
    meter.push(decoded_sound(cut(3.0, loudness_lufs=-14))[None])
    # The two channels are the same, so their sum is 3 dB louder than the one that is measured.
    assert meter.integrated_lufs + 10 * np.log10(2) == pytest.approx(-14, abs=0.3)


def test_frames_can_be_kept_of_each_film_by_itself(tmp_path):
    for name, frames in (("one", 3), ("two", 6)):
        scratch, checkpoint = tmp_path / f"{name}-scratch", tmp_path / name
        scratch.mkdir()
        checkpoint.mkdir()
        with use_context(Context(scratch, checkpoint)):
            cut(frames / 30, keep_frames=tmp_path / "frames")
        kept = sorted(path.name for path in (tmp_path / "frames" / name).iterdir())
        assert kept == [f"{number:06}.png" for number in range(frames)]


def test_a_trajectory_of_other_music_is_refused():
    with pytest.raises(InputError, match=r"lasts 5.00 s, the sound 1.00 s"):
        film(trajectory(5.0), tone(1.0))


def test_a_trajectory_a_little_short_holds_to_the_end():
    assert len(decoded_frames(film(trajectory(0.9), tone(1.0)))) == 30


def test_an_anchor_that_the_generator_does_not_have_is_named():
    look = {"anchors": [3, 4000]}
    with pytest.raises(InputError, match="no anchor 4000 in the generator"):
        film(trajectory(0.2, look=look), tone(0.2))


def test_a_network_that_is_no_generator_is_refused(tmp_path):
    path = generator_file(tmp_path, metadata={})
    with pytest.raises(InputError, match="no ripieno_generator in its metadata"):
        film(trajectory(0.2), tone(0.2), model=Model(path))


def test_a_generator_whose_card_says_another_shape_is_refused(tmp_path):
    from ripieno.toolkit.latents import GeneratorCard

    bank = np.ones((64, 12), np.float32)
    card = GeneratorCard((3, 2, 2), "fields", (8, 8), bank, bank[:2], np.ones((64, 7), np.float32))
    path = generator_file(tmp_path, metadata=card.to_metadata())
    with pytest.raises(InputError, match=r"generator.onnx: its input is latent"):
        film(trajectory(0.2), tone(0.2), model=Model(path))


def generator_file(folder, *, metadata):
    """A network from codes [1, 4, 4] to fields of one value."""
    import onnx
    from onnx import TensorProto, helper

    made = helper.make_model(
        helper.make_graph(
            [helper.make_node("Concat", ["latent", "latent"], ["fields"], axis=1)],
            "double",
            [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["n", 1, 4, 4])],
            [helper.make_tensor_value_info("fields", TensorProto.FLOAT, ["n", 2, 4, 4])],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    helper.set_model_props(made, metadata)
    onnx.save(made, folder / "generator.onnx")
    return folder / "generator.onnx"


@pytest.mark.parametrize(
    "wrong",
    [{"fps": 23}, {"fps": 121}, {"size": (15, 90)}, {"quality": 52}, {"codec": "vp9", "audio_codec": "aac"}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_a_cover_that_cannot_be_shown_is_refused_before_the_film_is_made(tmp_path):
    (tmp_path / "cover.png").write_text("no picture")
    with use_context(new_context(facts={"art": str(tmp_path / "cover.png")})) as context:
        with pytest.raises(InputError, match=r"cover\.png: no picture that can be read"):
            film(trajectory(0.2), tone(0.2))
        assert not list(context.checkpoint.iterdir())


def test_all_anchors_are_in_the_shipped_bank():
    assert max(ANCHORS) < 64
