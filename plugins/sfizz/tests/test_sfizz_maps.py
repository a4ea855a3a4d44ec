"""Maps of sample libraries, and how planned notes become keys."""

import numpy as np
import pytest
import tiny_sfz
from pydantic import ValidationError

from ripieno.contracts import InputError
from ripieno.contracts.performance import PITCH, Envelope, Note
from ripieno.toolkit.playing.gestures import LOUDNESS
from ripieno.toolkit.playing.hands import PEDAL
from ripieno_sfizz.sfz import read_sfz
from ripieno_sfizz.staging import stage
from ripieno_sfizz.strokes import Hands, Pedal

TECHNIQUE = tiny_sfz.FACTS["techniques"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"techniques": [TECHNIQUE, TECHNIQUE]}, "sustained arco stands there twice"),
        ({"techniques": []}, "techniques"),
        ({"techniques": [{**TECHNIQUE, "highest_key": 12}]}, "lowest_key 55 is above highest_key 12"),
        ({"techniques": [{**TECHNIQUE, "articulation": "bowed"}]}, "articulation"),
        ({"velocity_db": {0: 1.0}}, "velocity_db: 0 is no velocity: 1 to 127"),
        ({"sha256": {"a.wav": "ABC"}}, "sha256"),
        ({"player": {"excitation": "blown"}}, "excitation"),
        ({"player": {"excitation": "bowed", "slurs": {"arco": 2}}}, "slurs"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        tiny_sfz.library(**changes)


def test_a_map_knows_its_range_and_its_terms():
    library = tiny_sfz.library()
    assert (library.lowest_key, library.highest_key) == (55, 79)
    assert (library.terms.name, library.terms.credit, library.terms.commercial) == ("CC0-1.0", "Nobody", True)


@pytest.fixture(scope="module")
def sfz():
    return read_sfz(tiny_sfz.folder() / "tiny.sfz")


def note(onset_s, offset_s, pitch, articulation="sustained", mode="arco", loudness=(1.0, 1.0), **channels):
    times_s = np.array([onset_s, offset_s])
    pitches = pitch if isinstance(pitch, tuple) else (pitch, pitch)
    envelopes = {PITCH: Envelope(times_s, pitches), LOUDNESS: Envelope(times_s, loudness)}
    envelopes |= {name: Envelope(times_s, values, "step") for name, values in channels.items()}
    return Note(onset_s, offset_s, articulation, mode, envelopes)


def strokes(sfz, *voices, **changes):
    return Hands(tiny_sfz.library(**changes), sfz).strokes(voices, rng=np.random.default_rng(0))


def test_slurred_notes_are_one_stroke_that_the_wheel_takes_on(sfz):
    [stroke] = strokes(sfz, [note(0.5, 1.0, 60.0), note(1.0, 1.5, (60.0, 63.0), "legato")])
    press = stroke.press
    assert (press.key, press.key_switch, press.hold, stroke.start) == (60, 24, 48000, 24000)
    assert press.bend[0] == (0, 0.0)
    at, value = np.array(press.bend[1:]).T
    np.testing.assert_allclose(value * 12, (at - 24000) / 24000 * 3, atol=0.003)
    off = tiny_sfz.OFF_CENTS["tone60-2.wav" if press.turn >= 64 else "tone60-1.wav"] / 100
    assert [one.envelopes[PITCH].values[-1] for one in stroke.notes] == pytest.approx([60 + off, 63 + off])


def test_what_cannot_be_bent_on_is_played_anew(sfz):
    plucked, slurred = (
        note(0.5, 1.0, 60.0, "plucked", "pizzicato"),
        note(1.0, 1.5, (60.0, 63.0), "legato", "pizzicato"),
    )
    assert len(strokes(sfz, [plucked, slurred])) == 1
    first, second = strokes(sfz, [plucked, slurred], pitch_bend_cents=0)
    assert (first.press.key, second.press.key, second.press.key_switch) == (60, 63, 25)
    assert second.notes[0].articulation == "plucked"


def test_keys_that_are_struck_have_an_attack_each_and_stay_legato(sfz):
    player = {"excitation": "struck"}
    first, second = strokes(sfz, [note(0.5, 1.0, 60.0), note(1.0, 1.5, 62.0, "legato")], player=player)
    assert (first.press.key, second.press.key, second.notes[0].articulation) == (60, 62, "legato")


def test_a_louder_note_is_a_faster_key_and_a_swell_is_a_gain(sfz):
    table = {1: -24.0, 64: -12.0, 127: 0.0}
    voice = [
        note(0.2, 0.6, 60.0, loudness=(0.5, 1.0)),
        note(1.0, 1.4, 60.0),
        note(1.6, 1.9, 60.0, loudness=(0, 0)),
    ]
    soft, loud, softest = strokes(sfz, voice, velocity_db=table)
    assert [stroke.press.velocity for stroke in (soft, loud, softest)] == [64, 127, 1]
    assert 20 * np.log10(soft.gain[soft.press.hold - 1] / soft.gain[0]) == pytest.approx(12, abs=0.1)
    assert np.ptp(loud.gain) == 0
    [plucked] = strokes(sfz, [note(0.2, 0.6, 60.0, "plucked", "pizzicato", loudness=(0.5, 1.0))])
    assert plucked.gain is None


def test_the_pedal_holds_what_is_let_go_of():
    down = [note(0, 1, 60.0, **{PEDAL: (0.0, 1.0)}), note(1.5, 2.5, 60.0, **{PEDAL: (1.0, 0.0)})]
    pedal = Pedal(down)
    assert [pedal.up_after(time_s) for time_s in (0.5, 1.2, 2.0, 3.0)] == [0.5, 2.5, 2.5, 3.0]
    assert Pedal([note(0, 1, 60.0)]).up_after(0.7) == 0.7


def test_a_mode_that_the_map_does_not_have_is_refused(sfz):
    with pytest.raises(InputError, match="no technique of mode 'col legno'"):
        strokes(sfz, [note(0.5, 1.0, 60.0, mode="col legno")])


def test_a_velocity_that_plays_nothing_is_refused(tmp_path):
    tiny_sfz.write(tmp_path, text=tiny_sfz.sfz_text().replace("<group>", "<group> hivel=100"))
    with pytest.raises(InputError, match="key 60 at velocity 127 plays nothing after key switch 24"):
        strokes(read_sfz(tmp_path / "tiny.sfz"), [note(0.5, 1.0, 60.0)])


def test_a_library_that_uses_every_controller_is_refused(tmp_path):
    used = " ".join(f"volume_oncc{number}=1" for number in range(102, 119))
    tiny_sfz.write(tmp_path, text=tiny_sfz.sfz_text().replace("<global>", f"<global> {used}"))
    with pytest.raises(InputError, match="uses all controllers from 102 to 119"):
        stage(read_sfz(tmp_path / "tiny.sfz"), tmp_path)
