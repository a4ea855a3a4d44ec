import hashlib
import json
import multiprocessing
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, strategies as st

from ripieno.contracts import Context, Performance, StepError, Stream, derive_seed
from ripieno.contracts.cont import cont_text, read_cont
from ripieno.toolkit.measuring.measure import measure_voice
from ripieno.toolkit.pairs.clips import Clip, clip_of
from ripieno.toolkit.pairs.manifest import SPLITS, Verdict, split_of
from ripieno.toolkit.playing.player import Ability, Technique, play

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import sines  # noqa: E402

SEED = 7


def make(folder, *, count=6, seed=SEED, **changes):
    folder.mkdir(exist_ok=True)
    return sines.generate(Context(folder, folder, seed=seed), count=count, **changes)


def content(dataset):
    return {name: path.read_bytes() for name, path in dataset.files.items()}, dataset.manifest


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A set that nothing interrupted."""
    return make(tmp_path_factory.mktemp("whole"))


def test_each_clip_is_a_sound_and_the_performance_that_belongs_to_it(whole):
    clips = whole.manifest["clips"]
    assert [clip["name"] for clip in clips] == [f"sine-{index:05d}" for index in range(6)]
    assert set(whole.files) == {clip[kind] for clip in clips for kind in ("audio", "cont")}
    for clip in clips:
        made = sines.make_clip(clip["seed"], {"dropped": 0.3})
        samples, rate_hz = soundfile.read(whole.files[clip["audio"]], dtype="float32")
        assert (rate_hz, soundfile.info(whole.files[clip["audio"]]).subtype) == (sines.RATE_HZ, "PCM_24")
        np.testing.assert_allclose(samples, made.samples, atol=2**-23)
        assert cont_text(read_cont(whole.files[clip["cont"]])) == cont_text(made.performance)
        for kind in ("audio", "cont"):
            assert hashlib.sha256(whole.files[clip[kind]].read_bytes()).hexdigest() == clip[f"{kind}_sha256"]


def test_the_manifest_is_json_and_says_what_made_the_set(whole):
    manifest = whole.manifest
    assert json.loads(json.dumps(manifest)) == manifest
    assert manifest["ripieno_pairs"] == 1
    assert (manifest["source"], manifest["seed"]) == ("data_source/sines", SEED)
    assert (manifest["settings"], manifest["versions"]) == ({"dropped": 0.3}, {"sines": "1.0"})
    assert manifest["licences"] == [
        {"name": "CC0-1.0", "credit": "nobody", "commercial": True, "source": "here"}
    ]
    splits = Counter(clip["split"] for clip in manifest["clips"])
    assert manifest["counts"] == {
        "clips": 6,
        "dropped": len(manifest["dropped"]),
        "notes": 24,
        "masked_notes": 0,
        **{split: splits[split] for split in SPLITS},
    }


def test_dropped_clips_are_counted_and_made_again_from_another_seed(tmp_path):
    manifest = make(tmp_path, count=40, dropped=0.5).manifest
    assert manifest["counts"]["dropped"] > 5
    drops = Counter(dropped["index"] for dropped in manifest["dropped"])
    for clip in manifest["clips"]:
        assert clip["attempt"] == drops[clip["index"]]
    for entry in (*manifest["clips"], *manifest["dropped"]):
        assert entry["seed"] == derive_seed(SEED, "clip", str(entry["index"]), str(entry["attempt"]))
        faults = sines.make_clip(entry["seed"], {"dropped": 0.5}).faults
        assert list(faults) == entry.get("faults", [])


def test_a_clip_that_never_passes_ends_the_job_in_one_line(tmp_path):
    with pytest.raises(StepError) as ended:
        make(tmp_path, count=1, dropped=1.0)
    assert str(ended.value) == "sine-00000: dropped 20 times, the last time for: clicks"


@pytest.mark.parametrize("kind", ["flac", "cont", "json"])
def test_a_disk_that_refuses_a_clip_is_told_in_one_line(tmp_path, kind):
    (tmp_path / f"sine-00000.{kind}").mkdir()
    with pytest.raises(StepError, match=rf"sine-00000.{kind}: cannot be written: .*irectory$"):
        make(tmp_path, count=1)


@pytest.mark.parametrize("number", [1, 5, 9])
def test_a_set_that_was_killed_while_it_wrote_goes_on_and_comes_out_the_same(tmp_path, whole, number):
    # Three files a clip: the first sound, the second performance, the third verdict.
    program = [sys.executable, str(HERE / "sines.py"), str(tmp_path), "6", str(number)]
    died = subprocess.run(program, capture_output=True, text=True, check=False)
    assert died.returncode != 0 and not died.stderr
    finished = [path.with_suffix(".flac") for path in sorted(tmp_path.glob("[!.]*.json"))]
    assert len(finished) == (number - 1) // 3
    before = [path.stat().st_mtime_ns for path in finished]
    assert content(make(tmp_path)) == content(whole)
    assert [path.stat().st_mtime_ns for path in finished] == before


@pytest.mark.parametrize("kind", ["flac", "cont", "json"])
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"{}")], ids=["lost", "damaged"])
def test_a_clip_with_a_lost_or_damaged_file_is_made_again(tmp_path, whole, kind, harm):
    make(tmp_path)
    harm(tmp_path / f"sine-00002.{kind}")
    assert content(make(tmp_path)) == content(whole)


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_batches_change_nothing(tmp_path, whole, batch):
    assert content(make(tmp_path, batch=batch)) == content(whole)


def test_three_workers_make_the_same_as_one(tmp_path, whole):
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as workers:

        def on_map(function, jobs):
            contexts = [Context(tmp_path, tmp_path, seed=index) for index in range(len(jobs))]
            return list(workers.map(function, jobs, contexts))

        context = Context(tmp_path, tmp_path, seed=SEED, on_map=on_map)
        assert content(sines.generate(context, count=6)) == content(whole)


def test_more_clips_are_the_same_clips_and_others(tmp_path, whole):
    more, _ = content(make(tmp_path, count=9))
    fewer, _ = content(whole)
    assert len(more) == 18 and fewer.items() <= more.items()


def test_another_seed_makes_other_clips(tmp_path, whole):
    mine, theirs = make(tmp_path, seed=8).manifest["clips"], whole.manifest["clips"]
    assert not {clip["audio_sha256"] for clip in mine} & {clip["audio_sha256"] for clip in theirs}


def test_an_empty_set_has_a_manifest(tmp_path):
    dataset = make(tmp_path, count=0)
    assert not dataset.files and dataset.manifest["counts"]["clips"] == 0


def test_progress_is_told_in_clips(tmp_path):
    told = []
    context = Context(tmp_path, tmp_path, seed=SEED, on_progress=told.append)
    sines.generate(context, count=5)
    assert (told[-1].done, told[-1].total, told[-1].unit) == (5, 5, "clips")


@given(st.integers(0, 2**63 - 1))
def test_a_split_is_of_the_seed_alone(seed):
    assert split_of(seed) in SPLITS


def test_eight_of_ten_clips_are_to_learn_from():
    splits = Counter(split_of(derive_seed(0, str(index))) for index in range(10_000))
    # Three standard deviations of a binomial.
    assert splits["train"] == pytest.approx(8000, abs=120)
    assert splits["validation"] == pytest.approx(1000, abs=90)
    assert splits["test"] == pytest.approx(1000, abs=90)


@given(notes=st.integers(1, 60), masked=st.integers(0, 60))
def test_a_clip_is_dropped_where_more_than_a_twentieth_of_its_notes_is_masked(notes, masked):
    masked = min(notes, masked)
    (note, *_) = sines.make_clip(1, {"dropped": 0}).performance.notes
    performance = Performance((Stream("violin", (note,) * notes),), 8000, 1.0)
    clip = Clip(np.zeros(8000, np.float32), performance, note_faults=("an octave below",) * masked)
    assert bool(clip.faults) == (20 * masked > notes)


def test_a_clip_without_notes_is_dropped():
    assert Clip(np.zeros(8), Performance((), 8000, 0.001)).faults == ("no notes",)


def test_a_verdict_comes_back_from_json(whole):
    for path in {path.with_suffix(".json") for path in whole.files.values()}:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert Verdict.from_json(document).to_json() == document


def test_what_is_played_rendered_and_measured_makes_a_clip_to_keep():
    ability = Ability(
        55,
        90,
        "bowed",
        (Technique("sustained", "arco"), Technique("legato", "arco", 0.3)),
        portamento=True,
        vibrato=True,
    )
    (voice,) = play(ability, rng=np.random.default_rng(3), duration_s=5)
    samples = sum(tone(note, frames=5 * 48000) for note in voice)
    measured = measure_voice(samples, voice, rate_hz=48000)
    facts = {"instrument": "violin", "rate_hz": 48000, "frames": 5 * 48000}
    clip = clip_of(samples, measured, field_provenance={"pitch_midi": "analysis"}, **facts)
    assert not clip.faults
    assert len(clip.performance.notes) == len(voice)
    assert clip.performance.field_provenance == {"pitch_midi": "analysis"}
    assert clip.performance.instrument == "violin" and clip.performance.duration_s == 5
    broken = replace(measured[0], fault="an octave below")
    again = clip_of(samples, [broken, *measured[1:]], field_provenance={}, **facts)
    assert again.note_faults == ("an octave below",)


def tone(note, *, frames):
    """Six harmonics at the pitch that was planned, faded in and out within 15 ms."""
    time_s = np.arange(frames) / 48000
    inside = (time_s >= note.onset_s) & (time_s < note.offset_s)
    hz = 440 * 2 ** ((note.envelopes["pitch_midi"].at(time_s) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(np.where(inside, hz, 0)) / 48000
    from_edge_s = np.minimum(time_s - note.onset_s, note.offset_s - time_s)
    level = 0.2 * note.envelopes["loudness"].at(time_s) * np.clip(from_edge_s / 0.015, 0, 1)
    return (level * sum(np.sin(k * phase) / k for k in range(1, 7))).astype(np.float32)
