"""The controller: what the music is like becomes coefficients, the same however it is cut."""

import tracemalloc
from contextlib import contextmanager
from math import ceil

import numpy as np
import pytest
from hearing import NAMES, PRESETS, RATE_HZ, config, features, parts, silence, steady
from hypothesis import given, settings, strategies as st

from ripieno.contracts import Beats, ConfigError, Features, InputError, Preset
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import ControllerSuite, digest
from ripieno_film import controller as controllers
from ripieno_film.controller import LatentController
from ripieno_film.steering.sound import EARLY_ROWS

OWN = Preset(
    uses="controller/latent",
    settings={
        "anchors": {"asset/cppn": [3, 9, 27, 81]},
        "moods": {"dawn": {"lead": [0]}, "noon": {"lead": [1], "hue": 0.25}, "dusk": {"lead": [2]}},
        "motion": {"features": 0, "roam": 0, "lead": 8, "smoothing_s": 0.02, "colour": 0},
    },
)


class TestConformance(ControllerSuite):
    plugin = LatentController

    def settings(self):
        return config("drift")

    def example(self):
        return {"features": features(1.5), "beats": steady(until_s=1.5), "sections": parts("a", "b")}


def control(given=None, *, preset="default", facts=None, seed=3, settings=None, **ports):
    with use_context(new_context(seed=seed, facts=facts or {})):
        plugin = LatentController(config(preset, **(settings or {})))
        return plugin.control(given if given is not None else features(), **ports)


def column(trajectory, name):
    return trajectory.coefficients[:, trajectory.names.index(name)]


def weights(trajectory):
    return trajectory.coefficients[:, [name.startswith("anchor_") for name in trajectory.names]]


@contextmanager
def chunks_of(frames):
    """The controller, working on so many frames at once."""
    before = controllers.CHUNK_FRAMES
    controllers.CHUNK_FRAMES = frames
    try:
        yield
    finally:
        controllers.CHUNK_FRAMES = before


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PRESETS), st.floats(0.05, 3), st.sampled_from([24.0, 25.0, 30.0, 59.94, 120.0]))
def test_a_film_has_a_row_a_frame_and_each_is_a_blend(preset, duration_s, fps):
    heard = features(duration_s)
    made = control(heard, preset=preset, settings={"fps": fps}, beats=steady(until_s=duration_s))
    assert len(made.coefficients) == ceil(len(heard.values) / RATE_HZ * fps - 1e-6)
    assert made.fps == fps
    blend = weights(made)
    assert (blend >= 0).all()
    np.testing.assert_allclose(blend.sum(axis=1), 1, atol=1e-5)
    for name in ("energy", "pulse", "flash"):
        assert column(made, name).min() >= 0
        assert column(made, name).max() <= 1
    wander = made.coefficients[:, [name.startswith("wander_") for name in made.names]]
    assert np.abs(wander).max() <= 1
    assert column(made, "zoom").min() >= 1


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 97), st.sampled_from(PRESETS), st.sampled_from([25.0, 60.0]))
def test_any_chunk_gives_the_same_bytes(frames, preset, fps):
    ports = {"beats": steady(97, until_s=4), "sections": parts("a", "b", "a", "c"), "drums": features(seed=2)}
    whole = control(preset=preset, settings={"fps": fps}, **ports)
    with chunks_of(frames):
        again = control(preset=preset, settings={"fps": fps}, **ports)
    assert again.coefficients.tobytes() == whole.coefficients.tobytes()


def test_the_seed_of_a_track_is_the_draw_whatever_the_run_says():
    by_run, other_run = (control(seed=seed) for seed in (1, 2))
    assert digest(by_run) != digest(other_run)
    one, two = (control(seed=seed, facts={"seed": 7}) for seed in (1, 2))
    assert digest(one) == digest(two)
    assert digest(one) != digest(control(seed=1, facts={"seed": 8}))


@given(st.lists(st.floats(0.21, 0.9), min_size=6, max_size=12), st.sampled_from([30.0, 60.0, 120.0]))
@settings(max_examples=20, deadline=None)
def test_a_pulse_falls_on_the_frame_that_is_nearest_to_each_beat(steps_s, fps):
    times_s = np.cumsum(steps_s)
    until_s = times_s[-1] + 0.5
    made = control(features(until_s), beats=Beats(times_s), settings={"fps": fps})
    pulse = column(made, "pulse")
    found = np.round(times_s * fps).astype(int)
    assert (pulse[found] == 1).all()
    assert (np.delete(pulse, found)[: found[-1] - len(found)] < 1).sum() >= found[-1] - found[0] - len(found)
    between = pulse[found[2] : found[3]]
    assert (np.diff(between) < 0).all()


@pytest.mark.parametrize(
    ("subdivision", "expected_s"),
    [(0.5, [0.4, 0.65, 0.9, 1.1, 1.3, 1.6]), (1, [0.4, 0.9, 1.3]), (2, [0.9]), (4, [0.9])],
)
def test_a_subdivision_is_counted_in_beats_and_from_the_downbeat(subdivision, expected_s):
    beats = Beats([0.4, 0.9, 1.3, 1.9], [4, 1, 2, 3])
    motion = {"motion": {"subdivision_beats": subdivision}}
    made = control(features(1.7), beats=beats, settings={"fps": 120, **motion})
    found = np.flatnonzero(column(made, "pulse") == 1) / 120
    inside = found[(found > 0.39) & (found < 1.7)]
    np.testing.assert_allclose(inside, expected_s, atol=0.5 / 120 + 1e-9)


def test_the_tempo_of_the_track_list_stands_in_for_beats():
    pulse = column(control(facts={"bpm": 90}), "pulse")
    assert np.flatnonzero(pulse == 1).tolist() == [0, 20, 40, 60, 80, 100]


def test_without_any_tempo_onsets_are_the_pulse():
    strength = np.zeros(344)
    strength[[100, 200]] = 20
    pulse = column(control(features(4.0, onset_strength=strength)), "pulse")
    rises = np.flatnonzero(np.diff(pulse) > 0.2) + 1
    assert rises.tolist() == [round((row + EARLY_ROWS) / RATE_HZ * 30) for row in (100, 200)]


def test_no_onset_falls_between_two_frames():
    for row in range(120, 140):
        strength = np.zeros(344)
        strength[row] = 30
        flash = column(
            control(features(4.0, onset_strength=strength), settings={"fps": 24, "motion": {"flash": 1}}),
            "flash",
        )
        assert flash.argmax() == round((row + EARLY_ROWS) / RATE_HZ * 24)
        assert flash.max() > 0.9


def test_motion_goes_in_steps_with_the_pulse():
    motion = {"motion": {"sync": 1, "liveliness": 0, "subdivision_beats": 1}}
    made = control(beats=steady(60, until_s=4), settings={"fps": 60, **motion})
    steps = np.hypot(np.diff(column(made, "drift_x")), np.diff(column(made, "drift_y")))
    assert steps[:12].mean() > 20 * steps[48:59].mean()
    free = control(beats=steady(60, until_s=4), settings={"fps": 60, "motion": {"sync": 0, "liveliness": 0}})
    even = np.hypot(np.diff(column(free, "drift_x")), np.diff(column(free, "drift_y")))
    # In whole beats it goes as far: its mean over a beat is 1.
    np.testing.assert_allclose(steps[:180].sum(), even[:180].sum(), rtol=0.05)


def test_what_is_loud_is_followed_faster():
    rows = np.arange(8 * 86)
    loud_then_quiet = np.where(rows < 4 * 86, 0.3, 0.03)
    bright_between = np.where((rows >= 2 * 86) & (rows < 6 * 86), 4000.0, 500.0)
    heard = features(8.0, centroid_hz=bright_between, rms=loud_then_quiet, onset_strength=0, flatness=0.1)
    motion = {"colour": 1, "hue_drift": 0, "smoothing_s": 1, "ease": 0.9}
    hue = column(control(heard, settings={"motion": motion}), "hue")

    def half_way(change, settled):
        way = np.abs(hue[change:settled] - hue[change - 1])
        return np.flatnonzero(way > way[-1] / 2)[0]

    assert half_way(60, 119) < 0.6 * half_way(180, 239)


def test_parts_with_the_same_label_have_the_same_mood():
    made = control(features(5.0), preset=OWN, sections=parts("a", "b", "a", "c", "b"))
    leaders = weights(made).argmax(axis=1)[[25, 55, 85, 115, 145]]
    assert leaders[0] == leaders[2]
    assert leaders[1] == leaders[4]
    assert len(set(leaders[:4].tolist())) == 3


def test_a_marker_forces_a_mood_until_the_next_one():
    markers = [
        {"at_s": 1, "mood": "dusk"},
        {"at_s": 2, "mood": 1, "label": "solo"},
        {"at_s": 3, "label": "back"},
    ]
    made = control(features(4.0), preset=OWN, facts={"markers": markers})
    assert weights(made).argmax(axis=1)[[25, 55, 85, 115]].tolist() == [0, 2, 1, 0]
    np.testing.assert_allclose(column(made, "hue")[[25, 85]], [0, 0.25], atol=1e-3)


def test_markers_of_a_track_that_was_cut_are_times_of_its_file():
    facts = {"markers": [{"at_s": 61, "mood": "dusk"}], "trim": [60, 64]}
    made = control(features(4.0), preset=OWN, facts=facts)
    assert weights(made).argmax(axis=1)[[25, 35]].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        ("dusc", r'the marker at 1\.5 s: the preset has no mood \'dusc\'\. Did you mean "dusk"\?'),
        ("x", r"no mood 'x'\. There is: dawn, noon, dusk"),
        (3, r"no mood 3\. There is: 0 dawn, 1 noon, 2 dusk"),
    ],
)
def test_a_mood_that_is_not_known_is_named(mood, message):
    with pytest.raises(InputError, match=message):
        control(preset=OWN, facts={"markers": [{"at_s": 1.5, "mood": mood}]})


@pytest.mark.parametrize("preset", PRESETS)
def test_the_last_frame_of_a_loop_meets_the_first(preset):
    beats = steady(until_s=20)
    made = control(features(20.0), preset=preset, beats=beats, facts={"loop": True})
    rows, names = made.coefficients, list(made.names)
    for name in ("drift_x", "drift_y", "hue"):
        turned = rows[-1, names.index(name)] - rows[0, names.index(name)]
        assert abs(turned - round(float(turned))) < 0.01
    others = [
        index
        for index, name in enumerate(names)
        if name not in ("drift_x", "drift_y", "hue", "pulse", "flash")
    ]
    np.testing.assert_allclose(rows[-1, others], rows[0, others], atol=0.01)
    open_end = control(features(20.0), preset=preset, beats=beats).coefficients
    assert np.abs(open_end[-1, others] - open_end[0, others]).max() > 0.05
    assert np.array_equal(open_end[:300], rows[:300])


def test_a_loop_within_a_track_meets_its_own_begin():
    made = control(features(20.0), facts={"loop": [4, 12]})
    np.testing.assert_allclose(weights(made)[360], weights(made)[120], atol=1e-6)
    assert np.abs(np.diff(weights(made), axis=0)).max() < 0.1


def test_silence_stands_nearly_still():
    made = control(silence(3.0), beats=steady(until_s=3))
    assert np.isfinite(made.coefficients).all()
    for name in ("energy", "pulse", "flash"):
        assert (column(made, name) == 0).all()
    assert np.abs(np.diff(weights(made), axis=0)).max() < 0.05


def test_noise_far_below_hearing_is_silence():
    faint = np.random.default_rng(1).uniform(1e-6, 1e-5, 172)
    made = control(features(2.0, rms=faint))
    assert column(made, "energy").max() == 0


def test_a_feature_that_hardly_changes_moves_nothing():
    jitter = 1500 + 1e-3 * np.random.default_rng(0).standard_normal(344)
    motion = {"roam": 0, "lead": 0}
    made, calm = (
        weights(control(features(4.0, centroid_hz=hz), settings={"motion": motion}))
        for hz in (jitter, 1500.0)
    )
    np.testing.assert_allclose(made, calm, atol=0.01)


@pytest.mark.parametrize("duration_s", [0.2, 1 / RATE_HZ])
def test_a_very_short_track_has_its_frames(duration_s):
    made = control(features(duration_s), beats=Beats([]), sections=parts("a"), facts={"loop": True})
    assert len(made.coefficients) == ceil(duration_s * 30)
    assert np.isfinite(made.coefficients).all()


def test_no_sound_at_all_is_no_frames():
    made = control(Features(np.zeros((0, len(NAMES))), NAMES, RATE_HZ))
    assert made.coefficients.shape == (0, len(made.names))


def test_drums_make_the_pulse_and_the_flash():
    strength = np.zeros(344)
    strength[172] = 30
    quiet_drums = features(4.0, rms=np.where(np.arange(344) < 172, 1e-5, 0.3), onset_strength=strength)
    made = control(beats=steady(until_s=4), drums=quiet_drums)
    assert column(made, "pulse")[:58].max() < 0.01
    assert column(made, "pulse")[61:].max() > 0.5
    assert column(made, "flash").argmax() == 60


def test_the_voice_turns_the_colour():
    voice = features(4.0, rms=np.where(np.arange(344) < 172, 1e-5, 0.3))
    motion = {"colour": 0.2, "hue_drift": 0, "smoothing_s": 0.05}
    hue = column(control(vocals=voice, settings={"motion": motion}), "hue")
    np.testing.assert_allclose(hue[20:55], 0, atol=0.01)
    assert hue[-5:].mean() > 0.08


def test_features_that_lack_a_name_are_refused_by_it():
    lacking = features(names=("rms", "onset_strength", "flatness"))
    with pytest.raises(InputError, match=r"features lack centroid_hz, mfcc_1, .*frontend/librosa gives all"):
        control(lacking)
    with pytest.raises(InputError, match="drums lack onset_strength"):
        control(drums=features(names=("rms",)))


def test_without_timbre_no_mfcc_are_needed():
    names = ("rms", "centroid_hz", "flatness", "onset_strength")
    made = control(features(names=names), settings={"motion": {"timbre": 0}})
    assert len(made.coefficients)


def test_the_look_is_that_of_the_preset_with_the_settings_of_the_step_over_it():
    look = control(
        preset="drift",
        settings={"look": {"paint": {"warp": 0.9}, "palette": ["#000000", "#ffffff"]}, "anchors": [5, 6]},
    ).look
    plain = control(preset="drift").look
    assert look["preset"] == "drift"
    assert (look["palette"], look["anchors"]) == (("#000000", "#ffffff"), (5, 6))
    assert look["paint"] == {**plain["paint"], "warp": 0.9}
    assert look["effects"] == plain["effects"]
    assert set(look["latent"]) == {"tilt", "wander"}


def test_anchors_that_the_generator_has_not_are_named():
    with pytest.raises(InputError, match="no anchor 5000 in the generator"):
        control(settings={"anchors": [0, 5000]})


def test_a_generator_that_the_preset_does_not_know_gets_codes_of_its_bank():
    other = Preset(uses="controller/latent", settings={"anchors": {"asset/other": list(range(11))}})
    anchors = control(preset=other).look["anchors"]
    assert len(set(anchors)) == 11
    assert control(preset=other, seed=9).look["anchors"] == anchors


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ({"uses": "effect/gate", "settings": {}}, "preset/own is a preset of effect/gate, expected one of"),
        (
            {"settings": {"motion": {"wandr": 1}}},
            r'preset/own: motion\.wandr: unknown .* Did you mean "wander"',
        ),
        (
            {"settings": {"moods": {"a": {"leed": [1]}}}},
            r'moods\.a\.leed: unknown setting. Did you mean "lead"',
        ),
        ({"settings": {"look": {"palete": []}}}, r'look\.palete: unknown setting\. Did you mean "palette"\?'),
        ({"settings": {"look": {"paint": {"relif": 1}}}}, r'look\.paint\.relif: .* Did you mean "relief"\?'),
        ({"settings": {"look": {"palette": ["red"]}}}, r"look\.palette\.0: .*got 'red'"),
        (
            {"settings": {"look": {"effects": {"grain": {}}}}},
            r"grain is no frame effect\. Write frame_effect/grain",
        ),
        ({"settings": {"anchors": {"asset/cppn": [1]}}}, r"anchors\.asset/cppn: .*at least 2"),
        (
            {"settings": {"anchors": {"a": [1, 2], "b": [1, 2, 3]}}},
            r"anchors: 2 for a, 3 for b: .* all are of one length",
        ),
        (
            {"settings": {"anchors": {"a": [1, 2]}, "moods": {"x": {"lead": [2]}}}},
            r"moods\.x\.lead: no anchor 2: it has 2, 0 to 1",
        ),
        ({"settings": {"motion": {"sync": 2}}}, r"motion\.sync: .*less than or equal to 1, got 2"),
    ],
)
def test_a_preset_that_says_what_it_may_not_is_refused_by_its_place(preset, message):
    with pytest.raises(ConfigError, match=message) as refused:
        control(preset=Preset(**{"uses": "controller/latent", **preset}))
    assert len(str(refused.value).splitlines()) == 1


def test_a_long_track_takes_the_memory_of_its_rows():
    duration_s = 1800.0
    heard = features(duration_s)
    control()
    tracemalloc.start()
    made = control(heard, beats=steady(until_s=duration_s), sections=parts("a", "b", each_s=900))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - made.coefficients.nbytes < 24e6
