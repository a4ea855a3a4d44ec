import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts.performance import DYNAMICS, PITCH, Envelope, Note
from ripieno.toolkit.measuring.agreement import onset_errors_s, pitch_errors_cents
from ripieno.toolkit.measuring.curves import Curve, simplified
from ripieno.toolkit.measuring.level import Power, dynamics_dbfs
from ripieno.toolkit.measuring.measure import measure_voice
from ripieno.toolkit.measuring.onset import audible_onsets_s
from ripieno.toolkit.measuring.refine import hertz

RATE_HZ = 48_000


def planned(onset_s, offset_s, pitch_midi, *, articulation="sustained", **channels):
    if not isinstance(pitch_midi, Envelope):
        pitch_midi = Envelope([onset_s], [pitch_midi])
    return Note(onset_s, offset_s, articulation, "arco", {PITCH: pitch_midi, **channels})


def rendered(notes, *, seconds=2.0, cents=0.0, amplitude=0.2, late_s=0.0, times=1.0):
    """Each note as a saw of ten partials at its planned pitch and so many cents, faded over 5 ms."""
    samples = np.zeros(round(seconds * RATE_HZ))
    for note in notes:
        first, after = round((note.onset_s + late_s) * RATE_HZ), round(note.offset_s * RATE_HZ)
        at_s = np.arange(first, after) / RATE_HZ
        turns = np.cumsum(times * hertz(note.envelopes[PITCH].at(at_s) + cents / 100)) / RATE_HZ
        partials = sum(np.sin(2 * np.pi * number * turns) / number for number in range(1, 11))
        fade = np.minimum(1, np.minimum(at_s - at_s[0], at_s[-1] - at_s) / 0.005)
        samples[first:after] += amplitude * fade * partials
    return samples.astype(np.float32)


def measured(samples, *notes, **settings):
    return measure_voice(samples, notes, rate_hz=RATE_HZ, **settings)


@settings(max_examples=25)
@given(st.floats(40, 95), st.floats(-45, 45), st.floats(0, 30))
def test_a_note_gets_the_pitch_that_sounds_not_the_one_asked_for(pitch_midi, cents, vibrato_cents):
    times_s = np.arange(0.3, 1.3001, 0.005)
    vibrato = vibrato_cents / 100 * np.sin(2 * np.pi * 5 * times_s)
    note = planned(0.3, 1.3, Envelope(np.minimum(times_s, 1.3), pitch_midi + vibrato))
    (one,) = measured(rendered([note], cents=cents), note)
    assert one.fault == "" and one.note.masked == ()
    inner_s = np.arange(0.4, 1.2, 0.003)
    truth = note.envelopes[PITCH].at(inner_s) + cents / 100
    np.testing.assert_allclose(one.note.envelopes[PITCH].at(inner_s), truth, atol=0.015)
    edges_s = np.array([0.31, 1.29])
    np.testing.assert_allclose(
        one.note.envelopes[PITCH].at(edges_s), note.envelopes[PITCH].at(edges_s) + cents / 100, atol=0.02
    )


@given(st.floats(30, 90), st.floats(0.001, 0.5))
@settings(max_examples=25)
def test_a_steady_tone_has_the_level_of_its_root_mean_square(pitch_midi, amplitude):
    seconds = np.arange(RATE_HZ) / RATE_HZ
    power = Power(amplitude * np.sin(2 * np.pi * hertz(pitch_midi) * seconds), rate_hz=RATE_HZ)
    times_s = np.arange(0.1, 0.9, 0.01)
    same = np.ones(times_s.size)
    levels = dynamics_dbfs(power, times_s, pitch_midi=pitch_midi * same, onsets_s=0 * same, offsets_s=same)
    np.testing.assert_allclose(levels, 20 * np.log10(amplitude / np.sqrt(2)), atol=0.1)


def test_dynamics_follow_a_gain_and_tell_of_the_note_alone():
    notes = planned(0.3, 0.8, 60.0), planned(0.8, 1.5, 64.0)
    samples = rendered(notes[:1], amplitude=0.3) + rendered(notes[1:], amplitude=0.03)
    loud, quiet = measured(samples, *notes), measured(samples / 10, *notes)
    for ours, theirs in zip(loud, quiet, strict=True):
        times_s = np.linspace(ours.note.onset_s + 0.02, ours.note.offset_s - 0.02, 30)
        levels = [one.note.envelopes[DYNAMICS].at(times_s) for one in (ours, theirs)]
        np.testing.assert_allclose(levels[0] - levels[1], 20, atol=0.25)
    first, second = (one.note.envelopes[DYNAMICS].at(np.array([0.78, 0.82])) for one in loud)
    assert first[0] - second[1] == pytest.approx(20, abs=1)


def test_silence_has_the_lowest_level_there_is():
    one = np.ones(1)
    power = Power(np.zeros(1000), rate_hz=RATE_HZ)
    assert dynamics_dbfs(power, 0.01 * one, pitch_midi=60 * one, onsets_s=0 * one, offsets_s=one) == [-120]


@given(st.floats(0.02, 0.1))
@settings(max_examples=20)
def test_a_note_is_heard_where_its_level_passes_a_twentieth(rise_s):
    seconds = np.arange(RATE_HZ) / RATE_HZ
    ramp = np.clip((seconds - 0.5) / rise_s, 0, 1)
    power = Power(ramp * np.sin(2 * np.pi * 3000 * seconds), rate_hz=RATE_HZ)
    (onset_s,) = audible_onsets_s(power, np.array([0.5]), ends_s=np.array([1.0]))
    # RMS of a ramp over 4 ms around t is its slope times the root of t^2 + (4 ms)^2 / 12.
    highest_s = min(0.08, rise_s)
    expected_s = np.sqrt(max(0, (0.05 * highest_s) ** 2 - 0.004**2 / 12))
    assert onset_s - 0.5 == pytest.approx(expected_s, abs=0.001)


def test_a_note_that_begins_at_once_begins_with_its_drive():
    note = planned(0.5, 1.0, 60.0, articulation="plucked")
    seconds = np.arange(RATE_HZ) / RATE_HZ
    samples = np.where(seconds >= 0.5, np.exp(-5 * (seconds - 0.5)), 0) * np.sin(2 * np.pi * 261.63 * seconds)
    (one,) = measured(0.3 * samples, note)
    assert one.note.onset_s == one.note.drive_onset_s == 0.5


def test_a_late_sound_moves_the_onset_and_keeps_the_drive():
    channels = {"bow_pressure": Envelope([0.3, 1.3], [0.0, 1.0]), "loudness": Envelope([0.3], [0.5])}
    note = planned(0.3, 1.3, 67.0, **channels)
    (one,) = measured(rendered([note], late_s=0.03), note)
    assert one.note.onset_s == pytest.approx(0.33, abs=0.003)
    assert one.note.drive_onset_s == 0.3 and one.note.offset_s == 1.3
    assert set(one.note.envelopes) == {PITCH, DYNAMICS, "bow_pressure"}
    pressure = one.note.envelopes["bow_pressure"]
    np.testing.assert_allclose(pressure.at(np.array([0.4, 1.2])), [0.1, 0.9], atol=1e-4)
    assert pressure.times_s.size == 2


def test_a_struck_note_is_heard_over_what_still_rings():
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    ringing = 0.05 * np.exp(-seconds) * np.sin(2 * np.pi * 220 * seconds)
    struck = np.where(seconds >= 1.02, np.exp(-3 * (seconds - 1.02)), 0) * np.sin(2 * np.pi * 330 * seconds)
    power = Power(ringing + 0.4 * struck, rate_hz=RATE_HZ)
    (onset_s,) = audible_onsets_s(power, np.array([1.0]), ends_s=np.array([2.0]))
    assert onset_s == pytest.approx(1.02, abs=0.003)


def test_slurred_notes_begin_where_they_are_driven():
    notes = planned(0.3, 0.8, 60.0), planned(0.8, 1.3, 64.0, articulation="legato")
    samples = rendered([planned(0.3, 1.3, Envelope([0.3, 0.8], [60.0, 64.0], "step"))])
    first, second = measured(samples, *notes)
    assert (first.fault, second.fault) == ("", "") and second.note.onset_s == 0.8
    assert second.note.envelopes[PITCH].at(np.array([0.81, 1.2])) == pytest.approx([64, 64], abs=0.01)
    assert first.note.envelopes[PITCH].at(np.array([0.4, 0.79])) == pytest.approx([60, 60], abs=0.01)


def test_a_legato_key_that_is_struck_is_heard_where_it_sounds():
    notes = planned(0.3, 0.8, 60.0), planned(1.0, 1.5, 64.0, articulation="legato")
    _, second = measured(rendered(notes, late_s=0.02), *notes)
    assert second.fault == "" and second.note.onset_s == pytest.approx(1.02, abs=0.002)


@pytest.mark.parametrize("knock_hz", [220, 300, 610])
def test_the_knock_of_an_attack_does_not_pull_the_pitch_off(knock_hz):
    note = planned(0.3, 1.3, 60.0)
    since_s = np.maximum(np.arange(2 * RATE_HZ) / RATE_HZ - 0.3, 0)
    knock = 0.3 * np.exp(-since_s / 0.03) * np.sin(2 * np.pi * knock_hz * since_s)
    (one,) = measured((rendered([note]) + knock).astype(np.float32), note)
    pitch_midi = one.note.envelopes[PITCH].at(np.linspace(0.3, 1.3, 300))
    assert one.fault == "" and np.abs(pitch_midi - 60).max() < 0.03


def test_short_notes_are_measured():
    notes = [planned(0.2 + 0.1 * number, 0.28 + 0.1 * number, 55.0 + number) for number in range(15)]
    for one, note in zip(measured(rendered(notes, cents=12), *notes), notes, strict=True):
        assert one.fault == ""
        middle_s = np.array([note.onset_s + 0.04])
        assert one.note.envelopes[PITCH].at(middle_s) == pytest.approx(
            [note.envelopes[PITCH].values[0] + 0.12], abs=0.02
        )


@pytest.mark.parametrize(
    ("change", "fault", "masked"),
    [
        ({"amplitude": 1e-6}, "silent", {PITCH, DYNAMICS}),
        ({"times": 2.0}, "an octave or more above", {PITCH}),
        ({"times": 3.0}, "an octave or more above", {PITCH}),
        ({"times": 0.5}, "not periodic as planned", {PITCH}),
        ({"cents": 55.0}, r"\+55 cents from the plan", {PITCH}),
        ({"cents": -400.0}, "not periodic as planned", {PITCH}),
        ({"late_s": 0.2}, "not heard within 80 ms", {PITCH}),
    ],
)
def test_what_the_sound_does_not_confirm_is_masked_and_told(change, fault, masked):
    note = planned(0.3, 1.3, 62.0)
    (one,) = measured(rendered([note], **change), note)
    assert f"note at {one.note.onset_s:.3f} s: " in one.fault
    assert re.search(fault, one.fault)
    assert set(one.note.masked) == masked and PITCH in one.note.envelopes


def test_noise_in_place_of_a_note_is_told():
    samples = np.zeros(2 * RATE_HZ)
    samples[round(0.3 * RATE_HZ) : round(1.3 * RATE_HZ)] = 0.1 * np.random.default_rng(3).standard_normal(
        RATE_HZ
    )
    (one,) = measured(samples, planned(0.3, 1.3, 62.0))
    assert "not periodic" in one.fault


def test_a_wider_tolerance_lets_a_detuned_note_pass():
    note = planned(0.3, 1.3, 62.0)
    (one,) = measured(rendered([note], cents=80), note, search_cents=120, tolerance_cents=100)
    assert one.fault == ""


def test_what_was_masked_stays_so_and_no_notes_are_nothing():
    note = planned(0.3, 1.3, 62.0, damping=Envelope([0.3], [0.1]))
    (one,) = measured(rendered([note]), replace(note, masked=("damping",)))
    assert one.note.masked == ("damping",)
    assert measured(np.zeros(100)) == ()


@st.composite
def curves(draw):
    size = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times_s = np.cumsum(rng.uniform(0.001, 0.02, size))
    values = np.cumsum(rng.normal(0, rng.choice([0, 0.01, 1]), size))
    return Curve(times_s, values, draw(st.floats(0.001, 1)), 4, draw(st.sampled_from(["linear", "step"])))


@given(st.lists(curves(), max_size=6))
def test_a_simplified_curve_stays_within_its_tolerance_of_every_point(many):
    for curve, envelope in zip(many, simplified(many), strict=True):
        errors = np.abs(envelope.at(np.round(curve.times_s, 6)) - curve.values)
        assert errors.max() <= (curve.tolerance if curve.interpolation == "linear" else 0) + 1e-4
        assert envelope.times_s[[0, -1]] == pytest.approx(curve.times_s[[0, -1]], abs=1e-6)


def test_a_straight_line_needs_two_points():
    times_s = np.linspace(0, 3, 500)
    (envelope,) = simplified([Curve(times_s, 2 * times_s, 0.001, 4)])
    assert envelope.times_s.size == 2


@given(st.floats(-60, 60), st.floats(-0.02, 0.02))
@settings(max_examples=15)
def test_labels_that_are_off_are_found_out(cents, seconds):
    notes = planned(0.3, 0.8, 60.0), planned(1.1, 1.7, 66.0)
    samples = rendered(notes)
    off = [
        replace(
            note.retimed(lambda times_s: times_s + seconds),
            envelopes={PITCH: Envelope([note.onset_s + 0.03], note.envelopes[PITCH].values + cents / 100)},
        )
        for note in notes
    ]
    errors_cents = pitch_errors_cents(samples, off, rate_hz=RATE_HZ, ring_s=0.1)
    assert errors_cents.size > 100
    assert np.percentile(np.abs(errors_cents + cents), 95) < 0.1
    np.testing.assert_allclose(onset_errors_s(samples, off, rate_hz=RATE_HZ), -seconds, atol=0.003)


def test_only_what_one_note_alone_tells_is_compared():
    notes = planned(0.3, 1.0, 60.0), planned(0.5, 1.2, 67.0)
    samples = rendered(notes)
    alone = pitch_errors_cents(samples, notes, rate_hz=RATE_HZ, ring_s=0)
    assert 0 < alone.size * 0.005 < 0.4 and np.abs(alone).max() < 0.5
    assert pitch_errors_cents(samples, notes, rate_hz=RATE_HZ, ring_s=0.2).size < alone.size
    masked = [replace(note, masked=(PITCH,)) for note in notes]
    assert pitch_errors_cents(samples, masked, rate_hz=RATE_HZ).size == 0
    assert onset_errors_s(samples, notes, rate_hz=RATE_HZ).size == 1
    assert onset_errors_s(samples, (), rate_hz=RATE_HZ).size == 0
