"""Each suite passes a plugin that keeps its interface, and catches what only that interface promises."""

import kit_makers as makers
import kit_streams as streams
import numpy as np
import pytest

from ripieno.contracts import Activations, Beats, Dataset, Features, PerformanceDecoder, Sections, Text
from ripieno.contracts.testing import (
    AugmenterSuite,
    BeatDecoderSuite,
    BeatTrackerSuite,
    ControllerSuite,
    FrameDecoderSuite,
    FrontendSuite,
    GeneratorSuite,
    JoinerSuite,
    PerformanceDecoderSuite,
    RendererSuite,
    SeparatorSuite,
    SinkSuite,
    TrainerSuite,
    TranscriberSuite,
    digest,
    music,
    overrides,
)
from ripieno.contracts.testing.streaming import clock, cut

PROMPT = Text("words that become something")
FEATURES = Features(np.linspace(0, 1, 47)[:, None], ("level",), 10.0)
BEAT_HEAD = Activations({"beat": (np.arange(120) % 25 == 7).astype(np.float32)}, 50.0)
EXAMPLE = makers.Example(np.linspace(-1, 1, 9), "a ramp")


def suite(base, plugin, **example):
    """A suite over a plugin of this folder, which no distribution names."""
    attributes = {
        "plugin": plugin,
        "test_it_is_found_as_an_entry_point": overrides("in no distribution")(lambda self: None),
    }
    if example:
        attributes["example"] = lambda self: dict(example)
    return type(f"Test{plugin.__name__}", (base,), attributes)


def augmenting(plugin):
    return type(
        f"Test{plugin.__name__}", (suite(AugmenterSuite, plugin),), {"augmented": lambda self: EXAMPLE}
    )


AUDIO = music(rate_hz=8000, channels=1, frames=12001)
TestLevels = suite(FrontendSuite, streams.Levels)
TestLoudness = suite(TranscriberSuite, streams.Loudness)
TestTicker = suite(BeatTrackerSuite, streams.Ticker)
TestHalves = suite(SeparatorSuite, streams.Halves)
TestCounting = suite(
    ControllerSuite, streams.Counting, features=FEATURES, beats=Beats([0.05, 0.5, 2.0, 4.69])
)
TestThreshold = suite(BeatDecoderSuite, streams.Threshold, activations=BEAT_HEAD)
TestFilm = suite(RendererSuite, makers.Film, audio=AUDIO)
TestPage = suite(SinkSuite, makers.Page, text=PROMPT)
TestLearner = suite(TrainerSuite, makers.Learner, datasets=[Dataset({})])
TestLouder = augmenting(makers.Louder)
TestTone = suite(GeneratorSuite, makers.Tone, prompt=PROMPT)
TestConcat = suite(JoinerSuite, makers.Concat, items=[PROMPT, PROMPT])
TestBlend = suite(FrameDecoderSuite, makers.Blend, coefficients=np.linspace(0, 1, 5)[:, None])


@pytest.mark.parametrize(
    ("test_class", "test"),
    [
        (suite(BeatTrackerSuite, streams.Prophet), "test_its_output_is_not_later_than_its_latency"),
        (suite(BeatTrackerSuite, streams.Late), "test_its_output_is_not_later_than_its_latency"),
        (suite(RendererSuite, makers.LongFilm, audio=AUDIO), "test_the_result_is_what_it_declares"),
        (suite(RendererSuite, makers.EmptyFilm, audio=AUDIO), "test_the_result_is_what_it_declares"),
        (suite(SinkSuite, makers.LostPage, text=PROMPT), "test_the_result_is_what_it_declares"),
        (suite(TrainerSuite, makers.Cardless, datasets=[]), "test_the_result_is_what_it_declares"),
        (
            suite(FrameDecoderSuite, makers.FloatBlend, coefficients=np.ones((2, 1))),
            "test_the_result_is_what_it_declares",
        ),
        (augmenting(makers.Whim), "test_the_same_generator_draws_the_same"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_broken_promise_of_an_interface_is_caught(test_class, test):
    with pytest.raises(AssertionError):
        getattr(test_class(), test)()


@pytest.mark.parametrize(
    ("base", "missing"),
    [(RendererSuite, "example"), (AugmenterSuite, "augmented"), (PerformanceDecoderSuite, "example")],
)
def test_what_a_subclass_must_define_is_named(base, missing):
    with pytest.raises(NotImplementedError, match=rf"must define {missing}\(\)"):
        suite(base, makers.Film)().example()
    assert PerformanceDecoderSuite.interface is PerformanceDecoder


def test_what_cannot_be_cut_is_named():
    with pytest.raises(pytest.fail.Exception, match="Sections cannot be cut"):
        cut(Sections([0.0], [1.0], ("a",)), 0, 1, last=True)
    with pytest.raises(pytest.fail.Exception, match="nothing that streams"):
        clock({"text": PROMPT})


def test_a_digest_tells_long_arrays_of_an_example_apart():
    samples = np.zeros(5000)
    before = digest(makers.Example(samples, "a ramp"))
    samples[2500] = 1
    assert digest(makers.Example(samples, "a ramp")) != before
