"""The steps of a live path at work: the same as offline, for any blocks, wired and flushed in order."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import AudioFormat, InputError, SeriesFormat, StepError
from ripieno.contracts.errors import PipelineError
from ripieno.core.live.engine import Engine

RATE_HZ = 8000
MONO = AudioFormat(RATE_HZ, 1)
SONG = "name: p\nseed: 7\ninputs: {song: {kind: audio, path: song.numbers}}\nsteps:\n"
ONSETS = SONG + "  onsets: {uses: beat_tracker/onsets, in: {audio: song}}\n"
WIRED = SONG + (
    "  sides: {uses: separator/sides, in: {audio: song}}\n"
    "  held: {uses: effect/hold, in: {audio: sides.soft}}\n"
    "  peaks: {uses: frontend/peaks, in: {audio: held}}\n"
    "  onsets: {uses: beat_tracker/randomonsets, in: {audio: sides.loud}}\n"
    "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
)


def clicks(seconds=3.0, spb_s=0.5):
    """A click of a twentieth of a second on every beat, in soft noise."""
    rng = np.random.default_rng(1)
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    loud = (at_s % spb_s) < 0.05
    return (0.01 * rng.standard_normal(len(at_s)) + 0.9 * loud).astype(np.float32)[None]


@pytest.fixture
def engine(live, tmp_path):
    """The engine of a pipeline's text."""

    def engine(text, *, formats=None, **options):
        ready = live(text, **options)
        formats = formats or {"song": MONO}
        return Engine(ready.path, formats, registry=ready.registry, seed=ready.seed, folder=tmp_path)

    return engine


def heard(engine, samples, cuts=()):
    """Rows and events of every step, for a song cut into these blocks."""
    given = [one for block in np.split(samples, sorted(cuts), axis=1) for one in engine.push("song", block)]
    rows, events = {}, {}
    for one in [*given, *engine.flush()]:
        if one.chunk.samples is not None:
            rows.setdefault(one.step, []).append(one.chunk.samples)
        events.setdefault(one.step, []).extend(one.chunk.events)
    axis = {step: int(isinstance(format, AudioFormat)) for step, format in engine.steps.items()}
    return {step: np.concatenate(blocks, axis=axis[step]) for step, blocks in rows.items()}, events


def saved(write, samples):
    return write("song.numbers", " ".join(map(str, samples[0].tolist())))


@pytest.mark.parametrize("tracker", ["onsets", "randomonsets"])
@pytest.mark.parametrize("many", [False, True])
def test_live_and_offline_hear_the_same_beats(engine, run, write, tracker, many):
    text = ONSETS.replace("onsets,", f"{tracker},").replace("path:", f"many: {str(many).lower()}, path:")
    saved(write, clicks())
    result = run(text)
    offline = result["onsets"]["song"] if many else result["onsets"]
    _, events = heard(engine(text), clicks())
    live = [event for event in events["onsets"] if event.what == "beat"]
    assert [event.time_s for event in live] == offline.times_s.tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert [event.known_s for event in live] == offline.known_s.tolist()
    assert [event.value["position"] for event in live] == offline.positions.tolist()
    confidence = np.array([event.value["confidence"] for event in live], np.float32)
    np.testing.assert_array_equal(confidence, offline.confidence)


def test_another_seed_draws_other_numbers_and_the_same_seed_the_same(engine):
    text = ONSETS.replace("onsets,", "randomonsets,")

    def drawn(text):
        return [event.value["confidence"] for event in heard(engine(text), clicks())[1]["onsets"]]

    assert drawn(text) == drawn(text) != drawn(text.replace("seed: 7", "seed: 8"))


def test_everything_is_wired_and_flushed_as_offline(engine, run, write):
    """The peaks hear a stem that is held back to the end; then the count must still hear the peaks."""
    saved(write, clicks())
    rows, events = heard(engine(WIRED), clicks(), cuts=range(100, 24_000, 100))
    result = run(WIRED.partition("  count")[0])
    np.testing.assert_array_equal(rows["peaks"], result["peaks"].values)
    np.testing.assert_array_equal(rows["held"], result["held"].samples)
    beats = result["onsets"].times_s
    begun = np.searchsorted(beats, result["peaks"].times_s, side="right")
    np.testing.assert_allclose(rows["count"], result["peaks"].values * begun[:, None])
    assert {event.what for event in events["count"]} == {"counted"}


def test_any_blocks_give_the_same(engine):
    samples = clicks()
    expected_rows, expected_events = heard(engine(WIRED), samples)
    # What the count says of itself is a sum over whatever came at once.
    steps = ("sides", "held", "peaks", "onsets")

    @settings(max_examples=10)
    @given(st.lists(st.integers(0, samples.shape[1]), max_size=30))
    def check(cuts):
        rows, events = heard(engine(WIRED), samples, cuts)
        assert {step: rows[step].tobytes() for step in rows} == {
            step: expected_rows[step].tobytes() for step in expected_rows
        }
        assert {step: events[step] for step in steps} == {step: expected_events[step] for step in steps}

    check()


def test_pushes_of_no_and_of_one_sample_and_of_all_at_once_are_taken(engine):
    samples = clicks(0.2)
    one_by_one = heard(engine(ONSETS), samples, cuts=[0, 0, *range(samples.shape[1])])
    assert one_by_one[1] == heard(engine(ONSETS), samples)[1]


def test_reset_makes_it_as_new_random_numbers_too(engine):
    made = engine(WIRED)
    first = heard(made, clicks())
    made.reset()
    again = heard(made, clicks())
    assert again[1] == first[1]
    assert all(again[0][step].tobytes() == first[0][step].tobytes() for step in first[0])


def test_a_flush_before_any_sound_gives_nothing(engine):
    assert all(not one.chunk.events for one in engine(WIRED).flush())


def test_each_step_says_what_it_gives_and_how_late(engine):
    made = engine(WIRED)
    assert made.steps["sides"] == AudioFormat(RATE_HZ, 2)
    assert made.steps["held"] == MONO
    assert made.steps["peaks"] == SeriesFormat(20, ("peak",))
    # Latencies add up along the longest way.
    assert made.latency_s == pytest.approx(
        {"sides": 0, "held": 3600, "peaks": 3600.05, "onsets": 0.05, "count": 3600.1}
    )


def test_stems_of_a_stereo_song_keep_both_channels(engine):
    made = engine(WIRED, formats={"song": AudioFormat(RATE_HZ, 2)})
    samples = np.concatenate([clicks(), 0.5 * clicks()])
    rows, _ = heard(made, samples)
    np.testing.assert_array_equal(rows["held"], np.float32(0.25) * samples)


def test_a_port_of_the_clock_gets_its_rows(engine, run, write):
    saved(write, clicks())
    follow = "  follow: {uses: controller/follow, in: {clock: onsets.clock}}\n"
    rows, _ = heard(engine(ONSETS + follow), clicks(), cuts=[100, 10_000])
    np.testing.assert_array_equal(rows["follow"], run(ONSETS)["onsets.clock"].rows)
    with pytest.raises(PipelineError, match=r'"onsets" \(beat_tracker/beatsalone\) gives events alone live'):
        engine((ONSETS + follow).replace("tracker/onsets", "tracker/beatsalone"))


def test_two_inputs_meet_by_their_times(engine, live, tmp_path):
    text = SONG.replace("inputs: {", "inputs: {voice: {kind: audio}, ") + (
        "  peaks: {uses: frontend/peaks, in: {audio: voice}}\n"
        "  onsets: {uses: beat_tracker/onsets, in: {audio: song}}\n"
        "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    ready = live(text, "song=mic", "voice=ws")
    formats = {"song": MONO, "voice": AudioFormat(2 * RATE_HZ, 1)}
    made = Engine(ready.path, formats, registry=ready.registry, seed=0, folder=tmp_path)
    counted = []
    for first, second in zip(np.split(clicks(), 30, axis=1), np.ones((30, 1, 1600), np.float32), strict=True):
        given = [*made.push("voice", second), *made.push("song", first)]
        counted += [one.chunk.samples[:, 0].tolist() for one in given if one.step == "count"]
    counted = [row for rows in counted for row in rows]
    assert counted == [1.0 + frame // 10 for frame in range(len(counted))] and len(counted) >= 58


def test_a_step_that_refuses_its_input_is_named_and_so_is_one_that_has_had_enough(engine):
    text = SONG + "  a: {uses: effect/fussy, in: {audio: song}, with: {until_s: 1}}\n"
    with pytest.raises(StepError, match=r'^step "a" \(effect/fussy\): I take mono$'):
        engine(text, formats={"song": AudioFormat(RATE_HZ, 2)})
    made = engine(text)
    made.push("song", clicks(0.5))
    with pytest.raises(StepError, match=r'^step "a" \(effect/fussy\): I have had enough$'):
        made.push("song", clicks(0.5))


def test_a_bug_stays_a_bug_and_says_where(engine):
    text = SONG + "  a: {uses: effect/fussy, in: {audio: song}, with: {until_s: 0, bug: true}}\n"
    with pytest.raises(ZeroDivisionError) as caught:
        engine(text).push("song", clicks(0.5))
    assert caught.value.__notes__ == ['in step "a" (effect/fussy)']


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("late", "its session is inf s late: a latency is finite, and not negative"),
        ("no format", "its session has the format None, which is no format of a stream"),
        ("nothing", "its session gave NoneType, expected Chunk"),
        ("narrow", "its session gave samples of shape (2, 2), expected [any, 11]"),
        ("flat", "its session gave samples of shape (2,), expected [any, 11]"),
        ("back", "its session's watermark went from 0.0 s to -0.1 s"),
        ("nan", "its session gave NaN or infinite samples"),
        ("events alone", "its session gave samples, and says that it gives events alone"),
        ("reserved", "its session gave an event 'end', which is a word of the run's own"),
        ("never", "its session gave a beat at nan s, known at 1.0 s"),
        ("no JSON", "its session gave a beat with a value that is no JSON: Object of type int64"),
    ],
)
def test_a_session_that_gives_what_none_may_is_named_with_its_fault(engine, fault, message):
    text = ONSETS.replace(
        "onsets, in: {audio: song}", f"wrong, in: {{audio: song}}, with: {{fault: {fault}}}"
    )
    with pytest.raises(StepError) as caught:
        engine(text).push("song", clicks(0.1))
    assert str(caught.value).startswith(f'step "onsets" (beat_tracker/wrong): {message}')


def test_a_step_cannot_change_what_others_hear(engine):
    text = ONSETS.replace("onsets, in: {audio: song}", "wrong, in: {audio: song}, with: {fault: writes}")
    samples = clicks(0.1)
    with pytest.raises(ValueError, match="read-only"):
        engine(text).push("song", samples)
    np.testing.assert_array_equal(samples, clicks(0.1))
    made = [one.chunk.samples for one in engine(WIRED).push("song", samples)]
    assert not any(rows.flags.writeable for rows in made if rows is not None)


def test_sections_flow_as_events(engine):
    text = ONSETS + (
        "  form: {uses: structure_analyzer/form, in: {audio: song, beats: onsets}}\n"
        "  marks: {uses: controller/marks, in: {sections: form}}\n"
    )
    rows, events = heard(engine(text), clicks(), cuts=range(80, 24_000, 80))
    assert set(rows) == {"onsets"}
    assert [(event.time_s, event.known_s) for event in events["form"]] == [(0, 1), (1, 2), (2, 3)]
    assert [event.value for event in events["marks"]] == [event.value for event in events["form"]]


def test_a_step_takes_the_events_of_one_that_gives_nothing_else(engine):
    text = ONSETS.replace("tracker/onsets", "tracker/beatsalone") + (
        "  peaks: {uses: frontend/peaks, in: {audio: song}}\n"
        "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    rows, events = heard(engine(text), clicks(), cuts=range(80, 24_000, 80))
    loud = rows["peaks"][:, 0] > 0.5
    assert len(events["onsets"]) == loud.sum() > 0 and "onsets" not in rows
    # A beat is at the end of a loud frame, so the next frame is the first after it.
    begun = np.cumsum(loud) - loud
    np.testing.assert_allclose(rows["count"][:, 0], rows["peaks"][:, 0] * begun)


def test_a_block_with_other_channels_is_refused(engine):
    with pytest.raises(InputError, match=r"song: a block of shape \(2, 8\).*with 1 channels"):
        engine(ONSETS).push("song", np.zeros((2, 8), np.float32))


def test_settings_are_checked_before_anything_is_heard(live):
    with pytest.raises(PipelineError, match="unknown setting"):
        live(ONSETS.replace("{audio: song}}", "{audio: song}, with: {loud: 1}}"))
