"""Strings sound the pitch that they are asked for, and follow their controls sample by sample."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ripieno.contracts import Envelope, Note, PluginError
from ripieno.toolkit.measuring.refine import hertz, refine_pitch
from ripieno_faust.clip import perform
from ripieno_faust.engine import render
from ripieno_faust.models import MODELS, RATE_HZ

LENGTH_S = 0.8
FRAMES = round(LENGTH_S * RATE_HZ)


def sound(instrument: str, pitch_midi: NDArray[np.float64], *, loudness: float = 0.6, seed: int = 1):
    """One note whose pitch runs through these values, from 0.05 s to 0.05 s before the end."""
    model = MODELS[instrument]
    technique = model.ability.techniques[0]
    times_s = np.linspace(0.05, LENGTH_S - 0.05, pitch_midi.size) if pitch_midi.size > 1 else np.array([0.05])
    envelopes = {"pitch_midi": Envelope(times_s, pitch_midi), "loudness": Envelope([0.05], [loudness])}
    note = Note(0.05, LENGTH_S - 0.05, technique.articulation, technique.mode, envelopes)
    rng = np.random.default_rng(seed)
    return perform((note,), model=model, frames=FRAMES, rng=rng)[1]


def errors_cents(instrument: str, pitch_midi: float, *, seed: int) -> NDArray[np.float64]:
    times_s = np.arange(0.12, 0.32, 0.01)
    labels = np.full(times_s.size, pitch_midi)
    samples = sound(instrument, np.array([pitch_midi]), seed=seed)
    found = refine_pitch(samples, times_s, labels, rate_hz=RATE_HZ)
    assert found.is_confirmed.all(), f"{instrument} at {pitch_midi:g}"
    return 100 * (found.pitch_midi - labels)


@pytest.mark.parametrize("instrument", MODELS)
def test_strings_are_in_tune_over_their_whole_range(instrument):
    ability = MODELS[instrument].ability
    pitches = np.linspace(ability.lowest_midi, ability.highest_midi, 40)
    errors = np.abs([errors_cents(instrument, pitch, seed=seed) for seed, pitch in enumerate(pitches)])
    assert np.median(errors) <= 0.3
    assert np.percentile(errors, 95) <= 1.5


@pytest.mark.parametrize("instrument", MODELS)
def test_a_string_sounds_the_same_after_others_and_alone(instrument):
    alone = sound(instrument, np.array([60.0, 62.0]))
    sound(instrument, np.array([71.3]), loudness=1.0, seed=9)
    assert np.array_equal(sound(instrument, np.array([60.0, 62.0])), alone)


def test_a_vibrato_of_30_hz_is_followed_without_steps():
    """A pitch that is held for blocks of 512 samples, as automation is, leaves steps beside the sine."""

    def steps(pitch_midi: NDArray[np.float64]) -> float:
        """RMS of what is heard beside a sine of 30 Hz, as a share of the sine's amplitude."""
        at_s = np.arange(0.2, 0.6, 0.001)
        phases = 2 * np.pi * 30 * at_s
        labels = 81 + 0.5 * np.sin(phases)
        heard = refine_pitch(sound("violin", pitch_midi), at_s, labels, rate_hz=RATE_HZ).pitch_midi
        waves = np.stack([np.sin(phases), np.cos(phases), np.ones(at_s.size)], axis=1)
        fit = np.linalg.lstsq(waves, heard, rcond=None)[0]
        assert fit[2] == pytest.approx(81, abs=0.02)
        return np.std(heard - waves @ fit) / np.hypot(*fit[:2])

    times_s = np.linspace(0.05, LENGTH_S - 0.05, 12001)
    held_s = 512 / RATE_HZ * np.floor(times_s * RATE_HZ / 512)
    smooth, stepped = (81 + 0.5 * np.sin(2 * np.pi * 30 * seconds) for seconds in (times_s, held_s))
    assert steps(smooth) < 0.04 < 0.1 < steps(stepped)


def test_controls_move_between_the_samples_of_a_block():
    """A pluck a third of a block later sounds a third of a block later, to the sample."""
    model = MODELS["electric_guitar"]
    controls = np.zeros((4, 4096), np.float32)
    controls[0], controls[1], controls[2] = model.length_m(np.array(220.0)), 0.7, 1.0
    sounds = []
    for start in (100, 271):
        plucked = controls.copy()
        plucked[3, start : start + 20] = np.hanning(20)
        sounds.append(render(model.faust, plucked))
    assert np.array_equal(sounds[0][:-171], sounds[1][171:])


@pytest.mark.parametrize("instrument", [name for name in MODELS if not MODELS[name].bowed])
def test_no_two_plucks_are_the_same(instrument):
    first, second = (sound(instrument, np.array([57.0]), seed=seed) for seed in (1, 2))
    likeness = np.corrcoef(first[4000:20000], second[4000:20000])[0, 1]
    assert 0.2 < likeness < 0.999


@pytest.mark.parametrize("instrument", MODELS)
def test_loud_is_louder_than_soft(instrument):
    soft, loud = (np.std(sound(instrument, np.array([64.0]), loudness=loudness)) for loudness in (0.1, 0.9))
    assert 20 * np.log10(loud / soft) > 10


@pytest.mark.parametrize("instrument", MODELS)
def test_the_excitation_never_comes_nearer_to_an_end_than_the_delay_lines_bear(instrument):
    model = MODELS[instrument]
    highest = model.ability.highest_midi + (4 if model.ability.bends else 0)
    shortest = float(model.loop(hertz(np.array(highest)))) * model.edge(highest) / 2
    assert shortest > 2
    assert model.edge(highest) < 0.44 if model.bowed else model.edge(highest) <= 0.5


def test_a_program_that_faust_refuses_is_a_line():
    with pytest.raises(PluginError, match="undefined symbol : pm_nothing") as caught:
        render("process = pm_nothing;", np.zeros((4, 9), np.float32))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("instrument", MODELS)
def test_an_independent_tracker_agrees(instrument):
    import librosa

    ability = MODELS[instrument].ability
    errors = []
    for pitch in np.linspace(ability.lowest_midi + 1, ability.highest_midi - 1, 4):
        samples = sound(instrument, np.array([pitch]))[int(0.15 * RATE_HZ) : int(0.6 * RATE_HZ)]
        low, high = hertz(np.array([pitch - 7, pitch + 7]))
        # Finer than by default, where bins are as wide as what is asked about.
        found, voiced, _ = librosa.pyin(
            samples, fmin=low, fmax=high, sr=RATE_HZ, frame_length=4096, resolution=0.05
        )
        errors += list(1200 * np.log2(found[voiced] / hertz(np.array(pitch))))
    assert abs(np.median(errors)) < 3
    assert np.percentile(np.abs(errors), 95) < 15
