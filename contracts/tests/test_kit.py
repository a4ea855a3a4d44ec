"""The kit passes plugins that keep the contract and catches each way of breaking it."""

import sys
from pathlib import Path

import kit_heavy
import kit_plugins as plugins
import numpy as np
import pytest

from ripieno.contracts import (
    Audio,
    InputError,
    PluginError,
    Text,
)
from ripieno.contracts.testing import (
    CodecSuite,
    DataSourceSuite,
    EffectSuite,
    FrameEffectSuite,
    FrontendSuite,
    MetricSuite,
    SeparatorSuite,
    StructureAnalyzerSuite,
    overrides,
)

pytest_plugins = ["pytester"]
DISCOVERED = "test_it_is_found_as_an_entry_point"
undiscovered = overrides("it lives in a test, in no distribution")


def suite(base, plugin, **attributes):
    """A suite over a plugin of this folder, which no distribution names."""
    test = undiscovered(lambda self: None)
    return type(f"Test{plugin.__name__}", (base,), {"plugin": plugin, DISCOVERED: test, **attributes})


def passed(test_class, name):
    try:
        getattr(test_class(), name)()
    except AssertionError:
        return False
    return True


class TestGain(EffectSuite):
    plugin = plugins.Gain
    config = plugins.GainConfig(gain=0.3)

    @undiscovered
    def test_it_is_found_as_an_entry_point(self):
        assert not passed(type("Found", (EffectSuite,), {"plugin": plugins.Gain}), DISCOVERED)


TestHopped = suite(EffectSuite, plugins.Hopped, rate_hz=8000, inputs=lambda self, case: self.example())
TestDithering = suite(EffectSuite, plugins.Dithering)
TestHalves = suite(SeparatorSuite, plugins.Halves)
TestLevels = suite(FrontendSuite, plugins.Levels)
TestMapping = suite(EffectSuite, plugins.Mapping)


@pytest.mark.parametrize(
    ("base", "plugin", "test"),
    [
        (EffectSuite, plugins.Mutating, "test_inputs_stay_as_they_are"),
        (EffectSuite, plugins.Wavering, "test_the_same_call_gives_the_same_bytes"),
        (EffectSuite, plugins.Remembering, "test_a_call_leaves_no_state_behind"),
        (EffectSuite, plugins.Mistaken, "test_the_result_is_what_it_declares"),
        (EffectSuite, plugins.Undescribed, "test_every_setting_is_described"),
        (EffectSuite, plugins.Unlicensed, "test_what_it_ships_has_a_licence"),
        (EffectSuite, plugins.Calling, "test_it_is_built_in_a_new_process_without_network"),
        (EffectSuite, plugins.MappingUnsaid, "test_the_same_call_gives_the_same_bytes"),
        (EffectSuite, plugins.MappingClosure, "test_the_same_call_gives_the_same_bytes"),
        (EffectSuite, kit_heavy.Heavy, "test_its_module_imports_nothing_heavy"),
        (EffectSuite, plugins.Blocky, "test_any_block_size_gives_the_same"),
        (EffectSuite, plugins.Blocky, "test_pushes_of_none_and_of_one_sample_are_taken"),
        (EffectSuite, plugins.Hasty, "test_its_output_is_not_later_than_its_latency"),
        (EffectSuite, plugins.Boastful, "test_its_output_is_not_later_than_its_latency"),
        (EffectSuite, plugins.Forgetful, "test_flush_and_reset_make_it_as_new"),
        (EffectSuite, plugins.Otherwise, "test_the_session_gives_what_the_verb_gives"),
        (EffectSuite, plugins.Halves, "test_it_derives_from_the_interface"),
        (SeparatorSuite, plugins.Misnamed, "test_silence_is_taken"),
        (SeparatorSuite, plugins.Shortening, "test_an_odd_length_is_taken"),
        (StructureAnalyzerSuite, plugins.Gapped, "test_silence_is_taken"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_broken_plugin_fails_the_test_of_what_it_breaks(base, plugin, test):
    assert not passed(suite(base, plugin), test)


@pytest.mark.parametrize(
    ("plugin", "test", "error"),
    [
        (plugins.Dividing, "test_silence_is_taken", InputError),
        (plugins.Covert, "test_the_same_call_gives_the_same_bytes", PluginError),
        (plugins.Silent, "test_it_streams_if_and_only_if_it_says_so", PluginError),
    ],
)
def test_what_a_plugin_raises_is_not_hidden(plugin, test, error):
    with pytest.raises(error):
        getattr(suite(EffectSuite, plugin)(), test)()


def test_removing_an_inherited_test_is_refused():
    with pytest.raises(TypeError, match="removes test_silence_is_taken"):
        type("TestRemoved", (EffectSuite,), {"test_silence_is_taken": None})


def test_a_class_before_the_suite_cannot_remove_a_test_either():
    mixin = type("Mixin", (), {"test_silence_is_taken": None})
    with pytest.raises(TypeError, match="removes test_silence_is_taken"):
        type("TestRemoved", (mixin, EffectSuite), {})


def test_replacing_an_inherited_test_needs_a_reason():
    with pytest.raises(TypeError, match="Say why"):
        type("TestReplaced", (EffectSuite,), {"test_silence_is_taken": lambda self: None})
    with pytest.raises(TypeError, match="reason"):
        overrides(" ")
    type("TestReplaced", (EffectSuite,), {"test_silence_is_taken": undiscovered(lambda self: None)})


def test_a_plugin_that_does_not_stream_is_skipped_by_name():
    with pytest.raises(pytest.skip.Exception, match="does not stream"):
        suite(EffectSuite, plugins.Dithering)().test_any_block_size_gives_the_same()


def test_pytest_runs_the_inherited_tests_of_a_class(pytester):
    pytester.makepyfile(
        test_it="""
        import kit_plugins
        from ripieno.contracts.testing import SeparatorSuite

        class TestConformance(SeparatorSuite):
            plugin = kit_plugins.Misnamed
        """
    )
    pytester.syspathinsert(Path(plugins.__file__).parent)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert result.parseoutcomes()["failed"] >= 8
    result.stdout.fnmatch_lines(["*stems are not output_names*"])


def test_the_kit_is_what_brings_pytest(pytester):
    code = "import sys, ripieno.contracts.interfaces as _; sys.exit('pytest' in sys.modules)"
    assert pytester.run(sys.executable, "-c", code).ret == 0


class TestCounting(MetricSuite):
    plugin = plugins.Counting
    test_it_is_found_as_an_entry_point = undiscovered(lambda self: None)

    def example(self):
        return {"text": Text("abc")}


TestDiary = suite(DataSourceSuite, plugins.Diary)


TestInvert = suite(FrameEffectSuite, plugins.Invert)


def test_a_frame_effect_that_writes_into_its_frames_is_caught():
    assert not passed(suite(FrameEffectSuite, plugins.Writing), "test_inputs_stay_as_they_are")


TestEcho = suite(FrameEffectSuite, plugins.Echo)


def test_a_frame_effect_that_counts_the_frames_of_a_call_is_caught():
    test = "test_what_it_gives_does_not_depend_on_how_frames_are_dealt_out"
    assert not passed(suite(FrameEffectSuite, plugins.Counted), test)


def test_a_frame_effect_that_keeps_quiet_about_looking_back_is_caught():
    test = "test_what_it_gives_does_not_depend_on_how_frames_are_dealt_out"
    quiet = type("Quiet", (plugins.Echo,), {"__doc__": "Looks back.", "lead_frames": 0})
    assert not passed(suite(FrameEffectSuite, quiet), test)


def test_a_codec_that_loses_content_is_caught():
    from ripieno.contracts import Beats

    codec = suite(CodecSuite, plugins.Rounding, artifact=lambda self: Beats(np.array([0.4, 1.6])))
    assert not passed(codec, "test_what_it_writes_it_reads_again")


def test_an_effect_may_not_invent_sound():
    class Ringing(plugins.Gain):
        """Rings on."""

        causal = False

        def process(self, audio: Audio) -> Audio:
            return Audio(np.zeros((1, 100), np.float32), audio.rate_hz)

    assert not passed(suite(EffectSuite, Ringing), "test_empty_audio_is_taken")
