"""Sets of mixtures: what is in them is what they say, and the same for the same seed."""

import json
from pathlib import Path

import composed
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from ripieno.contracts import ConfigError, InputError, RipienoError
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.testing import DataSourceSuite, overrides
from ripieno_speech_benchmark.mixing import FULL_SCALE, mixed
from ripieno_speech_benchmark.mixtures import Mixtures
from ripieno_speech_benchmark.recordings import in_room, read_room


class TestConformance(DataSourceSuite):
    plugin = Mixtures

    def settings(self):
        return composed.config()

    @overrides("its assets are a user's recordings: their terms stand in a table beside them")
    def test_what_it_ships_has_a_licence(self):
        assert not self.plugin.licences


def generated(config, *, seed=1):
    with use_context(new_context(seed=seed)):
        return Mixtures(config).generate()


def entries(dataset):
    return {mixture["name"]: mixture for mixture in dataset.manifest["mixtures"]}


def track(dataset, kind, name):
    """Samples as integers of 24 bit."""
    samples, rate_hz = soundfile.read(dataset.files[f"{kind}/{name}.flac"], dtype="int32")
    assert rate_hz == composed.RATE_HZ
    return samples.astype(np.int64) >> 8


def energy(samples):
    return float(np.vdot(samples.astype(float), samples.astype(float)))


@pytest.fixture(scope="module")
def dataset():
    return generated(composed.config())


def test_every_combination_is_there_and_each_voice_alone(dataset):
    assert len(entries(dataset)) == 2 * 2 * (2 + 1)
    assert {mixture["snr_db"] for mixture in entries(dataset).values()} == {-5.0, 5.0, None}
    assert {mixture["room"] for mixture in entries(dataset).values()} == {"", "hall"}


def test_the_mix_is_the_sum_of_its_parts_to_the_last_bit(dataset):
    for name in entries(dataset):
        parts = track(dataset, "speech", name) + track(dataset, "music", name)
        assert np.array_equal(track(dataset, "mix", name), parts)


def test_the_ratio_is_that_of_the_energies(dataset):
    for name, mixture in entries(dataset).items():
        music = energy(track(dataset, "music", name))
        if mixture["snr_db"] is None:
            assert music == 0
        else:
            ratio_db = 10 * np.log10(energy(track(dataset, "speech", name)) / music)
            assert ratio_db == pytest.approx(mixture["snr_db"], abs=1e-3)


def test_nothing_is_above_half_of_full_scale_and_something_reaches_it(dataset):
    for name in entries(dataset):
        peak = max(np.abs(track(dataset, kind, name)).max() for kind in ("mix", "speech", "music"))
        assert peak / FULL_SCALE == pytest.approx(0.5, abs=1e-6)


def test_a_pair_has_the_same_excerpts_at_every_ratio(dataset):
    for kind in ("speech", "music"):
        quiet, loud = (
            track(dataset, kind, f"anna--bed--room--{ratio}dB").astype(float) for ratio in ("-5", "+5")
        )
        assert np.corrcoef(quiet, loud)[0, 1] == pytest.approx(1, abs=1e-6)


def test_a_room_makes_nothing_late():
    response = read_room(composed.folder() / "rir" / "hall.wav", rate_hz=composed.RATE_HZ)
    click = np.zeros(8000)
    click[1000] = 1.0
    heard = in_room(click, response)
    assert heard.size == click.size
    assert np.abs(heard).argmax() == 1000
    assert np.abs(heard[:1000]).max() < 1e-12
    assert np.vdot(response, response) == pytest.approx(1)


def test_the_truth_of_a_room_is_the_voice_as_it_is_heard_there(dataset):
    dry, wet = (track(dataset, "speech", f"anna--clean--{place}") for place in ("dry", "room"))
    assert np.corrcoef(dry, wet)[0, 1] < 0.99
    assert np.array_equal(track(dataset, "mix", "anna--clean--room"), wet)


def test_excerpts_of_music_are_audible(dataset):
    """The piece is silent for its first fifth, longer than an excerpt."""
    for name, mixture in entries(dataset).items():
        if mixture["snr_db"] is not None:
            assert mixture["music_start_s"] > 0
            assert np.count_nonzero(track(dataset, "music", name)) > composed.RATE_HZ / 4


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(dataset):
    again, other = generated(composed.config()), generated(composed.config(), seed=2)
    assert again.manifest == dataset.manifest
    for name, path in dataset.files.items():
        assert again.files[name].read_bytes() == path.read_bytes()
    assert {name: mixture["sha256"] for name, mixture in entries(other).items()} != {
        name: mixture["sha256"] for name, mixture in entries(dataset).items()
    }


def test_a_set_that_grows_keeps_the_mixtures_it_had(dataset, tmp_path):
    more = composed.write(tmp_path, voices=("anna", "ben", "cleo"), pieces=("bed", "drone"))
    grown = entries(generated(composed.config(folder=more, snr_db=(-5.0, 0.0, 5.0))))
    assert len(grown) > len(entries(dataset))
    for name, mixture in entries(dataset).items():
        assert grown[name] == mixture


def test_a_count_draws_some_of_all_combinations():
    drawn = generated(composed.config(count=5))
    assert len(entries(drawn)) == 5
    assert entries(drawn).keys() < entries(generated(composed.config())).keys()


def test_music_shorter_than_the_voice_begins_again(tmp_path):
    composed.write(tmp_path, voices=("anna",))
    times_s = np.arange(composed.RATE_HZ // 2) / composed.RATE_HZ
    soundfile.write(tmp_path / "music" / "bed.wav", 0.5 * np.sin(2 * np.pi * 440 * times_s), composed.RATE_HZ)
    name = "anna--bed--dry--+5dB"
    samples = track(generated(composed.config(folder=tmp_path)), "music", name)
    assert np.array_equal(samples[: times_s.size], samples[times_s.size : 2 * times_s.size])


def test_what_is_said_goes_with_whole_voices_only():
    texts = {"anna": "la la la"}
    whole = generated(composed.config(texts=texts, length_s=10.0))
    names = [name for name in whole.files if name.startswith("text/")]
    assert len(names) == sum(mixture["voice"] == "anna" for mixture in entries(whole).values())
    assert whole.files[names[0]].read_text(encoding="utf-8") == "la la la"
    cut = generated(composed.config(texts=texts))
    assert not any(name.startswith("text/") for name in cut.files)


def test_licences_come_from_the_table_in_the_folder(tmp_path):
    composed.write(tmp_path, voices=("anna",))
    rows = [
        "path,licence,attribution",
        "speech/anna.wav,CC-BY-4.0,Anna",
        "music/bed.wav,CC-BY-NC-4.0,Bo",
        "x",
    ]
    (tmp_path / "MANIFEST.csv").write_text("\n".join(rows), encoding="utf-8")
    dataset = generated(composed.config(folder=tmp_path))
    terms = {licence.name: (licence.credit, licence.commercial) for licence in dataset.provenance.licences}
    assert terms == {"CC-BY-4.0": ("Anna", True), "CC-BY-NC-4.0": ("Bo", False)}
    assert Mixtures.terms(composed.config(folder=tmp_path)) == dataset.provenance.licences
    assert tmp_path / "MANIFEST.csv" in Mixtures.assets(composed.config(folder=tmp_path))


@pytest.mark.parametrize(
    ("table", "says"),
    [(b"\xff\xfe\x00", "is not text in UTF-8"), (b"", "has no column attribution, licence, path")],
)
def test_another_table_of_licences_is_refused(tmp_path, table, says):
    composed.write(tmp_path)
    (tmp_path / "MANIFEST.csv").write_bytes(table)
    with pytest.raises(InputError, match=rf"MANIFEST\.csv: {says}"):
        generated(composed.config(folder=tmp_path))


def test_a_manifest_names_no_folder_of_this_machine(dataset):
    assert str(composed.folder()) not in json.dumps(dataset.manifest)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"speech": ("speech/nobody*",)}, "speech: no file in"),
        ({"music": ("nothing/*",)}, "music: no file in"),
        ({"snr_db": (), "clean": False}, "no mixtures are asked for"),
        ({"texts": {"nobody": "la"}}, "texts: no voice is called nobody"),
        ({"music": (str(Path(__file__)),)}, "music: .* is not in"),
    ],
)
def test_a_set_of_nothing_is_refused_with_its_setting(change, says):
    with pytest.raises((InputError, ConfigError), match=says):
        generated(composed.config(**change))


def test_files_that_are_silent_or_no_sound_are_named(tmp_path):
    composed.write(tmp_path)
    soundfile.write(tmp_path / "music" / "hush.wav", np.zeros(8000), 16000)
    with pytest.raises(InputError, match=r"hush\.wav: is silent"):
        generated(composed.config(folder=tmp_path))
    (tmp_path / "music" / "hush.wav").write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"hush\.wav: cannot be read"):
        generated(composed.config(folder=tmp_path))


def test_files_that_hold_no_numbers_are_named(tmp_path):
    composed.write(tmp_path)
    soundfile.write(tmp_path / "music" / "bed.wav", np.full(8000, np.nan), 16000, "FLOAT")
    with pytest.raises(InputError, match=r"bed\.wav: has samples that are not numbers"):
        generated(composed.config(folder=tmp_path))


def test_a_ratio_that_is_named_twice_is_mixed_once():
    assert len(entries(generated(composed.config(snr_db=(0.0, 0.0), clean=False)))) == 4


@pytest.mark.parametrize("change", [{"snr_db": (-5000.0,)}, {"length_s": 1e-6}, {"rate_hz": 10**6}])
def test_what_no_file_can_hold_is_refused_as_a_setting(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        composed.config(**change)


def test_names_are_theirs_even_if_they_look_like_patterns(tmp_path):
    odd = "[o'b] {item} 歌--é"
    composed.write(tmp_path, voices=(odd, "anna"))
    found = generated(composed.config(folder=tmp_path, speech=(f"speech/{odd}.wav",), snr_db=()))
    assert set(entries(found)) == {f"{odd}--clean--dry", f"{odd}--clean--room"}


def test_two_files_of_one_name_are_refused(tmp_path):
    composed.write(tmp_path)
    soundfile.write(tmp_path / "speech" / "anna.flac", np.ones(8000) / 2, 16000)
    with pytest.raises(RipienoError, match="have one name"):
        generated(composed.config(folder=tmp_path))


@settings(max_examples=50)
@given(st.floats(-20, 20), st.floats(1e-3, 1e3), st.integers(0, 2**31))
def test_levels_of_the_recordings_do_not_matter(snr_db, gain, seed):
    speech, music = np.random.default_rng(seed).standard_normal((2, 4000))
    one, other = mixed(speech, music, snr_db=snr_db), mixed(gain * speech, music / gain, snr_db=snr_db)
    for kind in one:
        assert np.abs(one[kind] - other[kind]).max() <= 1
