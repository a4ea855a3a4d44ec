"""One piece of work: as text, done here, and what is refused of what a plugin gives or asks for."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Audio, Context, Scores, Stems, Text
from ripieno.contracts.errors import DamagedError, InputError, PluginError, StepError
from ripieno.core.jobs import Asks, Bench, Job, Taken, failure, map_jobs, named

KEY = "ab" + "0" * 62
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MAPS = st.dictionaries(TEXTS, JSON, max_size=3)
JOBS = st.builds(
    Job,
    verb=st.sampled_from(["call", "read", "write", "map"]),
    step=TEXTS,
    item=TEXTS,
    uses=TEXTS,
    settings=MAPS,
    ports=MAPS,
    key=TEXTS,
    seed=st.integers(0, 2**63 - 1),
    index=st.integers(0, 9),
    path=TEXTS,
    facts=MAPS,
    recipe=MAPS,
    timeout_s=st.none() | st.floats(0, 9),
)


@given(JOBS)
def test_a_job_is_a_line_of_text_and_back(job):
    assert "\n" not in job.text()
    assert Job.parse(job.text()) == job


def silence(duration_s):
    return Audio(np.zeros((1, round(8000 * duration_s)), np.float32), 8000)


@pytest.fixture
def bench(store, registry):
    return Bench(store, registry)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def asks(heard):
    return Asks(progress=lambda *facts: heard.append(facts), warn=heard.append)


@pytest.fixture
def call(store):
    """A job that calls a joiner on stored texts."""

    def call(uses, *texts, settings=None, port="text", **facts):
        taken = [
            asdict(Taken(store.put(Text(text)).digest, made_by="m: x", licences=({"name": "l"},)))
            for text in texts
        ]
        ports = {port: taken if port == "texts" else taken[0]}
        return Job("call", "step", "item", f"joiner/{uses}", settings or {}, ports, key=KEY, **facts)

    return call


def test_a_call_stores_its_results_and_records_them_under_the_key(bench, store, asks, call):
    done = bench.do(call("shout", "ah", settings={"mark": "?"}, recipe={"r": 1}), asks)
    (output,) = done["outputs"].values()
    assert store.get(output["digest"], bench.registry.kind).text == "AH?"
    record = store.find(KEY)
    assert (record.outputs[""].digest, record.recipe) == (output["digest"], {"r": 1})
    assert record.seconds == done["seconds"] >= 0
    assert not (store.folder / "checkpoints" / KEY).exists()


def test_several_results_are_stored_by_name(bench, asks, call):
    outputs = bench.do(call("counted", "a b"), asks)["outputs"]
    assert {name: stored["kind"] for name, stored in outputs.items()} == {"text": "text", "count": "scores"}


def test_lists_maps_and_provenance_reach_the_plugin(bench, store, asks, call):
    listed = bench.do(call("concat", "a", "b", port="texts"), asks)["outputs"][""]
    assert store.get(listed["digest"], bench.registry.kind).text == "a|b"
    job = call("table", "a", port="texts")
    mapped = bench.do(
        Job.parse(json.dumps({**asdict(job), "ports": {"texts": {"x": job.ports["texts"][0]}}})), asks
    )
    assert store.get(mapped["outputs"][""]["digest"], bench.registry.kind).text == "x=a"
    loaded = bench._load(job.ports["texts"][0])
    assert (loaded.provenance.made_by, loaded.provenance.licences[0].name) == ("m: x", "l")


def test_a_plugin_sees_headers_first_and_may_refuse(bench, asks, call):
    with pytest.raises(InputError, match="headers were seen"):
        bench.do(call("headed", "a", "b", port="texts"), asks)


def test_progress_and_warnings_are_passed_on_with_the_name_of_the_step(bench, asks, heard, call):
    bench.do(call("faulty", "a", settings={"fault": "prints"}), asks)
    assert heard == ["step item: a plugin that warns", (1, 2, "words")]


def test_jobs_of_a_map_are_done_here_where_nobody_else_does_them(bench, asks, store, call):
    done = bench.do(call("spread", "a", settings={"faults": ["none", "none"]}, seed=5), asks)
    first, second = json.loads(store.get(done["outputs"][""]["digest"], bench.registry.kind).text)
    assert first != second


def test_what_a_map_may_not_take_is_refused(bench, call):
    asks = Asks(progress=print, warn=print, map=lambda jobs: [bench.do(job, asks)["result"] for job in jobs])
    with pytest.raises(PluginError, match="takes a function at the top level of a plugin's module"):
        bench.do(call("spread", "a", settings={"timeless": True}), asks)
    with pytest.raises(PluginError, match="joiner/spread: what goes through context.map is plain JSON"):
        bench.do(call("spread", "a", settings={"unjson": True}), asks)
    here = bench.do(call("spread", "a", settings={"faults": ["none", "none"]}, seed=5), asks)
    alone = bench.do(call("spread", "a", settings={"faults": ["none", "none"]}, seed=5), Asks(print, print))
    assert here["outputs"] == alone["outputs"]


def top(job: object, context: Context) -> float:
    return float("nan")


def test_jobs_of_a_map_have_seeds_of_their_own_and_one_checkpoint(tmp_path):
    context = Context(tmp_path, tmp_path / "checkpoint", seed=3)
    jobs = map_jobs(Job("call", "s", "i", "joiner/x", facts={"f": 1}), top, [[1], "a"], context)
    assert [job.settings["job"] for job in jobs] == [[1], "a"]
    assert [job.seed for job in jobs] == [context.for_job(index, tmp_path).seed for index in (0, 1)]
    assert {(job.step, job.item, job.path, job.facts["f"]) for job in jobs} == {
        ("s", "i", str(tmp_path / "checkpoint"), 1)
    }
    assert [job.index for job in jobs] == [0, 1]


def test_a_result_of_a_map_is_json_too(bench, asks, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "bench_map", sys.modules[__name__])
    with pytest.raises(PluginError, match="what goes through context.map is plain JSON"):
        bench.do(Job("map", "s", "i", "bench_map:top", {"job": 1, "random": False}, path="x"), asks)


def test_an_input_is_read_and_an_output_written_in_one_move(bench, store, asks, write, tmp_path):
    read = bench.do(Job("read", "w", "", "codec/text", key=KEY, path=str(write("w.txt", "hello"))), asks)
    digest = read["outputs"][""]["digest"]
    target = tmp_path / "run" / "deep" / "o.txt"
    (tmp_path / "run").mkdir()
    ports = {"artifact": asdict(Taken(digest))}
    job = Job("write", "o", "", "codec/text", ports=ports, path=str(target), room=str(tmp_path / "run"))
    assert bench.do(job, asks) == {"path": str(target), "header": {"kind": "text"}}
    assert target.read_text(encoding="utf-8") == "hello"
    assert sorted(path.name for path in (tmp_path / "run").rglob("*")) == ["deep", "o.txt"]


def test_a_stem_is_taken_by_its_name(bench, store):
    stored = store.put(Stems({"a": silence(0.1), "b": Audio(np.full((1, 800), 0.5, np.float32), 8000)}))
    assert bench._load(asdict(Taken(stored.digest, "b"))).samples[0, 0] == 0.5


def test_a_built_plugin_is_kept(bench, call):
    job = call("shout", "a")
    assert bench._plugin(job) is bench._plugin(call("shout", "b"))
    assert bench._plugin(job) is not bench._plugin(call("shout", "a", settings={"mark": "x"}))


def test_results_of_other_types_than_the_signature_says_are_refused(registry):
    shout, counted, halves = (
        registry.build(uses, {}) for uses in ("joiner/shout", "joiner/counted", "separator/halves")
    )
    text, scores = Text(""), Scores({})
    sound = silence(0.1)
    assert named("u", shout, text) == {"": text}
    assert named("u", counted, (text, scores)) == {"text": text, "count": scores}
    stems = Stems({"right": sound, "left": sound})
    assert named("u", halves, stems) == {"": stems}
    for plugin, result, message in [
        (shout, None, "u returned NoneType, its signature says text"),
        (shout, (text,), "u returned tuple, its signature says text"),
        (shout, scores, "u returned scores, its signature says text"),
        (counted, text, "u returned text, its signature says text, scores"),
        (counted, (scores, text), "u returned scores, text, its signature says text, scores"),
        (halves, Stems({"left": sound}), "u returned the stems left, it says left, right"),
    ]:
        with pytest.raises(StepError, match=f"^{message}$"):
            named("u", plugin, result)


def test_a_mistake_is_one_line_and_a_bug_keeps_its_traceback():
    assert failure(InputError("not so")) == {"error": "not so"}
    assert failure(DamagedError("x/y"))["damaged"] == "x/y"
    try:
        raise ValueError("half: \ud800")
    except ValueError as error:
        found = failure(error)
    assert found["error"] == "ValueError: half: ?"
    assert found["traceback"].startswith("Traceback") and found["traceback"].encode()


@pytest.mark.parametrize(("uses", "device"), [("device", "cpu"), ("accelerated", "cuda")])
def test_who_asks_for_a_gpu_computes_there_and_nobody_else(bench, store, call, asks, uses, device):
    done = bench.do(call(uses, "a"), asks)
    assert store.get(done["outputs"][""]["digest"], bench.registry.kind).text == device
