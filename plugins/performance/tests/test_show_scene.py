"""What a picture shows: curves, lanes, colours, names."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from played import envelopes, note, performance, rich

from ripieno.contracts import Channel, Envelope, InstrumentProfile, Note
from ripieno.contracts.performance import ARTICULATIONS
from ripieno_performance.show.scene import Scene, curve, middle_midi
from ripieno_performance.show.style import STYLES, hertz, midi, note_name, title_of, unit_of

VIOLIN = InstrumentProfile(
    description="A violin.",
    lowest_midi=55,
    highest_midi=105,
    polyphony=4,
    channels={
        "vibrato_rate_hz": Channel(unit="Hz", minimum=0, maximum=12),
        "bow_pressure": Channel(unit="ratio", minimum=0, maximum=1),
    },
    articulations=("sustained",),
    modes=("arco",),
)
PAPERS = {"light": "#ffffff", "dark": "#191b1f"}
# Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision deficiency.
# IEEE TVCG 15(6), 2009; severity 1.0.
SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour):
    """Linear sRGB of ``#rrggbb`` (IEC 61966-2-1)."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Ottosson: A perceptual color space for image processing, 2020."""
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ rgb
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )


@pytest.mark.parametrize("theme", PAPERS)
@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_of_articulations_stay_apart_whatever_cones_one_has(theme, sight):
    seen = [
        oklab(np.clip(np.array(SIGHTS[sight]) @ linear(getattr(style, theme)), 0, 1))
        for style in STYLES.values()
    ]
    for number, one in enumerate(seen):
        for other in seen[:number]:
            # Five times what is just noticed side by side (0.02).
            assert np.linalg.norm(one - other) > 0.1


@pytest.mark.parametrize("theme", PAPERS)
def test_colours_of_articulations_stand_out_from_the_paper(theme):
    def luminance(colour):
        return linear(colour) @ [0.2126, 0.7152, 0.0722]

    paper = luminance(PAPERS[theme])
    for style in STYLES.values():
        dark, light = sorted([paper, luminance(getattr(style, theme))])
        assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 2.2, 1.4.11


def test_every_articulation_has_a_sign_of_its_own():
    assert set(STYLES) == set(ARTICULATIONS)
    assert len({style.path for style in STYLES.values()}) == len(ARTICULATIONS)


@pytest.mark.parametrize(
    ("pitch", "name", "full"),
    [
        (69, "A4", "A4 +0 ¢"),
        (60.12, "C4", "C4 +12 ¢"),
        (60.9, "C♯4", "C♯4 \N{MINUS SIGN}10 ¢"),
        (21, "A0", "A0 +0 ¢"),
        (-0.4, "C-1", "C\N{MINUS SIGN}1 \N{MINUS SIGN}40 ¢"),
    ],
)
def test_pitches_have_their_names(pitch, name, full):
    assert note_name(pitch) == name
    assert note_name(pitch, cents=True) == full


@given(st.floats(-10, 140))
def test_frequencies_and_pitches_are_inverse(pitch):
    assert midi(hertz(pitch)) == pytest.approx(pitch, abs=1e-9)
    assert hertz(69) == 440


def test_channels_are_named_without_their_unit():
    assert (title_of("vibrato_rate_hz"), unit_of("vibrato_rate_hz")) == ("vibrato rate", "Hz")
    assert (title_of("bow_pressure"), unit_of("bow_pressure")) == ("bow pressure", "")
    assert (title_of("cents"), unit_of("dynamics_dbfs")) == ("cents", "dBFS")


@given(st.data())
def test_a_curve_is_the_envelope(data):
    envelope = data.draw(envelopes(1.0, 3.0, 40, 90))
    times_s, values = curve(envelope, Note(1.0, 3.0, "sustained", "", {"pitch_midi": envelope}))
    assert times_s[0] == 1.0
    assert times_s[-1] == 3.0
    assert (np.diff(times_s) >= 0).all()
    asked_s = np.setdiff1d(np.linspace(1, 3, 301), envelope.times_s)
    apart = np.abs(np.interp(asked_s, times_s, values) - envelope.at(asked_s))
    # Of a cubic within an eighth of a segment: no more than its bend there.
    bend = np.ptp(envelope.values) / 16 if envelope.interpolation == "cubic" else 0
    assert (apart <= bend + 1e-9).all()


def test_a_step_is_upright():
    envelope = Envelope(np.array([1.0, 2.0]), np.array([5.0, 7.0]), "step")
    times_s, values = curve(envelope, Note(1.0, 3.0, "sustained", "", {"bow_pressure": envelope}))
    assert times_s.tolist() == [1, 2, 2, 3]
    assert values.tolist() == [5, 5, 7, 7]


def test_the_middle_of_a_pitch_is_that_of_its_time():
    glide = Envelope(np.array([0.0, 0.1, 1.0]), np.array([60.0, 64.0, 64.0]))
    assert middle_midi(Note(0, 1, "sustained", "", {"pitch_midi": glide})) == 64
    assert middle_midi(Note(0, 1, "sustained")) is None


def test_lanes_have_unit_and_range_of_the_profile():
    scene = Scene.of(rich(), title="", profiles={"violin": VIOLIN})
    assert [lane.name for lane in scene.lanes] == ["dynamics_dbfs", "vibrato_rate_hz", "bow_pressure"]
    assert [(lane.unit, lane.low, lane.high) for lane in scene.lanes[1:]] == [("Hz", 0, 12), ("", 0, 1)]
    assert scene.unknown == ("bow_position",)


def test_lanes_without_a_profile_are_as_wide_as_the_data():
    scene = Scene.of(rich(), title="", profiles={})
    lanes = {lane.name: lane for lane in scene.lanes}
    pressures = [0.5 + 0.4 * np.cos(0.9), 0.9]
    assert [lanes["bow_pressure"].low, lanes["bow_pressure"].high] == pytest.approx(pressures)
    assert lanes["vibrato_rate_hz"].low == 6 < lanes["vibrato_rate_hz"].high
    assert lanes["dynamics_dbfs"].high == 0
    assert lanes["dynamics_dbfs"].low <= -40


@given(st.lists(st.floats(20, 110), min_size=1, max_size=5))
def test_the_roll_has_room_around_what_is_played(pitches):
    played = performance(*(note(index, 0.5, pitch) for index, pitch in enumerate(pitches)))
    scene = Scene.of(played, title="", profiles={})
    assert scene.low_midi < min(pitches) - 3
    assert scene.high_midi > max(pitches) + 3
    assert scene.high_midi - scene.low_midi >= 24


def test_of_nothing_there_is_a_scene_too():
    scene = Scene.of(performance(), title="", profiles={})
    assert (scene.lanes, scene.articulations) == ((), ())
    assert scene.low_midi < scene.high_midi
