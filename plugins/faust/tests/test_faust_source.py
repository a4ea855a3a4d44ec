"""Sets of clips: as every data source keeps them, and as a person would play them."""

import hashlib
import subprocess
import sys
from collections import Counter
from functools import cache

import numpy as np
import pytest

from ripieno.contracts import ConfigError, Note
from ripieno.contracts.describe import configure
from ripieno.contracts.testing import DataSourceSuite
from ripieno.toolkit.measuring.agreement import onset_errors_s, pitch_errors_cents
from ripieno.toolkit.pairs.clips import Clip
from ripieno.toolkit.playing.player import play
from ripieno_faust.clip import make_clip
from ripieno_faust.models import MODELS, RATE_HZ
from ripieno_faust.source import INSTRUMENTS, FaustConfig, FaustSource

DOZEN = range(100, 112)


class TestViolin(DataSourceSuite):
    plugin = FaustSource
    config = FaustConfig(count=2, duration_s=4)


class TestSteelGuitar(DataSourceSuite):
    plugin = FaustSource
    config = FaustConfig(instrument="steel_guitar", count=2, duration_s=4)


@cache
def clip(instrument: str, seed: int) -> Clip:
    return make_clip(seed, instrument=instrument, duration_s=10.0)


def notes(instrument: str) -> list[Note]:
    """Of a dozen clips."""
    return [note for seed in DOZEN for note in clip(instrument, seed).performance.notes]


def swing(note: Note, channel: str) -> float:
    return float(np.ptp(note.envelopes[channel].values)) if channel in note.envelopes else 0.0


def test_there_is_a_model_for_every_instrument_that_can_be_asked_for():
    assert tuple(MODELS) == INSTRUMENTS


@pytest.mark.parametrize(("asked", "meant"), [("violn", "violin"), ("electric-guitar", "electric_guitar")])
def test_a_misspelt_instrument_is_answered_with_the_one_that_is_meant(asked, meant):
    with pytest.raises(
        ConfigError, match=f'expected one of violin, .* \\(did you mean "{meant}"\\?\\)'
    ) as error:
        configure(FaustSource, {"instrument": asked})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("asked", ["piano", "", None, 3, ["violin"]])
def test_an_instrument_without_a_model_is_refused_by_the_list_of_those_that_there_are(asked):
    with pytest.raises(ConfigError, match="instrument: expected one of violin, electric_guitar"):
        configure(FaustSource, {"instrument": asked})


@pytest.mark.parametrize("settings", [{"count": -1}, {"duration_s": 1}, {"rate_hz": 44100}])
def test_what_cannot_be_made_is_refused_before_the_run(settings):
    with pytest.raises(ConfigError):
        configure(FaustSource, settings)


def test_without_dawdreamer_a_line_says_how_to_install_it():
    script = (
        "import sys; sys.modules['dawdreamer'] = None\n"
        "from ripieno.contracts import MissingError\n"
        "from ripieno_faust.source import FaustConfig, FaustSource\n"
        "try:\n    FaustSource(FaustConfig(count=1)).generate()\n"
        "except MissingError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert "pip install dawdreamer" in done.stdout
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("instrument", MODELS)
def test_a_clip_is_the_same_in_a_process_of_its_own(instrument):
    script = (
        "import hashlib\nfrom ripieno_faust.clip import make_clip\n"
        f"clip = make_clip(105, instrument={instrument!r}, duration_s=10.0)\n"
        "print(hashlib.sha256(clip.samples.tobytes()).hexdigest())"
    )
    for seed in (100, 105):
        clip(instrument, seed)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == hashlib.sha256(clip(instrument, 105).samples.tobytes()).hexdigest()


@pytest.mark.parametrize("instrument", MODELS)
def test_a_dozen_clips_are_varied(instrument):
    ability = MODELS[instrument].ability
    played = notes(instrument)
    assert len({round(float(np.median(note.envelopes["pitch_midi"].values))) for note in played}) >= 15
    assert {note.articulation for note in played} >= {one.articulation for one in ability.held} - {"tremolo"}
    assert {note.mode for note in played} == {one.mode for one in ability.techniques}
    assert max(swing(note, "dynamics_dbfs") for note in played) > 10
    levels_dbfs = [note.envelopes["dynamics_dbfs"].values.max() for note in played]
    assert np.ptp(np.percentile(levels_dbfs, [5, 95])) > 12


def test_a_bow_glides_in_slurs_has_vibrato_and_moves_all_the_time():
    played = notes("violin")
    slurs = [note for note in played if note.articulation == "legato" and swing(note, "pitch_midi") > 0.8]
    assert len(slurs) >= 12
    assert sum(swing(note, "vibrato_depth_cents") > 8 for note in played) >= 12
    for channel in ("bow_velocity", "bow_pressure", "bow_position"):
        assert np.mean([note.envelopes[channel].times_s.size > 3 for note in played]) > 0.9, channel


def test_guitars_bend_where_players_bend_them():
    assert max(swing(note, "bend_cents") for note in notes("electric_guitar")) > 80
    assert max(swing(note, "bend_cents") for note in notes("acoustic_guitar")) == 0


@pytest.mark.parametrize("instrument", MODELS)
def test_the_document_belongs_to_the_sound(instrument):
    for seed in DOZEN:
        made = clip(instrument, seed)
        assert made.samples.shape == (round(made.performance.duration_s * RATE_HZ),)
        assert np.abs(made.samples).max() < 10 ** (-1 / 20)
        assert made.performance.instrument == MODELS[instrument].profile
        named = {name for note in made.performance.notes for name in note.envelopes}
        assert named <= set(made.performance.field_provenance)


@pytest.mark.parametrize("instrument", MODELS)
def test_labels_agree_with_the_sound(instrument):
    cents, onsets_s = [], []
    for seed in DOZEN:
        made = clip(instrument, seed)
        cents += list(np.abs(pitch_errors_cents(made.samples, made.performance.notes, rate_hz=RATE_HZ)))
        onsets_s += list(np.abs(onset_errors_s(made.samples, made.performance.notes, rate_hz=RATE_HZ)))
    assert np.median(cents) <= 0.5
    assert np.percentile(cents, 95) <= 2
    assert np.median(onsets_s) <= 0.003
    assert np.percentile(onsets_s, 95) <= 0.015


@pytest.mark.parametrize("instrument", MODELS)
def test_muted_notes_die_sooner_and_tremolo_beats(instrument):
    """An articulation is named only where the sound has it."""
    played = notes(instrument)
    long = [note for note in played if note.duration_s > 0.25]

    def lost_db(note: Note) -> float:
        levels = note.envelopes["dynamics_dbfs"]
        return float(levels.values.max() - levels.at(np.array([note.onset_s + 0.2]))[0])

    muted = [lost_db(note) for note in long if note.articulation == "muted"]
    held = [lost_db(note) for note in long if note.articulation in ("plucked", "sustained")]
    assert not muted or np.median(muted) > np.median(held) + 6
    for note in long:
        if note.articulation == "tremolo":
            levels_dbfs = note.envelopes["dynamics_dbfs"].values[:-4]
            turns = np.count_nonzero(np.diff(np.sign(np.diff(levels_dbfs))))
            assert turns >= 2


@pytest.mark.slow
@pytest.mark.parametrize("instrument", MODELS)
def test_clips_are_accepted_and_notes_confirmed(instrument):
    clips = [make_clip(seed, instrument=instrument, duration_s=10.0) for seed in range(200, 300)]
    kept = [one for one in clips if not one.faults]
    assert len(kept) >= 0.95 * len(clips), Counter(fault for one in clips for fault in one.faults)
    masked = sum(len(one.note_faults) for one in kept)
    assert masked <= 0.02 * sum(len(one.performance.notes) for one in kept)


@pytest.mark.slow
def test_an_independent_tracker_agrees_with_the_labels_of_a_clip():
    import librosa

    seed = next(seed for seed in DOZEN if len(strings(seed)) == 1)
    made = make_clip(seed, instrument="violin", duration_s=10.0)
    # Its bins are 10 cents wide, from a pitch of the scale on: else all are off by the same part of a bin.
    low_hz, high_hz = librosa.midi_to_hz([54, 94])
    found, voiced, _ = librosa.pyin(made.samples, fmin=low_hz, fmax=high_hz, sr=RATE_HZ, hop_length=1024)
    times_s = librosa.times_like(found, sr=RATE_HZ, hop_length=1024)
    errors = []
    for note in made.performance.notes:
        inside = voiced & (times_s > note.onset_s + 0.05) & (times_s < note.offset_s - 0.05)
        labels = note.envelopes["pitch_midi"].at(times_s[inside])
        errors += list(100 * (librosa.hz_to_midi(found[inside]) - labels))
    assert abs(np.median(errors)) < 3
    assert np.percentile(np.abs(errors), 95) < 15


def strings(seed: int) -> tuple[tuple[Note, ...], ...]:
    """Voices of a clip on the violin."""
    return play(MODELS["violin"].ability, rng=np.random.default_rng(seed), duration_s=10.0)
