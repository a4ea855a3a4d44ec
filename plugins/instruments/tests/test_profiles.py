"""The profiles are whole, and agree with each other where players would expect it."""

from importlib.metadata import entry_points

import pytest

import ripieno_instruments
from ripieno.contracts import Envelope, Note, Performance, Stream, cont_text, document_in, validate

NAMES = sorted(entry_points(group="ripieno.instruments").names)
OURS = ("acoustic_guitar", "electric_guitar", "piano", "violin")


@pytest.mark.parametrize("name", OURS)
def test_a_profile_is_registered_under_its_name_and_describes_itself(name):
    assert name in NAMES
    profile = getattr(ripieno_instruments, name)
    assert profile.description.endswith(".")
    assert all(channel.description.endswith(".") for channel in profile.channels.values())


@pytest.mark.parametrize("name", OURS)
def test_open_strings_lie_in_the_range_and_ascend(name):
    profile = getattr(ripieno_instruments, name)
    for strings in profile.tunings.values():
        assert list(strings) == sorted(strings)
        assert len(strings) == profile.polyphony
        assert profile.lowest_midi <= strings[0] < strings[-1] <= profile.highest_midi


def test_channels_of_one_name_have_one_unit():
    units = {}
    for name in OURS:
        for channel, spec in getattr(ripieno_instruments, name).channels.items():
            assert units.setdefault(channel, spec.unit) == spec.unit


def test_the_eight_articulations_span_all_of_them():
    from ripieno.contracts.performance import ARTICULATIONS

    used = {word for name in OURS for word in getattr(ripieno_instruments, name).articulations}
    assert used == set(ARTICULATIONS)


def test_a_melody_fits_the_violin_and_not_the_piano(tmp_path):
    note = Note(0.5, 1.0, "legato", "arco", {"pitch_midi": Envelope([0.5, 0.9], [69.0, 71.0])})
    path = tmp_path / "melody.cont"
    for instrument, faults in (("violin", 0), ("piano", 1)):
        path.write_text(cont_text(Performance((Stream(instrument, (note,)),), 48000, 2.0)), encoding="utf-8")
        profiles = {name: getattr(ripieno_instruments, name) for name in OURS}
        found = validate(document_in(path), profiles=profiles)
        assert [violation.path for violation in found] == ["streams[0].notes[0].mode"] * faults
