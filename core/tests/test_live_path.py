"""Which steps of a pipeline run live, and what is said of those that do not."""

import pytest

from ripieno.contracts.errors import PipelineError
from ripieno.core.live.sources import Asked, parse_sources

SONG = "name: p\ninputs: {song: {kind: audio}}\n"
BOTH = SONG + (
    "steps:\n"
    "  peaks: {uses: frontend/filepeaks, in: {audio: song}}\n"
    "  onsets: {uses: beat_tracker/onsets, in: {audio: song}}\n"
)


def refused(live, text, *sources, **options):
    with pytest.raises(PipelineError) as caught:
        live(text, *sources, **options)
    return str(caught.value)


def test_steps_that_stream_run_and_the_others_are_left_out_and_listed(live):
    path = live(BOTH).path
    assert path.steps == ("onsets",)
    assert path.left_out == {"peaks": "frontend/filepeaks does not stream"}


def test_what_only_a_step_left_out_needs_is_left_out_too(live):
    path = live(BOTH + "  film: {uses: effect/phone, in: {audio: song}}\n").path
    assert [node.name for node in path.nodes] == ["onsets"]


def test_a_step_that_cannot_stream_and_is_needed_is_refused_by_name_with_what_can_be_run(live):
    message = refused(
        live, BOTH + "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    assert ':7:3: step "count" takes "peaks", which cannot run live: frontend/filepeaks does not' in message
    assert message.endswith("To run what can: --only onsets")


def test_what_follows_from_a_refusal_is_not_refused_again(live):
    text = BOTH.replace("onsets, in: {audio: song}", "onsets, in: {audio: soft}") + (
        "  held: {uses: effect/hold, in: {audio: slow}}\n"
        "  soft: {uses: effect/hold, in: {audio: held}}\n"
        "  slow: {uses: effect/whole, in: {audio: song}}\n"
    )
    message = refused(live, text)
    assert message.count('step "') == 1 and 'step "held" takes "slow"' in message


def test_only_the_steps_asked_for_run(live):
    text = BOTH + "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    assert live(text, only=["onsets"]).path.steps == ("onsets",)


def test_a_decoder_that_does_not_stream_is_named_where_it_hides(live):
    message = refused(live, SONG + "steps: {beats: {uses: beat_tracker/decoded, in: {audio: song}}}")
    assert "beats: beat_tracker/decoded has decoder/offline in it, which does not stream" in message


def test_a_port_that_takes_a_list_does_not_stream(live):
    path = live(BOTH + "  all: {uses: controller/gather, in: {features: [peaks]}}\n").path
    assert path.left_out["all"] == 'its port "features" takes many, and only one thing at a time streams'


def test_a_pipeline_in_which_nothing_streams_says_so_with_every_reason(live):
    message = refused(live, SONG + "steps: {peaks: {uses: frontend/filepeaks, in: {audio: song}}}")
    assert message == "p: no step of it can run live (peaks: frontend/filepeaks does not stream)"


def test_an_input_without_a_source_is_asked_for_where_a_live_step_needs_it(live):
    text = (
        "name: p\ninputs: {song: {kind: audio}, voice: {kind: audio, path: no-such-file.numbers}}\n"
        "steps:\n"
        "  peaks: {uses: frontend/peaks, in: {audio: song}}\n"
        "  onsets: {uses: beat_tracker/onsets, in: {audio: voice}}\n"
        "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    assert live(text, "song=mic", "voice=ws").path.steps == ("peaks", "onsets", "count")
    message = refused(live, text, "song=mic")
    assert 'step "count" takes "onsets", which cannot run live: takes voice, without a live source' in message
    assert live(text, "song=mic", only=["peaks"]).path.steps == ("peaks",)


def test_an_input_that_is_no_sound_cannot_be_taken_live(live):
    text = (
        "name: p\ninputs: {song: {kind: audio}, peaks: {kind: features}}\nsteps:\n"
        "  onsets: {uses: beat_tracker/onsets, in: {audio: song}}\n"
        "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    said = 'takes the input "peaks", which has no live source. A live source gives audio, no features'
    assert said in refused(live, text, "song=mic")


def test_adapters_come_along_and_are_no_steps(live):
    live_path = live(SONG + "steps: {radio: {uses: effect/hold, in: {audio: song}}}").path
    assert [node.name for node in live_path.nodes] == list(live_path.steps) == ["radio"]


def test_a_list_input_is_a_list_of_one_and_no_file_is_looked_for(live, planned):
    text = (
        "name: p\ninputs: {album: {kind: audio, path: 'no-such-folder/*.numbers'}}\n"
        "steps: {onsets: {uses: beat_tracker/onsets, in: {audio: album}}}\n"
        "outputs: {onsets: '{item}.beats'}\n"
    )
    plan = live(text, "album=file:x/one.numbers").path.plan
    assert [task.item for task in plan.tasks if task.node == "onsets"] == [("one",)]
    assert all(node.role != "output" for node in plan.nodes.values())


def test_lists_that_go_along_each_other_stay_one_list(live):
    text = (
        "name: p\ninputs:\n  album: {kind: audio, many: true}\n  voices: {kind: audio, along: album}\n"
        "steps:\n"
        "  peaks: {uses: frontend/peaks, in: {audio: album}}\n"
        "  onsets: {uses: beat_tracker/onsets, in: {audio: voices}}\n"
        "  count: {uses: controller/count, in: {features: peaks, beats: onsets}}\n"
    )
    plan = live(text, "voices=stdin", "album=mic").path.plan
    assert {task.item for task in plan.tasks} == {("mic",)}


def test_a_source_that_no_live_step_takes_is_said_to_be_needless(live):
    text = (
        "name: p\ninputs: {song: {kind: audio}, voice: {kind: audio}}\n"
        "steps: {onsets: {uses: beat_tracker/onsets, in: {audio: song}}}\n"
    )
    assert refused(live, text, "song=mic", "voice=ws").startswith(
        "no step that runs live takes the input 'voice'"
    )


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("mic", Asked("song", "mic")),
        ("song=stdin", Asked("song", "stdin")),
        ("ws", Asked("song", "ws")),
        ("file:a=b.wav", Asked("song", "file", "a=b.wav")),
        ("song=file:C:\\music\\a.wav", Asked("song", "file", "C:\\music\\a.wav")),
    ],
)
def test_a_source_is_read_with_and_without_its_input(pipeline, text, asked):
    parsed = pipeline(SONG + "steps: {onsets: {uses: beat_tracker/onsets, in: {audio: song}}}")
    assert parse_sources([text], parsed) == (asked,)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["sond=mic"], "--source sond=mic: no input 'sond'. Audio inputs: song, voice. Did you mean \"song\"?"),
        (["mic"], "--source mic: which input is it for, song or voice? Write --source song=mic"),
        (["words=mic"], "--source words=mic: the input 'words' is text, a source gives audio"),
        (["song=stdn"], "--source song=stdn: a source is mic, stdin, ws or file:PATH. Did you mean \"stdin\"?"),
        (["song=file:"], "--source song=file:: a source is mic, stdin, ws or file:PATH"),
        (["song=mic:1"], "--source song=mic:1: a source is mic, stdin, ws or file:PATH. Did you mean \"mic\"?"),
        (["song=mic", "song=ws"], "--source song= is given twice: an input has one source"),
        (["song=stdin", "voice=stdin"], "--source stdin is given twice: there is one standard input"),
        (["song=ws", "voice=ws"], "--source ws is given twice: one client sends at a time"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_says_what_is_wrong(pipeline, texts, message):
    inputs = "inputs: {song: {kind: audio}, voice: {kind: audio}, words: {kind: text}}\n"
    parsed = pipeline(f"name: p\n{inputs}steps: {{a: {{uses: beat_tracker/onsets, in: {{audio: song}}}}}}")
    with pytest.raises(PipelineError) as caught:
        parse_sources(texts, parsed)
    assert str(caught.value) == message


def test_a_bare_path_gets_the_word_that_is_missing(pipeline, write):
    file = write("song.wav")
    parsed = pipeline(SONG + "steps: {onsets: {uses: beat_tracker/onsets, in: {audio: song}}}")
    with pytest.raises(PipelineError, match="For a file, write file:"):
        parse_sources([str(file)], parsed)


def test_a_pipeline_without_sound_says_so(pipeline):
    parsed = pipeline("name: p\ninputs: {w: {kind: text}}\nsteps: {a: {uses: joiner/shout, in: {text: w}}}")
    with pytest.raises(PipelineError, match="--source mic: p has no audio input"):
        parse_sources(["mic"], parsed)
