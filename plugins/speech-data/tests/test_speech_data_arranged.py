"""Arranged clips: what the kit asks, harmony and parts that keep their promises, and sound that is what was written."""

import os
import stat
import sys
from itertools import pairwise

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings, strategies as st

from ripieno.contracts import ConfigError, Dataset, InputError, MissingError, StepError
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.describe import configure
from ripieno.contracts.testing import DataSourceSuite, overrides
from ripieno_speech_data import fluid
from ripieno_speech_data.arranged import Arranged, ArrangedConfig
from ripieno_speech_data.arrangement import Arrangement, Finish, Player, arrange
from ripieno_speech_data.electronics import MAKERS, pumping, saw
from ripieno_speech_data.finish import finished
from ripieno_speech_data.fluid import FLUIDSYNTH, RATE_HZ, find_soundfont, render
from ripieno_speech_data.grooves import GROOVES, drums
from ripieno_speech_data.harmony import METRES, MODES, Chord, Form, draw_form, ladder, voiced
from ripieno_speech_data.midi import GAP_S, slots, write_midi
from ripieno_speech_data.parts import ROLES, Note
from ripieno_speech_data.styles import STYLES

TICK_S = 0.0005
seeds = st.integers(0, 2**63 - 1)


def is_playable() -> bool:
    try:
        return FLUIDSYNTH.find() is not None and find_soundfont(None).is_file()
    except MissingError:
        return False


needs_fluidsynth = pytest.mark.skipif(not is_playable(), reason="needs fluidsynth and FluidR3_GM.sf2")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="programs of these tests are scripts")


def generated(seed: int = 5, **changes) -> Dataset:
    with use_context(new_context(random=True, seed=seed)):
        return Arranged(ArrangedConfig(**{"clip_s": 2, **changes})).generate()


def bytes_of(dataset: Dataset) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in dataset.files.items()}


@needs_fluidsynth
class TestConformance(DataSourceSuite):
    plugin = Arranged

    def settings(self) -> ArrangedConfig:
        return ArrangedConfig(count=2, clip_s=2)

    @overrides("the licences are those of what sounds in each clip, which the manifest names")
    def test_what_it_ships_has_a_licence(self) -> None:
        assert all(licence["name"] for licence in self.result().manifest["licences"])


@needs_fluidsynth
@pytest.mark.slow
def test_every_style_sounds_and_none_is_beyond_full_scale():
    for style in STYLES:
        dataset = generated(count=2, clip_s=4, styles=[style])
        for clip in dataset.manifest["clips"]:
            samples, rate_hz = soundfile.read(dataset.files[clip["audio"]])
            assert clip["style"] == style
            assert (rate_hz, samples.shape) == (16000, (64000,))
            assert -40 < 10 * np.log10(np.mean(np.square(samples))) < -14
            assert np.abs(samples).max() <= 0.97 + 2**-15


@needs_fluidsynth
def test_a_larger_set_begins_with_the_smaller():
    whole, smaller = bytes_of(generated(count=5)), bytes_of(generated(count=2))
    assert smaller == {name: whole[name] for name in smaller}


@needs_fluidsynth
def test_clips_say_their_terms_and_their_split():
    dataset = generated(count=6, validation_share=0.5)
    for clip in dataset.manifest["clips"]:
        names = {licence["name"] for licence in clip["licences"]}
        assert names == ({"CC0-1.0", "MIT"} if clip["players"] else {"CC0-1.0"})
    splits = [clip["split"] for clip in dataset.manifest["clips"]]
    counts = dataset.manifest["counts"]
    assert (counts["train"], counts["validation"]) == (splits.count("train"), splits.count("validation"))
    assert {clip["split"] for clip in generated(count=2, validation_share=0).manifest["clips"]} == {"train"}


@needs_fluidsynth
def test_a_sound_font_of_ones_own_brings_its_terms(tmp_path):
    own = tmp_path / "mine.sf2"
    own.symlink_to(find_soundfont(None))
    given_terms = {"soundfont": own, "soundfont_licence": "CC-BY-NC-4.0", "soundfont_commercial": False}
    dataset = generated(count=1, styles=["rock"], **given_terms)
    [composed, font] = dataset.provenance.licences
    assert Arranged.terms(ArrangedConfig(**given_terms)) == (composed, font)
    assert (composed.name, composed.commercial) == ("CC0-1.0", True)
    assert (font.name, font.commercial, font.source) == ("CC-BY-NC-4.0", False, "mine.sf2")
    [_, unsaid] = generated(count=1, styles=["rock"], soundfont=own).provenance.licences
    assert unsaid.name == "not stated"


def a_form(*, tempo_bpm: float = 120.0, swing: float = 0.0) -> Form:
    return Form(
        tempo_bpm,
        4,
        swing,
        "major",
        (0, 2, 4, 5, 7, 9, 11),
        (Chord(0, 4, (0, 4, 7)), Chord(4, 4, (7, 11, 2))),
    )


def a_piece(*players: Player, seed: int = 1, tuning_cents: float = 0.0, lead_s: float = 0.0) -> Arrangement:
    finish = Finish(0.5, 0.0, 0.0, 0.0, False, 0.0, 0.0, 0.0, -20.0)
    return Arrangement(seed, "solo", a_form(), players, (), tuning_cents, lead_s, finish)


def a_player(*notes: Note, program: int = 73, **changes) -> Player:
    return Player(
        "melody", 0, program, notes, volume=100, pan=64, reverb=0, chorus=0, loose_ms=0.0, **changes
    )


@needs_fluidsynth
@pytest.mark.parametrize(("pitch", "cents"), [(69, 0.0), (69, 30.0), (57, -45.0)])
def test_what_is_written_is_what_sounds(pitch, cents, tmp_path):
    piece = a_piece(a_player(Note(0, 8, pitch, 100), program=79), tuning_cents=cents)
    [sound] = render([piece], clip_s=3, soundfont=find_soundfont(None), scratch=tmp_path)
    assert sound.shape == (2, 3 * RATE_HZ)
    steady = sound.mean(axis=0)[RATE_HZ : 3 * RATE_HZ - RATE_HZ // 2]
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(steady.size), 16 * steady.size))
    found_hz = np.argmax(spectrum) * RATE_HZ / (16 * steady.size)
    expected_hz = 440 * 2 ** ((pitch - 69) / 12 + cents / 1200)
    # Samples of a real ocarina are tuned to a few cents.
    assert 1200 * abs(np.log2(found_hz / expected_hz)) < 12


@needs_fluidsynth
def test_notes_begin_when_they_are_written_after_the_lead(tmp_path):
    piece = a_piece(a_player(Note(5, 0.2, 60, 110), program=115), lead_s=1.0)
    [sound] = render([piece], clip_s=3, soundfont=find_soundfont(None), scratch=tmp_path)
    loud = np.flatnonzero(np.abs(sound).max(axis=0) > 0.2 * np.abs(sound).max())
    # Beat 5 at 120 a minute is 2.5 s, of which the lead takes 1 s.
    assert loud[0] / RATE_HZ == pytest.approx(1.5, abs=0.02)


@needs_fluidsynth
def test_pieces_do_not_play_into_each_other(tmp_path):
    loud = a_piece(a_player(Note(0, 8, 60, 127), program=19))
    silent = a_piece(a_player(), seed=2)
    first, second = render([loud, silent], clip_s=2, soundfont=find_soundfont(None), scratch=tmp_path)
    assert np.abs(first).max() > 0.05
    assert np.abs(second).max() < 1e-3 * np.abs(first).max()


def test_a_piece_without_players_needs_no_renderer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    [sound] = render([a_piece()], clip_s=1, soundfont=tmp_path, scratch=tmp_path)
    assert sound.shape == (2, RATE_HZ) and not sound.any()


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_every_key_that_is_pressed_is_let_go_within_its_slot(tmp_path_factory, seed):
    pieces = [arrange(seed + index, clip_s=3, styles=tuple(STYLES)) for index in range(2)]
    path = tmp_path_factory.mktemp("midi") / "pieces.mid"
    write_midi(path, pieces, clip_s=3)
    starts = slots(pieces, clip_s=3)
    held: dict[tuple[int, int], int] = {}
    at_s = 0.0
    for message in mido.MidiFile(path):
        at_s += message.time
        if message.type == "note_on":
            held[message.channel, message.note] = held.get((message.channel, message.note), 0) + 1
            assert any(start - TICK_S <= at_s < end - GAP_S + TICK_S for start, end in pairwise(starts))
        elif message.type == "note_off" and held.get((message.channel, message.note)):
            held[message.channel, message.note] -= 1
    assert not any(held.values())
    assert at_s == pytest.approx(starts[-1], abs=1e-3)


@given(seeds, st.booleans())
def test_forms_are_long_enough_and_chords_are_of_the_mode(seed, swung):
    form = draw_form(np.random.default_rng(seed), duration_s=12, tempo_bpm=(60, 170), swung=swung)
    assert form.seconds(form.beats) >= 12 - 1e-9
    assert 60 - 1e-9 <= form.tempo_bpm <= 170 + 1e-9 and form.beats_per_bar in METRES
    tonic = form.scale[0]
    assert tuple((pitch - tonic) % 12 for pitch in form.scale) == MODES[form.mode]
    for chord, after in pairwise(form.chords):
        assert set(chord.classes) <= set(form.scale)
        assert after.start == pytest.approx(chord.start + chord.beats)


@given(st.floats(0, 0.35), st.lists(st.floats(0, 100), min_size=2, max_size=20))
def test_swing_keeps_the_order_of_time_and_the_place_of_beats(swing, beats):
    form = a_form(swing=swing)
    times_s = [form.seconds(beat) for beat in sorted(beats)]
    assert times_s == sorted(times_s)
    assert form.seconds(7.0) == pytest.approx(3.5)
    assert form.seconds(7.5) == pytest.approx(3.5 + 0.25 * (1 + swing))


@settings(deadline=None)
@given(seeds, st.sampled_from(sorted(ROLES)), st.integers(40, 76))
def test_every_role_stays_in_the_mode_and_near_its_pitch(seed, role, around):
    rng = np.random.default_rng(seed)
    form = draw_form(rng, duration_s=8, tempo_bpm=(60, 170), swung=False)
    for note in ROLES[role](form, rng, around):
        assert note.pitch % 12 in form.scale
        assert abs(note.pitch - around) <= 24
        assert 1 <= note.velocity <= 127 and note.beats > 0 and note.start >= 0


@settings(deadline=None)
@given(seeds, st.sampled_from(sorted(GROOVES)))
def test_every_groove_strikes_percussion_within_the_form(seed, groove):
    rng = np.random.default_rng(seed)
    form = draw_form(rng, duration_s=8, tempo_bpm=(60, 170), swung=False)
    notes = drums(form, rng, groove=groove)
    assert notes and all(0 <= note.start < form.beats for note in notes)
    assert all(35 <= note.pitch <= 82 and 1 <= note.velocity <= 127 for note in notes)


def test_every_groove_is_a_bar_of_sixteenths():
    for groove in GROOVES.values():
        assert all(len(pattern) == 16 and set(pattern) <= set(".xXo") for pattern in groove.values())


@given(st.sets(st.integers(0, 11), min_size=1), st.integers(40, 80))
def test_voicings_hold_each_class_once_and_near(classes, around):
    pitches = voiced(tuple(classes), around=around)
    assert {pitch % 12 for pitch in pitches} == classes and len(pitches) == len(classes)
    assert all(-6 <= pitch - around <= 5 for pitch in pitches)
    assert set(pitches) <= set(ladder(tuple(classes), low=around - 6, high=around + 5))


@given(seeds)
@settings(max_examples=50, deadline=None)
def test_the_same_seed_arranges_the_same_piece_and_every_piece_sounds(seed):
    piece = arrange(seed, clip_s=5, styles=tuple(STYLES))
    assert piece == arrange(seed, clip_s=5, styles=tuple(STYLES))
    assert piece.players or piece.electronic
    assert piece.form.seconds(piece.form.beats) >= piece.lead_s + 5 - 1e-9
    assert len({player.channel for player in piece.players}) == len(piece.players)


def test_all_styles_are_drawn():
    drawn = {arrange(seed, clip_s=1, styles=tuple(STYLES)).style for seed in range(400)}
    assert drawn == set(STYLES)


def test_a_saw_has_the_harmonics_of_its_fourier_series_and_no_others():
    rate_hz, hz, frames = 32000, 500, 32000
    spectrum = np.abs(np.fft.rfft(saw(hz, frames, rate_hz))) * 2 / frames
    for harmonic in range(1, 9):
        # Of a saw from -1 to 1, 2 / (pi k); the polynomial takes a little off the high ones.
        assert spectrum[harmonic * hz] == pytest.approx(2 / (np.pi * harmonic), rel=0.1)
    odd_hz = 1237
    aliased = np.abs(np.fft.rfft(saw(odd_hz, frames, rate_hz))) * 2 / frames
    between = np.delete(aliased, [odd_hz * k for k in range(1, 13)])
    naive = np.abs(np.fft.rfft(2 * (odd_hz / rate_hz * np.arange(frames) % 1) - 1)) * 2 / frames
    assert between[10:8000].max() < 0.2 * np.delete(naive, [odd_hz * k for k in range(1, 13)])[10:8000].max()


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_electronic_layer_sounds_finite_and_at_unit_peak(name):
    for seed in range(3):
        form = draw_form(np.random.default_rng(seed), duration_s=4, tempo_bpm=(70, 150), swung=False)
        sound = MAKERS[name](form, np.random.default_rng(seed), RATE_HZ, 4 * RATE_HZ)
        assert sound.shape == (4 * RATE_HZ,) and np.isfinite(sound).all()
        assert np.abs(sound).max() == pytest.approx(1)


def test_pumping_is_deepest_on_the_beat():
    gain = pumping(a_form(), depth=0.6, rate_hz=1000, frames=2000)
    assert gain.min() == pytest.approx(0.4) and np.flatnonzero(np.isclose(gain, 0.4)).tolist() == [
        0,
        500,
        1000,
        1500,
    ]


def test_a_finish_gives_the_level_and_the_length_that_were_drawn():
    tone = np.sin(2 * np.pi * 1000 * np.arange(4 * RATE_HZ) / RATE_HZ).astype(np.float32)
    clip = finished(a_piece(), np.stack([tone, tone]), rate_hz=16000)
    assert clip.shape == (4 * 16000,) and clip.dtype == np.float32
    assert 10 * np.log10(np.mean(np.square(clip[:60000]))) == pytest.approx(-20, abs=0.05)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({"styles": ["jaz"]}, 'no style "jaz". Did you mean "jazz"?'),
        ({"styles": ["zzz"]}, "There are sparse_piano, "),
        ({"rate_hz": 96000}, "rate_hz"),
    ],
)
def test_settings_that_cannot_be_are_refused(given_settings, said):
    with pytest.raises(ConfigError) as caught:
        configure(Arranged, given_settings)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_sound_font_that_is_missing_is_named_with_what_brings_it(monkeypatch, tmp_path):
    with pytest.raises(MissingError, match=r"soundfont: there is no .*none.sf2. Give the path"):
        configure(Arranged, {"soundfont": str(tmp_path / "none.sf2")})
    monkeypatch.setattr(fluid, "SOUNDFONT_FOLDERS", (str(tmp_path),))
    with pytest.raises(MissingError, match="apt install fluid-soundfont-gm") as caught:
        configure(Arranged, {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 11, 500])
def test_a_sound_font_that_is_none_or_cut_short_is_refused(cut, tmp_path):
    whole = b"RIFF" + (992).to_bytes(4, "little") + b"sfbk" + bytes(988)
    for content in (whole[:cut], b"\0" + whole[1:], whole.replace(b"sfbk", b"WAVE")):
        path = tmp_path / "mine.sf2"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"mine.sf2 is no whole .sf2 file"):
            Arranged.assets(ArrangedConfig(soundfont=path))
    path.write_bytes(whole)
    assert find_soundfont(path) == path


@needs_fluidsynth
def test_the_systems_sound_font_does_not_stand_in_for_one_that_cannot_be_played(tmp_path):
    hollow = tmp_path / "hollow.sf2"
    hollow.write_bytes(b"RIFF" + (992).to_bytes(4, "little") + b"sfbk" + bytes(988))
    piece = a_piece(a_player(Note(0, 2, 60, 127), program=19))
    [sound] = render([piece], clip_s=1, soundfont=hollow, scratch=tmp_path)
    assert np.abs(sound).max() < 1e-6


@needs_fluidsynth
def test_a_renderer_that_is_missing_is_named_with_what_brings_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingError, match="apt install fluidsynth fluid-soundfont-gm, or brew install fluid-synth"
    ):
        generated(count=1)


@pytest.fixture
def fluidsynth(monkeypatch, tmp_path):
    """Puts a program of that name and with this body first on PATH."""

    def put(body):
        path = tmp_path / "fluidsynth"
        path.write_text(f"#!{sys.executable}\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return put


@needs_fluidsynth
@needs_posix
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os\nos.abort()", r"fluidsynth crashed \(signal 6\)"),
        ("print('fine')", "wrote no sound that can be read"),
    ],
)
def test_a_renderer_that_fails_is_named(body, said, fluidsynth):
    fluidsynth(body)
    with pytest.raises(StepError, match=said) as caught:
        generated(count=1, styles=["rock"])
    assert "\n" not in str(caught.value)


@needs_fluidsynth
@needs_posix
def test_a_renderer_that_hangs_is_ended_and_named(fluidsynth, monkeypatch):
    fluidsynth("import time\ntime.sleep(600)")
    monkeypatch.setattr(fluid, "START_S", 0.2)
    monkeypatch.setattr(fluid, "SLOWEST", 0.01)
    with pytest.raises(StepError, match="fluidsynth was ended after 0 s"):
        generated(count=1, styles=["rock"])


@needs_fluidsynth
@needs_posix
def test_a_renderer_that_stops_early_is_found_out(fluidsynth):
    write = "soundfile.write(sys.argv[sys.argv.index('-F') + 1], [[0.0, 0.0]] * 99, 32000)"
    fluidsynth(f"import sys, soundfile\n{write}")
    with pytest.raises(StepError, match="wrote less than was asked for"):
        generated(count=1, styles=["rock"])
