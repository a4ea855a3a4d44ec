import struct
from contextlib import suppress

import mido
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from played import DATA, farthest, note, notes, performance, performances, rich, vibrato

from ripieno.contracts import Envelope, InputError, Note, Performance, Stream
from ripieno.contracts.testing import CodecSuite
from ripieno_performance.midi import LARGEST_BYTES, MidiConfig, MidiFile

ONE_CENT, ONE_MS = 0.01, 0.001
# Pitch to half a step of the bend and the sag of a line of 4 ms; loudness to half a step of pressure.
BEND_STEP, PRESSURE_STEP_DB = 48 / 8192, 0.5


def same(again: Performance, artifact: Performance) -> bool:
    """Whether all that MIDI keeps was kept: pitch to a cent, times to a millisecond, words exactly."""
    assert [stream.instrument for stream in again.streams] == [
        stream.instrument for stream in artifact.streams
    ]
    assert [stream.extra for stream in again.streams] == [stream.extra for stream in artifact.streams]
    for name in ("rate_hz", "duration_s", "field_provenance", "masked_outputs", "licences", "extra"):
        assert getattr(again, name) == getattr(artifact, name), name
    for stream, given_stream in zip(again.streams, artifact.streams, strict=True):
        for other, one in zip(stream.notes, given_stream.notes, strict=True):
            same_note(other, one)
    return True


def same_note(other: Note, one: Note) -> None:
    assert other.onset_s == pytest.approx(one.onset_s, abs=ONE_MS / 10)
    assert other.offset_s == pytest.approx(one.offset_s, abs=ONE_MS / 10)
    for name in ("articulation", "mode", "masked", "drive_onset_s", "extra"):
        assert getattr(other, name) == getattr(one, name), name
    assert other.envelopes.keys() == one.envelopes.keys()
    rounding = BEND_STEP / 2 + 0.002 + blur(one.envelopes["pitch_midi"])
    assert farthest(one, other, "pitch_midi") < max(ONE_CENT, rounding)


def blur(envelope: Envelope) -> float:
    """How far it moves in the tick to which a corner is rounded: pitch a cent where it goes 20 octaves a second."""
    if envelope.interpolation == "step":
        return 0.0
    # A monotone cubic is three times as steep as its chord at most.
    return 3 * abs(np.diff(envelope.values) / np.diff(envelope.times_s)).max(initial=0) / 48000


class TestConformance(CodecSuite):
    plugin = MidiFile

    def artifact(self):
        return rich()

    def same(self, again, artifact):
        return same(again, artifact)


class TestConformanceWithoutNotes(CodecSuite):
    plugin = MidiFile

    def artifact(self):
        return Performance((Stream("violin"),), 48000, 3.0)


class TestConformanceWithoutPlayers(CodecSuite):
    plugin = MidiFile

    def artifact(self):
        return Performance((), 44100, 0.0)


def there_and_back(artifact: Performance, folder) -> Performance:
    path = folder / "take.mid"
    MidiFile().write(artifact, path)
    return MidiFile().read(path)


@settings(max_examples=30)
@given(performances)
def test_a_round_trip_keeps_pitch_within_a_cent_onsets_within_a_millisecond_and_all_words(
    tmp_path_factory, artifact
):
    assert same(there_and_back(artifact, tmp_path_factory.mktemp("midi")), artifact)


@settings(max_examples=30)
@given(st.lists(notes(), max_size=5))
def test_a_round_trip_keeps_other_channels_within_a_step(tmp_path_factory, played):
    artifact = performance(*played)
    again = there_and_back(artifact, tmp_path_factory.mktemp("midi"))
    bow = [one.envelopes["bow"].values for one in artifact.notes if "bow" in one.envelopes]
    bow_step = np.ptp([0, 1, *np.concatenate(bow)]) / 127 if bow else 0
    steps = {"dynamics_dbfs": PRESSURE_STEP_DB, "bow": bow_step}
    for one, other in zip(artifact.notes, again.notes, strict=True):
        for name in one.envelopes.keys() - {"pitch_midi"}:
            envelope = one.envelopes[name]
            # Lines of 4 ms: what a curve bends within is not seen.
            jumps = abs(np.diff(envelope.values)).max(initial=0) if envelope.interpolation == "cubic" else 0
            assert farthest(one, other, name) < 0.51 * steps[name] + 0.25 * jumps + blur(envelope)


def test_a_swinging_pitch_is_kept_within_a_third_of_a_step_more_than_rounding(tmp_path):
    artifact = performance(vibrato(0.1, 5, 69.3, "cubic"))
    again = there_and_back(artifact, tmp_path)
    sag = 0.004**2 / 8 * 0.6 * (12 * np.pi) ** 2
    assert farthest(artifact.notes[0], again.notes[0], "pitch_midi") < 1.1 * (BEND_STEP / 2 + sag)


def channels_in_use(path) -> int:
    """The greatest number of notes that sound on one channel of one track at once."""
    most = 0
    for track in mido.MidiFile(path).tracks:
        sounding: dict[int, int] = {}
        for message in track:
            if message.type in ("note_on", "note_off"):
                change = 1 if message.type == "note_on" else -1
                sounding[message.channel] = sounding.get(message.channel, 0) + change
                most = max(most, sounding[message.channel])
                assert message.channel != 0, "the master channel has no notes of its own"
    return most


@pytest.mark.parametrize("count", [1, 15, 16, 88])
def test_every_sounding_note_has_a_channel_of_its_own_however_many_sound(count, tmp_path):
    chord = performance(*(note(1.0, 2.0, 21 + index + 0.25, "struck") for index in range(count)))
    path = tmp_path / "chord.mid"
    MidiFile().write(chord, path)
    assert channels_in_use(path) == 1
    again = MidiFile().read(path)
    assert [one.envelopes["pitch_midi"].values[0] for one in again.notes] == pytest.approx(
        [21.25 + index for index in range(count)], abs=BEND_STEP
    )
    assert len(again.streams) == 1


def test_a_channel_rests_as_long_as_it_can_before_it_is_bent_for_another_note(tmp_path):
    path = tmp_path / "scale.mid"
    MidiFile().write(performance(*(note(index, 1.0, 60 + index) for index in range(30))), path)
    used = [message.channel for message in mido.MidiFile(path).tracks[1] if message.type == "note_on"]
    assert used == [1 + index % 15 for index in range(30)]


def test_the_file_says_what_mpe_asks_for(tmp_path):
    path = tmp_path / "take.mid"
    MidiFile().write(performance(vibrato(0.5, 1, 69)), path)
    file = mido.MidiFile(path)
    assert (file.type, file.ticks_per_beat) == (1, 24000)
    sent = [
        (message.channel, message.control, message.value) for message in file.tracks[1] if is_control(message)
    ]
    assert sent[:3] == [(0, 101, 0), (0, 100, 6), (0, 6, 15)]
    for channel in range(1, 16):
        assert [sent_ for sent_ in sent if sent_[0] == channel][:3] == [
            (channel, 101, 0),
            (channel, 100, 0),
            (channel, 6, 48),
        ]
    onset_s = next(now for now, message in timed(file) if message.type == "note_on")
    assert onset_s == pytest.approx(0.5)


def is_control(message) -> bool:
    return message.type == "control_change"


def timed(file):
    now = 0.0
    for message in file:
        now += message.time
        yield now, message


def test_a_file_that_lost_its_texts_is_still_one_player_with_all_bends(tmp_path):
    path = tmp_path / "take.mid"
    chord = performance(vibrato(0.5, 1, 69.3), vibrato(0.5, 1, 73.3))
    MidiFile().write(chord, path)
    file = mido.MidiFile(path)
    for message in (message for track in file.tracks for message in track if message.type == "text"):
        message.text = "lost"
    file.save(path)
    (stream,) = MidiFile().read(path).streams
    assert stream.instrument == "violin"
    for one, other in zip(chord.notes, stream.notes, strict=True):
        assert farthest(one, other, "pitch_midi") < ONE_CENT


def test_a_note_without_pitch_or_with_one_that_midi_cannot_bend_to_is_refused_by_place(tmp_path):
    silent = performance(note(0, 1, 60), Note(1, 2, "sustained"))
    with pytest.raises(InputError, match=r"streams\[0\]\.notes\[1\]: has no pitch_midi"):
        MidiFile().write(silent, tmp_path / "silent.mid")
    slide = Envelope(np.array([0.0, 0.9, 1.0]), np.array([10.0, 10.0, 100.0]))
    far = performance(Note(0, 1, "sustained", "", {"pitch_midi": slide}))
    with pytest.raises(InputError, match="48 semitones"):
        MidiFile().write(far, tmp_path / "far.mid")


def saved(*tracks, folder, division=480, kind=1):
    """A file by others: tracks of (delta ticks, message)."""
    file = mido.MidiFile(type=kind, ticks_per_beat=division)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(message.copy(time=delta) for delta, message in messages))
    path = folder / "others.mid"
    file.save(path)
    return path


def on(key, velocity=64, channel=0):
    return mido.Message("note_on", note=key, velocity=velocity, channel=channel)


def off(key, channel=0):
    return mido.Message("note_off", note=key, channel=channel)


def control(number, value, channel=0):
    return mido.Message("control_change", control=number, value=value, channel=channel)


def program(number, channel=0):
    return mido.Message("program_change", program=number, channel=channel)


def bend(pitch, channel=0):
    return mido.Message("pitchwheel", pitch=pitch, channel=channel)


def test_times_follow_every_change_of_tempo(tmp_path):
    slower = mido.MetaMessage("set_tempo", tempo=1_000_000)
    path = saved([(480, slower)], [(0, on(60)), (960, off(60))], folder=tmp_path)
    (found,) = MidiFile().read(path).notes
    assert (found.onset_s, found.offset_s) == (0, 1.5)


def test_times_follow_the_film_where_ticks_are_parts_of_frames(tmp_path):
    path = saved([(0, on(60)), (1000, off(60))], folder=tmp_path)
    data = bytearray(path.read_bytes())
    data[12:14] = struct.pack(">bB", -25, 40)
    path.write_bytes(data)
    assert MidiFile().read(path).notes[0].offset_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("number", "instrument", "articulation"),
    [
        (0, "piano", "struck"),
        (24, "acoustic_guitar", "plucked"),
        (27, "electric_guitar", "plucked"),
        (28, "electric_guitar", "muted"),
        (40, "violin", "sustained"),
        (44, "solo_i", "tremolo"),
        (73, "solo_i", "sustained"),
    ],
)
def test_a_program_tells_the_instrument_else_the_name_of_the_track_does(
    number, instrument, articulation, tmp_path
):
    name = mido.MetaMessage("track_name", name=" Solo I.")
    path = saved([(0, name), (0, program(number)), (0, on(60)), (480, off(60))], folder=tmp_path)
    (stream,) = MidiFile().read(path).streams
    assert (stream.instrument, stream.notes[0].articulation) == (instrument, articulation)


def test_each_track_and_channel_is_a_player_and_drums_are_left_out(tmp_path):
    both = [(0, program(40)), (0, on(60)), (0, on(48, channel=3)), (0, on(36, channel=9))]
    ends = [(480, off(60)), (0, off(48, channel=3)), (0, off(36, channel=9))]
    path = saved([*both, *ends], [(0, program(0)), (0, on(72)), (9, off(72))], folder=tmp_path)
    streams = MidiFile().read(path).streams
    assert [stream.instrument for stream in streams] == ["violin", "unknown", "piano"]
    assert [[pitch(one)[0] for one in stream.notes] for stream in streams] == [[60], [48], [72]]


def pitch(one: Note) -> list[float]:
    return one.envelopes["pitch_midi"].values.tolist()


def test_what_others_wrote_is_annotated_and_its_loudness_a_masked_guess(tmp_path):
    path = saved([(0, on(60, velocity=87)), (480, off(60))], folder=tmp_path)
    found = MidiFile(MidiConfig(rate_hz=44100)).read(path)
    assert found.rate_hz == 44100
    assert found.field_provenance["pitch_midi"] == "annotated"
    assert found.notes[0].masked == ("dynamics_dbfs",)
    assert found.notes[0].envelopes["dynamics_dbfs"].values == pytest.approx([-20])


def test_bends_move_pitch_by_the_range_that_was_set(tmp_path):
    wide = [(0, control(101, 0)), (0, control(100, 0)), (0, control(6, 12)), (0, control(38, 50))]
    plain = [(0, bend(4096)), (0, on(60)), (480, off(60))]
    path = saved([*plain, *wide, (0, bend(4096)), (0, on(60)), (480, off(60))], folder=tmp_path)
    first, second = MidiFile().read(path).notes
    assert (pitch(first), pitch(second)) == ([61.0], [66.25])


def test_a_bend_that_rests_is_held_and_one_that_moves_is_a_line(tmp_path):
    messages = [(0, on(60)), (480, bend(4096)), (8, bend(8191)), (472, off(60))]
    (found,) = MidiFile().read(saved(messages, folder=tmp_path)).notes
    curve = found.envelopes["pitch_midi"]
    assert curve.at(np.array([0.0, 0.47, 0.5])) == pytest.approx([60, 60, 61])
    assert curve.at(np.array([0.5 + 4 / 960])) == pytest.approx(61.5, abs=0.001)
    assert curve.at(np.array([0.99])) == pytest.approx(62, abs=0.001)


def test_mpe_of_others_is_one_player_whose_zone_bends_all(tmp_path):
    zone = [(0, control(101, 0)), (0, control(100, 6)), (0, control(6, 5))]
    sounding = [(0, bend(8191, channel=1)), (0, on(60, channel=1)), (0, on(64, channel=2))]
    master = [(0, bend(-8192)), (480, off(60, channel=1)), (0, off(64, channel=2))]
    path = saved([*zone, *sounding, *master], folder=tmp_path)
    (stream,) = MidiFile().read(path).streams
    assert [pitch(one)[-1] for one in stream.notes] == pytest.approx([60 + 48 - 2, 64 - 2], abs=0.01)


def test_the_pedal_of_a_piano_is_a_channel_and_of_others_holds_the_notes(tmp_path):
    messages = [
        (0, control(64, 127)),
        (0, on(60)),
        (480, off(60)),
        (480, control(64, 0)),
        (480, on(62)),
        (9, off(62)),
    ]
    held = MidiFile().read(saved(messages, folder=tmp_path)).notes[0]
    assert held.offset_s == 1.0
    assert "sustain_pedal" not in held.envelopes
    struck = MidiFile().read(saved([(0, program(0)), *messages], folder=tmp_path)).notes
    assert struck[0].offset_s == 0.5
    assert [one.envelopes["sustain_pedal"].values.tolist() for one in struck] == [[1.0], [0.0]]


def test_notes_begun_again_or_never_ended_end_and_those_without_length_are_left_out(tmp_path):
    messages = [(0, on(60)), (480, on(60)), (480, on(64)), (0, off(64)), (480, off(99))]
    found = MidiFile().read(saved(messages, folder=tmp_path)).notes
    assert [(one.onset_s, one.offset_s) for one in found] == [(0, 0.5), (0.5, 1.5)]


def written(folder) -> bytes:
    path = folder / "whole.mid"
    MidiFile().write(performance(vibrato(0.1, 0.3, 60)), path)
    return path.read_bytes()


def refused(data: bytes, folder, match: str = "") -> str:
    path = folder / "broken.mid"
    path.write_bytes(data)
    with pytest.raises(InputError, match=match) as error:
        MidiFile().read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.99])
def test_a_file_that_is_cut_off_is_refused_in_one_line(share, tmp_path):
    data = written(tmp_path)
    refused(data[: int(share * len(data))], tmp_path, "cut off")


def test_what_is_no_midi_file_too_large_or_of_independent_tracks_is_refused(tmp_path):
    refused(b"RIFF" + 40 * b"x", tmp_path, "MThd")
    refused(bytes(LARGEST_BYTES + 1), tmp_path, "MiB")
    path = saved([(0, on(60)), (9, off(60))], folder=tmp_path)
    data = bytearray(path.read_bytes())
    data[9] = 2
    refused(bytes(data), tmp_path, "type 2")
    data[9] = 1
    data[12:14] = b"\0\0"
    refused(bytes(data), tmp_path, "no time")


def test_a_newer_document_in_midi_is_refused_by_number(tmp_path):
    data = written(tmp_path).replace(b'"ripieno_cont": 1', b'"ripieno_cont": 7')
    refused(data, tmp_path, "version 7")


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_as_input(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("midi")
    whole = bytearray(written(folder))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "damaged.mid"
    path.write_bytes(whole)
    with suppress(InputError):
        assert MidiFile().read(path).streams is not None


@pytest.mark.parametrize("name", ["authored_pop_120", "authored_waltz_96"])
def test_notes_of_a_real_file_are_those_of_its_table(name):
    folder = DATA / "annotated" / "authored"
    if not folder.is_dir():
        pytest.skip("no annotated music: set RIPIENO_DATA")
    table = np.genfromtxt(folder / f"{name}.notes.csv", delimiter=",", names=True)
    expected = sorted((row["midi"], row["onset_s"]) for row in table if row["channel"] != 9)
    found = MidiFile().read(folder / f"{name}.mid")
    notes_found = sorted((pitch(one)[0], one.onset_s) for one in found.notes)
    np.testing.assert_allclose(notes_found, expected, atol=2e-3)
    assert {"piano"} <= {stream.instrument for stream in found.streams}
