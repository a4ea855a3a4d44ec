import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ripieno.contracts import Audio, AudioFormat, Chunk, InputError, Latency, PluginError, PluginRef
from ripieno.contracts.streaming import run_offline
from ripieno.contracts.testing import BeatTrackerSuite
from ripieno.toolkit.resampling import PolyphaseResampler
from ripieno_beat_decoders.forward import BarPointerForward
from ripieno_beat_decoders.particle import ParticleFilter
from ripieno_beat_decoders.viterbi import BarPointerViterbi
from ripieno_beatnet.activations import RATE_HZ, ActivationsConfig, BeatNetActivations
from ripieno_beatnet.tracker import BeatNet, BeatNetConfig

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
SONGS = [
    DATA / "annotated" / "authored" / "authored_pop_120.ogg",
    DATA / "annotated" / "authored" / "authored_waltz_96.ogg",
    DATA / "music" / "naev_upbeat.ogg",
]
MONO = {"audio": AudioFormat(RATE_HZ, 1)}


def tracker(decoder: object = None, **settings: object) -> BeatNet:
    return BeatNet(BeatNetConfig(decoder=PluginRef.of(decoder or BarPointerForward()), **settings))


def clicks(*, tempo_bpm: float = 120, first_s: float = 0.5, seconds: float = 12) -> Audio:
    starts = np.round(np.arange(first_s, seconds - 0.1, 60 / tempo_bpm) * RATE_HZ).astype(int)
    samples = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE_HZ))
    click = np.exp(-np.arange(800) / 100) * np.sin(2 * np.pi * 1500 * np.arange(800) / RATE_HZ)
    for start in starts:
        samples[start : start + 800] += click
    return Audio(samples.astype(np.float32), RATE_HZ)


class TestConformance(BeatTrackerSuite):
    plugin = BeatNet
    config = BeatNetConfig(decoder=PluginRef.of(BarPointerForward()))


class TestConformanceWithoutCues(BeatTrackerSuite):
    plugin = BeatNet
    config = BeatNetConfig(decoder=PluginRef.of(BarPointerForward()), cues=False)


@pytest.mark.parametrize("decoder", [BarPointerForward, BarPointerViterbi, ParticleFilter])
@pytest.mark.parametrize("cues", [True, False])
def test_any_decoder_finds_the_beats_of_a_click_track(decoder, cues):
    tracked = tracker(decoder(), cues=cues).track(clicks(tempo_bpm=100, seconds=20))
    expected_s = np.arange(0.5 + 8 * 0.6, 18, 0.6)
    distance_s = np.abs(np.subtract.outer(expected_s, tracked.beats.times_s)).min(axis=1)
    assert (distance_s < 0.07).mean() > 0.9
    octaves = np.log2(np.median(tracked.clock.tempo_bpm[500:]) / 100)
    assert octaves == pytest.approx(round(octaves), abs=0.04)


def test_without_cues_it_is_the_transcriber_and_the_decoder_in_a_row():
    audio = clicks()
    activations = BeatNetActivations(ActivationsConfig(weights=2)).transcribe(audio)
    alone = BarPointerForward().decode(activations)
    together = tracker(weights=2, cues=False).track(audio)
    np.testing.assert_array_equal(together.beats.times_s, alone.beats.times_s)
    np.testing.assert_array_equal(together.clock.rows, alone.clock.rows)


def test_a_decoder_that_does_not_stream_is_refused_live_and_taken_offline():
    beatnet = tracker(BarPointerViterbi())
    with pytest.raises(PluginError, match="does not stream, so .* take decoder/bar_pointer_forward"):
        beatnet.stream(MONO)
    assert len(beatnet.track(clicks()).beats.times_s)


def test_other_formats_are_refused_with_the_cure():
    with pytest.raises(InputError, match=r"effect/downmix .* effect/resample"):
        tracker().track(Audio(np.zeros((2, 100)), 44100))


def test_a_rate_that_changes_while_it_streams_is_refused():
    session = tracker().stream(MONO)
    session.push(audio=Chunk(1.0, np.zeros((1, RATE_HZ), np.float32)))
    with pytest.raises(InputError, match="its rate changed"):
        session.push(audio=Chunk(2.0, np.zeros((1, 48000), np.float32)))


def test_latency_is_that_of_window_decoder_and_hop():
    decoder = BarPointerForward()
    waited = decoder.stream({"activations": BeatNetActivations().stream(MONO).format}).latency
    latency = tracker(decoder, cues=False).stream(MONO).latency
    assert latency == Latency(705 / RATE_HZ, waited.window_s + waited.lookahead_s, 441 / RATE_HZ)


@pytest.mark.parametrize("cues", [True, False])
def test_a_click_that_moves_changes_nothing_that_was_known_a_latency_before_it(cues):
    beatnet = tracker(cues=cues)
    latency, audio = beatnet.stream(MONO).latency, clicks()
    first = round(7.5 * RATE_HZ)
    moved_samples = audio.samples.copy()
    moved_samples[0, first : first + 1600] = np.roll(moved_samples[0, first : first + 1600], 800)
    moved = Audio(moved_samples, RATE_HZ)
    rows, moved_rows = beatnet.track(audio).clock.rows, beatnet.track(moved).clock.rows
    changed_s = np.flatnonzero((rows != moved_rows).any(axis=1))[0] / 50
    # Earlier frames do not hear it, and the first one that reaches as far as it does.
    assert 7.5 - latency.window_s <= changed_s <= 7.5 - latency.window_s + latency.hop_s


def test_beats_are_told_within_the_latency_and_once_their_audio_was_heard():
    session, audio = tracker().stream(MONO), clicks()
    told = []
    for start in range(0, audio.frames, 128):
        stop = min(start + 128, audio.frames)
        chunk = session.push(audio=Chunk(stop / RATE_HZ, audio.read(start, stop)))
        told += [(event, stop / RATE_HZ) for event in chunk.events if event.what == "beat"]
    assert len(told) > 10
    for event, heard_s in told:
        assert heard_s - 128 / RATE_HZ < event.known_s <= heard_s
        assert event.known_s - event.time_s <= session.latency.total_s + 1e-9


def test_what_is_known_at_the_end_was_known_by_the_end():
    audio = clicks(seconds=10.51)
    beats = tracker().track(audio).beats
    assert (beats.known_s <= audio.duration_s).all()
    assert (beats.times_s <= beats.known_s).all()


@pytest.mark.slow
def test_ten_minutes_of_silence_at_once_have_no_beats():
    tracked = tracker().track(Audio(np.zeros(600 * RATE_HZ, np.float32), RATE_HZ))
    assert not len(tracked.beats.times_s)
    assert len(tracked.clock.phase) == 600 * 50


@pytest.mark.slow
@pytest.mark.parametrize("path", SONGS, ids=lambda path: path.stem)
def test_labels_made_offline_are_what_a_live_run_sees(path):
    if not path.is_file():
        pytest.skip(f"no {path.name}: set RIPIENO_DATA")
    samples, rate_hz = soundfile.read(path, always_2d=True, dtype="float32", frames=60 * 44100)
    resampler = PolyphaseResampler(rate_hz, RATE_HZ, channels=1)
    mono = samples.mean(axis=1, keepdims=True).T
    audio = Audio(np.concatenate([resampler.push(mono), resampler.flush()], axis=1), RATE_HZ)
    offline, session = tracker().track(audio), tracker().stream(MONO)
    live = list(run_offline(session, audio, block=173))
    rows = np.concatenate([chunk.samples for chunk in live if chunk.samples is not None])
    beats = [event for chunk in live for event in chunk.events if event.what == "beat"]
    assert rows.tobytes() == offline.clock.rows.tobytes()
    assert [event.time_s for event in beats] == offline.beats.times_s.tolist()
    assert [event.known_s for event in beats] == offline.beats.known_s.tolist()
    assert [event.value["position"] for event in beats] == offline.beats.positions.tolist()
