import pytest

from ripieno.contracts import Hooks, PluginError
from ripieno.contracts.hooks import EVENTS
from ripieno.registry import Listeners

FACTS = {"step": "beats", "item": "a", "uses": "beat_tracker/x"}


class Recorder(Hooks):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def step_started(self, step: str, item: str, uses: str) -> None:
        self.heard.append((step, item, uses))

    def warned(self, message: str) -> None:
        self.heard.append(message)

    def helper(self, anything: int) -> None:
        raise AssertionError("is no event")


class Short(Recorder):
    def step_started(self, step: str) -> None:  # type: ignore[override]
        self.heard.append(step)


class Raising(Hooks):
    def step_started(self, step: str, item: str, uses: str) -> None:
        raise ValueError("no\n  disk")


@pytest.fixture
def said() -> list[str]:
    return []


def test_listeners_hear_what_they_define_in_the_order_they_came(said) -> None:
    listeners = Listeners(said.append)
    first, second = Recorder(), Recorder()
    second.heard = first.heard
    listeners.add(first)
    listeners.add(second)
    listeners.emit("step_started", **FACTS)
    listeners.emit("step_cached", step="beats", item="a")
    listeners.emit("warned", message="careful")
    assert first.heard == [("beats", "a", "beat_tracker/x")] * 2 + ["careful"] * 2
    assert said == []


def test_a_listener_may_leave_out_arguments(said) -> None:
    listeners = Listeners(said.append)
    short = Short()
    listeners.add(short)
    listeners.emit("step_started", **FACTS)
    assert short.heard == ["beats"]


def test_a_listener_that_raises_is_reported_and_keeps_nobody_from_hearing(said) -> None:
    listeners = Listeners(said.append)
    before, after = Recorder(), Recorder()
    for listener in (before, Raising(), after):
        listeners.add(listener)
    listeners.emit("step_started", **FACTS)
    assert before.heard == after.heard == [("beats", "a", "beat_tracker/x")]
    assert said == ["Raising: step_started raised ValueError: no disk"]


def test_every_event_can_be_emitted_to_nobody(said) -> None:
    listeners = Listeners(said.append)
    listeners.add(Hooks())
    for event, method in EVENTS.items():
        names = method.__code__.co_varnames[1 : method.__code__.co_argcount]
        listeners.emit(event, **dict.fromkeys(names, ""))
    assert said == []


def test_what_is_no_listener_is_refused_in_one_line(said) -> None:
    class Wrong(Hooks):
        def warned(self, message: str, loudness: int) -> None: ...  # type: ignore[override]

    listeners = Listeners(said.append)
    with pytest.raises(PluginError, match=r"^int is no listener\. Derive its class from Hooks"):
        listeners.add(3)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match=r"^Wrong is no listener: ") as caught:
        listeners.add(Wrong(), name="Wrong")
    assert "loudness" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_registered_listeners_are_built_and_broken_ones_reported(make_distribution, registry, said) -> None:
    make_distribution(
        "ripieno-log",
        entry_points={
            "ripieno.hooks": {name: f"ripieno_log:{name}" for name in ("Log", "NoHooks", "Failing", "Gone")}
        },
        modules={
            "ripieno_log.py": (
                "from ripieno.contracts import Hooks\nheard = []\n"
                "class Log(Hooks):\n    def warned(self, message): heard.append(message); raise OSError('full')\n"
                "class NoHooks: ...\n"
                "class Failing(Hooks):\n    def __init__(self): raise ValueError('no luck')\n"
            )
        },
    )
    listeners = registry.listeners(said.append)
    assert [line.partition(":")[0] for line in said] == [
        f"hook/{name} of ripieno-log 1.0" for name in ("Failing", "Gone")
    ] + ["hook/NoHooks of ripieno-log 1.0 is no listener. Derive its class from Hooks of ripieno.contracts"]
    assert "cannot be built: ValueError: no luck" in said[0]
    said.clear()
    listeners.emit("warned", message="careful")
    import ripieno_log  # type: ignore[import-not-found]

    assert ripieno_log.heard == ["careful"]
    assert said == ["hook/Log of ripieno-log 1.0: warned raised OSError: full"]
