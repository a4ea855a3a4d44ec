"""Ports are read off a verb's signature; what is no port is refused with file, line and cure."""

import inspect
from typing import Any, NamedTuple, Optional

import pytest

from ripieno.contracts import (
    Audio,
    Beats,
    BeatTracker,
    Controller,
    Effect,
    Features,
    Joiner,
    Model,
    NoConfig,
    PluginError,
    Scores,
    Separator,
    Stems,
    StructureAnalyzer,
    Tracked,
    Trajectory,
    Video,
)
from ripieno.contracts.interfaces import INTERFACES
from ripieno.contracts.ports import Port, check_interface, signature


def joiner(verb):
    class Made(Joiner[NoConfig]):
        join = verb

    return Made


def join(
    self,
    audio: Audio,
    videos: list[Video],
    stems: dict[str, Audio],
    *,
    beats: Beats | None = None,
    model: Optional[Model] = None,  # noqa: UP045
    more: list[Features] | None = None,
) -> Tracked: ...


def test_every_form_of_a_port_is_read():
    made = signature(joiner(join))
    assert made.ports == (
        Port("audio", "audio"),
        Port("videos", "video", "list"),
        Port("stems", "audio", "dict"),
        Port("beats", "beats", required=False),
        Port("model", "model", required=False),
        Port("more", "features", "list", required=False),
    )
    assert (made.kind, made.fields) == ("beats", (("beats", "beats"), ("clock", "beat_clock")))


def untyped(self, audio) -> Audio: ...
def number(self, factor: float) -> Audio: ...
def defaulted(self, factor: Audio = 3) -> Audio: ...
def false_default(self, audio: Audio = 0) -> Audio: ...
def implicit(self, audio: Audio = None) -> Audio: ...
def undefaulted(self, audio: Audio | None) -> Audio: ...
def either(self, audio: Audio | Beats | None = None) -> Audio: ...
def either_required(self, audio: Audio | Beats) -> Audio: ...
def several(self, *audio: Audio) -> Audio: ...
def named(self, **audio: Audio) -> Audio: ...
def bare_list(self, audio: list) -> Audio: ...
def tuples(self, audio: tuple[Audio, ...]) -> Audio: ...
def numbered(self, audio: dict[int, Audio]) -> Audio: ...
def nested(self, audio: list[list[Audio]]) -> Audio: ...
def anything(self, audio: Any) -> Audio: ...
def unknown(self, audio: "Unheard") -> Audio: ...  # noqa: F821


@pytest.mark.parametrize(
    "verb",
    [
        *(untyped, number, defaulted, false_default, implicit, undefaulted, either, either_required),
        *(several, named, bare_list, tuples, numbered, nested, anything),
    ],
    ids=lambda verb: verb.__name__,
)
def test_what_is_no_port_is_refused_with_its_place_and_cure(verb):
    with pytest.raises(PluginError, match=r"T \| None = None, list\[T\] or dict\[str, T\]") as refused:
        signature(joiner(verb))
    assert f"{__file__}:{inspect.getsourcelines(verb)[1]}: parameter " in str(refused.value)


def test_a_type_that_is_not_imported_is_refused_with_its_place():
    with pytest.raises(PluginError, match=r"test_ports\.py:\d+: name 'Unheard' is not defined"):
        signature(joiner(unknown))


class Pair(NamedTuple):
    video: Video
    seconds: float


def no_result(self, audio: Audio): ...
def none(self, audio: Audio) -> None: ...
def listed(self, audio: Audio) -> list[Audio]: ...
def mixed(self, audio: Audio) -> Pair: ...


@pytest.mark.parametrize("verb", [no_result, none, listed, mixed], ids=lambda verb: verb.__name__)
def test_a_result_that_is_no_artifact_is_refused(verb):
    with pytest.raises(
        PluginError, match=r"test_ports\.py:\d+: returns .* an artifact class or a NamedTuple"
    ):
        signature(joiner(verb))


class Tracker(BeatTracker[NoConfig]):
    """Keyword-only and optional ports may be added."""

    def track(self, audio: Audio, *, model: Model | None = None) -> Tracked: ...


class Steering(Controller[NoConfig]):
    """An open interface leaves its ports to the plugin."""

    def control(self, features: Features, beats: Beats) -> Trajectory: ...


class Joining(Joiner[NoConfig]):
    """A joiner gives what it joins."""

    def join(self, items: list[Scores]) -> Scores: ...


@pytest.mark.parametrize(
    ("plugin", "interface"), [(Tracker, BeatTracker), (Steering, Controller), (Joining, Joiner)]
)
def test_what_callers_of_the_interface_can_call_is_kept(plugin, interface):
    check_interface(plugin, interface)


class Renamed(Separator[NoConfig]):
    def separate(self, sound: Audio) -> Stems: ...


class Demanding(Effect[NoConfig]):
    def process(self, audio: Audio, *, beats: Beats) -> Audio: ...


class Positional(Effect[NoConfig]):
    def process(self, audio: Audio, beats: Beats | None = None) -> Audio: ...


class Lacking(StructureAnalyzer[NoConfig]):
    def analyze(self, audio: Audio) -> Any: ...


class Otherwise(Effect[NoConfig]):
    def process(self, audio: Audio) -> Stems: ...


class HalfTracker(BeatTracker[NoConfig]):
    def track(self, audio: Audio) -> Beats: ...


@pytest.mark.parametrize(
    ("plugin", "interface", "message"),
    [
        (Renamed, Separator, r"Separator\.separate takes audio"),
        (Demanding, Effect, r"further ports stand behind \* and are T \| None = None"),
        (Positional, Effect, "further ports stand behind"),
        (Otherwise, Effect, r"gives stems, where Effect\.process gives audio"),
        (HalfTracker, BeatTracker, "gives beats, where .* gives beats: beats, clock: beat_clock"),
        (Lacking, StructureAnalyzer, "returns typing.Any|returns Any"),
    ],
)
def test_what_callers_of_the_interface_cannot_call_is_refused(plugin, interface, message):
    with pytest.raises(PluginError, match=message):
        check_interface(plugin, interface)


def test_group_and_prefix_follow_one_rule():
    for interface in INTERFACES:
        assert interface.group == f"ripieno.{interface.prefix}s"
        camel = "".join(part.capitalize() for part in interface.prefix.split("_"))
        assert interface.__name__.endswith(camel)
        assert interface.verb in vars(interface)
        assert getattr(vars(interface)[interface.verb], "__isabstractmethod__", False)
