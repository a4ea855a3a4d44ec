from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Envelope, InputError
from ripieno.toolkit.playing import gestures
from ripieno.toolkit.playing.gestures import Bend, Sketch, Vibrato, drawn, swell
from ripieno.toolkit.playing.player import Ability, Technique, play

VIOLIN = Ability(
    55,
    100,
    "bowed",
    (
        Technique("sustained", "arco", 6),
        Technique("legato", "arco", 0.5),
        Technique("staccato", "arco"),
        Technique("tremolo", "arco", 0.5),
        Technique("plucked", "pizzicato", range_midi=(55, 90)),
    ),
    voices=4,
    strings=(55, 62, 69, 76),
    portamento=True,
    vibrato=True,
)
GUITAR = Ability(
    40,
    86,
    "plucked",
    (
        Technique("plucked", "pick", 6),
        Technique("legato", "pick", 0.3),
        Technique("staccato", "pick"),
        Technique("muted", "pick", 0.5),
        Technique("harmonic", "pick", 0.3),
    ),
    voices=6,
    strings=(40, 45, 50, 55, 59, 64),
    fretted=True,
    portamento=True,
    vibrato=True,
    bends=True,
)
PIANO = Ability(
    21,
    108,
    "struck",
    (Technique("struck", "key", 6), Technique("legato", "key", 0.3), Technique("staccato", "key")),
    voices=10,
    fretted=True,
    pedal=True,
)
INSTRUMENTS = {"violin": VIOLIN, "guitar": GUITAR, "piano": PIANO}

# A clip is some hundred draws already.
FEW = settings(max_examples=15)
seeds = st.integers(0, 2**63 - 1)
durations_s = st.floats(3, 20)
abilities = st.sampled_from(list(INSTRUMENTS.values()))


def clip(ability, seed, duration_s=10.0):
    return play(ability, rng=np.random.default_rng(seed), duration_s=duration_s)


def notes_of(voices):
    return sorted((note for voice in voices for note in voice), key=lambda note: note.onset_s)


def pitch_midi(note):
    """Where the note settles, but for what bends it."""
    return float(np.median(note.envelopes["pitch_midi"].at(np.linspace(note.onset_s, note.offset_s, 101))))


def plain(note):
    curves = {name: (curve.times_s.tolist(), curve.values.tolist()) for name, curve in note.envelopes.items()}
    return note.onset_s, note.offset_s, note.articulation, note.mode, curves


@given(abilities, seeds, durations_s)
@FEW
def test_silence_stands_before_the_first_note_and_after_the_last(ability, seed, duration_s):
    notes = notes_of(clip(ability, seed, duration_s))
    assert notes[0].onset_s >= 0.1
    assert max(note.offset_s for note in notes) <= duration_s - 0.3 + 1e-9


@given(abilities, seeds, durations_s)
@FEW
def test_notes_of_a_voice_never_overlap(ability, seed, duration_s):
    voices = clip(ability, seed, duration_s)
    assert 1 <= len(voices) <= ability.voices
    for voice in voices:
        assert voice
        for before, after in pairwise(voice):
            assert before.offset_s <= after.onset_s


@given(abilities, seeds)
@FEW
def test_notes_are_none_too_short_nor_too_long(ability, seed):
    for note in notes_of(clip(ability, seed)):
        assert 0.079 < note.duration_s < 2.5


@given(abilities, seeds)
@FEW
def test_every_curve_lasts_as_long_as_its_note_and_is_linear(ability, seed):
    for note in notes_of(clip(ability, seed)):
        for curve in note.envelopes.values():
            assert (curve.times_s[0], curve.times_s[-1]) == (note.onset_s, note.offset_s)
            assert curve.interpolation == "linear"


@given(abilities, seeds)
@FEW
def test_the_channels_are_those_of_the_ability_and_their_values_make_sense(ability, seed):
    expected = {"pitch_midi", "loudness"}
    expected |= {"vibrato_depth_cents"} if ability.vibrato else set()
    expected |= {"bend_cents"} if ability.bends else set()
    expected |= {"sustain_pedal"} if ability.pedal else set()
    for note in notes_of(clip(ability, seed)):
        rates = note.envelopes.get("vibrato_rate_hz")
        assert set(note.envelopes) - {"vibrato_rate_hz"} == expected
        assert rates is None or (rates.values.min() >= 4.5 and rates.values.max() <= 7)
        wavers = ability.vibrato and note.envelopes["vibrato_depth_cents"].values.max() > 0
        assert wavers == (rates is not None)
        for name, most in {
            "loudness": 1,
            "sustain_pedal": 1,
            "vibrato_depth_cents": 40,
            "bend_cents": 300,
        }.items():
            if name in expected:
                values = note.envelopes[name].values
                assert values.min() >= 0 and values.max() <= most * (1 + 1e-12)


@given(abilities, seeds)
@FEW
def test_every_pitch_lies_in_the_range_of_its_technique(ability, seed):
    ranges = {(one.articulation, one.mode): ability.range_of(one) for one in ability.techniques}
    for note in notes_of(clip(ability, seed)):
        low, high = ranges[note.articulation, note.mode]
        values = note.envelopes["pitch_midi"].values
        assert low - 1e-9 <= pitch_midi(note) <= high + 1e-9
        assert ability.lowest_midi - 1e-9 <= values.min() and values.max() <= ability.highest_midi + 1e-9


@given(abilities, seeds)
@FEW
def test_the_same_seed_plays_the_same(ability, seed):
    first, second = clip(ability, seed), clip(ability, seed)
    assert [list(map(plain, voice)) for voice in first] == [list(map(plain, voice)) for voice in second]


@given(seeds, st.floats(3, 20))
@FEW
def test_every_bowed_clip_has_a_glide_into_a_long_note_with_vibrato(seed, duration_s):
    def sings(before, note):
        values, slurred = note.envelopes["pitch_midi"].values, note.articulation == "legato"
        times_s = note.envelopes["pitch_midi"].times_s - note.onset_s
        far = abs(values[0] - pitch_midi(note)) > 1.5
        # The pitch is on its way for 50 ms at least.
        glides = far and abs(np.interp(0.025, times_s, values) - pitch_midi(note)) > 0.3
        depth_cents = note.envelopes["vibrato_depth_cents"].values.max()
        joined = before.offset_s == note.onset_s
        return slurred and joined and glides and note.duration_s > 0.6 and depth_cents >= 7

    voices = clip(VIOLIN, seed, duration_s)
    assert any(sings(*pair) for voice in voices for pair in pairwise(voice))


@given(st.sampled_from([VIOLIN, GUITAR]), seeds)
@FEW
def test_a_slur_goes_on_where_the_note_before_ended(ability, seed):
    for voice in clip(ability, seed):
        assert voice[0].articulation != "legato"
        for before, note in pairwise(voice):
            if note.articulation == "legato":
                start = note.envelopes["pitch_midi"].values[0]
                assert before.articulation in ("legato", "sustained", "plucked")
                # A fretted finger starts on the fret, wherever a bend or vibrato has left the pitch.
                tolerance = 0.5 if ability.fretted else 1e-9
                assert before.offset_s == note.onset_s
                assert start == pytest.approx(before.envelopes["pitch_midi"].values[-1], abs=tolerance)


@given(st.sampled_from(["violin", "guitar", "piano"]), st.integers(0, 2**40))
@settings(max_examples=8)
def test_a_dozen_clips_have_fifteen_pitches_and_curves_that_move(name, first):
    notes = [note for seed in range(first, first + 12) for note in notes_of(clip(INSTRUMENTS[name], seed))]
    assert len({round(pitch_midi(note)) for note in notes}) >= 15
    assert len({note.articulation for note in notes}) >= 2
    assert any(np.ptp(note.envelopes["pitch_midi"].values) > 0.1 for note in notes) or name == "piano"


@given(abilities, seeds)
@FEW
def test_some_notes_are_heard_after_silence(ability, seed):
    notes = notes_of(clip(ability, seed))
    ends_s = np.maximum.accumulate([note.offset_s for note in notes])
    rests_s = np.array([note.onset_s for note in notes[1:]]) - ends_s[:-1]
    assert (rests_s > 0.05).any()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_all_registers_are_played_and_a_note_lasts_about_a_third_of_a_second(name):
    ability = INSTRUMENTS[name]
    notes = [note for seed in range(60) for note in notes_of(clip(ability, seed))]
    pitches = np.array([pitch_midi(note) for note in notes])
    counts, _ = np.histogram(pitches, bins=8, range=(ability.lowest_midi, ability.highest_midi))
    assert counts.min() > 0.03 * len(notes)
    durations_s = np.array([note.duration_s for note in notes])
    assert 0.3 <= np.median(durations_s) <= 0.5
    assert np.quantile(durations_s, 0.02) < 0.13 and np.quantile(durations_s, 0.98) > 1.2


@pytest.mark.parametrize("name", ["violin", "guitar"])
def test_clips_have_as_many_voices_in_the_mean_as_asked_for(name):
    for wanted in (1.0, 1.5):
        ability = replace(INSTRUMENTS[name], mean_voices=wanted)
        counts = [len(clip(ability, seed, duration_s=6)) for seed in range(150)]
        assert np.mean(counts) == pytest.approx(wanted, abs=0.25)
        assert max(counts) == 1 if wanted == 1 else max(counts) >= 2


@given(seeds)
@FEW
def test_two_bowed_voices_are_on_neighbouring_strings_under_one_hand(seed):
    voices = clip(replace(VIOLIN, mean_voices=2.0), seed)
    for below in voices[1] if len(voices) > 1 else ():
        above = next(note for note in voices[0] if note.onset_s == below.onset_s)
        low, high = round(pitch_midi(below)), round(pitch_midi(above))
        stops = [(low - one, high - other) for one, other in ((55, 62), (62, 69), (69, 76))]
        assert any(min(pair) == 0 or (min(pair) > 0 and abs(pair[0] - pair[1]) <= 5) for pair in stops)


@given(seeds)
@FEW
def test_chords_of_a_guitar_are_at_most_one_note_a_string(seed):
    notes = notes_of(clip(replace(GUITAR, mean_voices=3.0), seed))
    for note in notes:
        sounding = [one for one in notes if one.onset_s <= note.onset_s < one.offset_s]
        assert len(sounding) <= 6


@given(seeds)
@FEW
def test_frets_give_exact_semitones_and_fingers_do_not(seed):
    for note in notes_of(clip(replace(GUITAR, bends=False, vibrato=False), seed)):
        assert note.envelopes["pitch_midi"].values[-1] % 1 == 0
    off = [note.envelopes["pitch_midi"].values[-1] % 1 for note in notes_of(clip(VIOLIN, seed))]
    assert any(off)


@given(seeds)
@FEW
def test_a_key_is_let_go_before_it_is_struck_again(seed):
    notes = notes_of(clip(PIANO, seed))
    released_s = {}
    for note in notes:
        key = note.envelopes["pitch_midi"].values[0]
        assert note.onset_s > released_s.get(key, 0)
        released_s[key] = note.offset_s


@given(seeds)
@FEW
def test_the_pedal_is_the_same_curve_for_all_notes(seed):
    notes = notes_of(clip(PIANO, seed))
    times_s = np.arange(0, 10, 0.01)
    curves = np.full((len(notes), times_s.size), np.nan)
    for row, note in zip(curves, notes, strict=True):
        inside = (times_s >= note.onset_s) & (times_s < note.offset_s)
        row[inside] = note.envelopes["sustain_pedal"].at(times_s[inside])
    sounding = curves[:, np.isfinite(curves).any(axis=0)]
    np.testing.assert_allclose(np.nanmax(sounding, axis=0), np.nanmin(sounding, axis=0), atol=1e-9)


def test_legato_keys_are_held_until_the_next_is_struck():
    clips = [notes_of(clip(PIANO, seed)) for seed in range(30)]
    held = [(key, keys) for keys in clips for key in keys if key.articulation == "legato"]
    assert held
    for key, keys in held:
        assert any(key.onset_s < other.onset_s < key.offset_s for other in keys)


def test_techniques_are_as_common_as_their_weights():
    one = replace(VIOLIN, techniques=(Technique("sustained", "arco", 3), Technique("staccato", "arco", 1)))
    phrases = Counter()
    for seed in range(200):
        (voice, *_) = clip(replace(one, voices=1), seed, duration_s=3)
        phrases[voice[0].articulation] += 1
    # The first phrase may be asked to sing; without a slur nothing else than the weight decides.
    assert phrases["sustained"] / 200 == pytest.approx(0.75, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: replace(VIOLIN, lowest_midi=95), "an octave at least"),
        (lambda: replace(VIOLIN, techniques=(Technique("legato", "arco"),)), "beside legato"),
        (lambda: replace(VIOLIN, slur_semitones=1), "slur_semitones is 1"),
        (lambda: Technique("bowed", "arco"), "'bowed' is none of sustained, legato"),
        (lambda: Technique("sustained", "arco", 0), "weight is 0"),
        (lambda: clip(VIOLIN, 0, duration_s=2), "duration_s is 2"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(wrong, says):
    with pytest.raises(InputError, match=says) as refused:
        wrong()
    assert "\n" not in str(refused.value)


vibratos = st.builds(
    Vibrato,
    delay_s=st.floats(0, 0.3),
    grow_s=st.floats(0.1, 0.6),
    depth_cents=st.floats(5, 45),
    rate_hz=st.floats(4.5, 7),
    drift=st.floats(0, 0.05),
    drift_hz=st.floats(0.3, 2),
    phase=st.floats(0, 6.3),
)


@given(vibratos)
def test_a_vibrato_begins_after_its_delay_grows_and_never_exceeds_its_depth(vibrato):
    after_s = np.linspace(0, 2, 4001)
    cents, depths = vibrato.cents(after_s), vibrato.depths_cents(after_s)
    assert not cents[after_s <= vibrato.delay_s].any()
    assert np.abs(cents).max() <= vibrato.depth_cents * (1 + 1e-9)
    assert (np.abs(cents) <= depths + 1e-9).all()
    assert depths[-1] >= 0.8 * vibrato.depth_cents


@given(vibratos)
def test_the_phase_of_a_vibrato_runs_at_the_rate_that_is_written(vibrato):
    after_s = np.linspace(0, 3, 30_001)
    grown = after_s > vibrato.delay_s + vibrato.grow_s
    crossings = np.flatnonzero(np.diff(np.sign(vibrato.cents(after_s)[grown])))
    cycles = (crossings.size - 1) / 2
    between = slice(crossings[0], crossings[-1])
    expected = np.sum(vibrato.rates_hz(after_s)[grown][between]) * (after_s[1] - after_s[0])
    assert cycles == pytest.approx(expected, abs=1e-2)


def sketch(**changes):
    facts = {"onset_s": 1.0, "offset_s": 2.0, "pitch_midi": 60.0, "articulation": "plucked", "mode": "pick"}
    return Sketch(**{**facts, "loudness": swell(1.0, 2.0, levels=[0.5]), **changes})


@given(st.floats(0, 0.2), st.floats(0.05, 0.3), st.sampled_from([50.0, 100.0, 200.0]))
def test_a_bend_reaches_its_pitch_and_holds_it(delay_s, rise_s, cents):
    (note,) = drawn([sketch(bend=Bend(delay_s, rise_s, cents))], bends=True)
    pitch, bend = note.envelopes["pitch_midi"], note.envelopes["bend_cents"]
    held_s = np.linspace(1 + delay_s + rise_s + gestures.STEP_S, 2, 50)
    np.testing.assert_allclose(pitch.at(held_s), 60 + cents / 100, atol=1e-9)
    assert pitch.values[0] == 60 and (np.diff(pitch.values) >= 0).all()
    times_s = np.linspace(1, 2, 500)
    np.testing.assert_allclose(pitch.at(times_s), 60 + bend.at(times_s) / 100, atol=1e-9)


def test_a_bend_that_is_let_back_ends_where_it_began():
    (note,) = drawn([sketch(bend=Bend(0.1, 0.1, 200.0, release_s=0.6, fall_s=0.1))], bends=True)
    assert note.envelopes["pitch_midi"].at(np.array([1.0, 1.4, 1.9])).tolist() == [60, 62, 60]


@pytest.mark.parametrize("frets", [False, True])
def test_a_slide_passes_every_fret_and_a_glide_all_between(frets):
    after = sketch(
        onset_s=2.0, offset_s=3.0, pitch_midi=67.0, glide_s=0.2, loudness=swell(2, 3, levels=[0.5])
    )
    _, note = drawn([sketch(), after], frets=frets)
    curve = note.envelopes["pitch_midi"]
    assert (np.diff(curve.values) >= 0).all() and curve.values[0] == 60
    assert (curve.at(np.array([2.2 + gestures.STEP_S, 3.0])) == 67).all()
    passed = np.unique(curve.values)
    assert passed.tolist() == list(range(60, 68)) if frets else passed.size > 30


def test_a_curve_keeps_only_the_points_it_needs():
    (note,) = drawn([sketch()], vibrato=True, bends=True)
    assert {curve.times_s.size for curve in note.envelopes.values()} == {2}
    assert isinstance(note.envelopes["loudness"], Envelope)
