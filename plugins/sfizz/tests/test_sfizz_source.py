"""Clips of sampled instruments: what the kit asks, what is refused, and labels that agree with the sound."""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_sfz
import yaml

from ripieno.contracts import (
    ConfigError,
    Dataset,
    InputError,
    PluginRef,
    SampleLibrary,
)
from ripieno.contracts.cont import read_cont
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.describe import configure
from ripieno.contracts.performance import PITCH
from ripieno.contracts.testing import DataSourceSuite, overrides
from ripieno.toolkit.measuring.agreement import onset_errors_s, pitch_errors_cents
from ripieno_sfizz import libraries as maps
from ripieno_sfizz.engine import RATE_HZ
from ripieno_sfizz.folder import check_digests, library_folder, open_library
from ripieno_sfizz.source import LIBRARIES, SampledConfig, SampledInstrument
from ripieno_sfizz.survey import digests, survey

INSTRUMENTS = tuple(LIBRARIES)


def tiny(folder: Path | None = None, **changes) -> SampledConfig:
    """Settings that play the tones of these tests."""
    library = changes.pop("map", None) or tiny_sfz.library()
    place = str(folder or tiny_sfz.folder())
    return SampledConfig(map=PluginRef[SampleLibrary].of(library), library=place, duration_s=3, **changes)


def generated(config: SampledConfig, *, seed: int = 5) -> Dataset:
    with use_context(new_context(random=True, seed=seed)):
        return SampledInstrument(config).generate()


def bytes_of(dataset: Dataset) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in dataset.files.items()}


class TestConformance(DataSourceSuite):
    plugin = SampledInstrument

    def settings(self) -> SampledConfig:
        return tiny(count=2)

    @overrides("the licence is that of the library, which the map names and the run reads from there")
    def test_what_it_ships_has_a_licence(self) -> None:
        [licence] = self.result().manifest["licences"]
        assert (licence["name"], licence["credit"]) == ("CC0-1.0", "Nobody")


@pytest.mark.parametrize("name", [name for name, _ in LIBRARIES.values()])
def test_the_maps_are_data_plugins_of_their_instruments(name):
    library = getattr(maps, name)
    assert LIBRARIES[library.instrument][0] == name
    assert library.licence and library.credit and library.source
    assert library.sha256 and library.tuning_cents and library.file in library.sha256


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_the_libraries_are_those_that_were_measured(libraries, instrument):
    name, folder = LIBRARIES[instrument]
    library = getattr(maps, name)
    check_digests(library, open_library(library, libraries / folder))


@lru_cache(maxsize=len(INSTRUMENTS))
def dozen(instrument: str) -> Dataset:
    return generated(SampledConfig(instrument=instrument, count=12))


def notes_of(dataset: Dataset) -> list:
    return [
        note for clip in dataset.manifest["clips"] for note in read_cont(dataset.files[clip["cont"]]).notes
    ]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_dozen_clips_are_varied_and_hardly_any_is_dropped(libraries, instrument):
    dataset = dozen(instrument)
    counts, notes = dataset.manifest["counts"], notes_of(dataset)
    assert counts["dropped"] <= 1
    assert counts["masked_notes"] <= 0.02 * counts["notes"]
    assert len({round(float(np.median(note.envelopes[PITCH].values))) for note in notes}) >= 15
    library = getattr(maps, LIBRARIES[instrument][0])
    for clip in dataset.manifest["clips"]:
        document = read_cont(dataset.files[clip["cont"]])
        assert document.instrument == instrument
        assert document.masked_outputs == tuple(sorted(library.masked_outputs))
        assert {licence.credit for licence in document.licences} == {library.credit}
    named = {(technique.articulation, technique.mode) for technique in library.techniques}
    named |= {("legato", mode) for mode in library.player.slurs}
    assert {(note.articulation, note.mode) for note in notes} <= named


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_labels_agree_with_the_mix(libraries, instrument):
    dataset = dozen(instrument)
    cents, onsets_s = [], []
    for clip in dataset.manifest["clips"]:
        samples, rate_hz = soundfile.read(dataset.files[clip["audio"]], dtype="float32")
        notes = read_cont(dataset.files[clip["cont"]]).notes
        cents.append(pitch_errors_cents(samples, notes, rate_hz=rate_hz))
        onsets_s.append(onset_errors_s(samples, notes, rate_hz=rate_hz))
        assert rate_hz == RATE_HZ and samples.size == 10 * RATE_HZ
        assert 0.2 < np.abs(samples).max() < 0.9
    errors_cents, errors_s = np.abs(np.concatenate(cents)), np.abs(np.concatenate(onsets_s))
    assert np.median(errors_cents) <= 2 and np.percentile(errors_cents, 95) <= 6
    assert np.median(errors_s) <= 0.003 and np.percentile(errors_s, 95) <= 0.015


def test_bowed_notes_glide_and_waver(libraries):
    notes = notes_of(dozen("violin"))
    slurred = [note for note in notes if note.articulation == "legato"]
    assert any(np.ptp(note.envelopes[PITCH].values) > 1.5 for note in slurred)
    long = [note.envelopes[PITCH] for note in notes if note.duration_s > 0.7]
    wavering = [np.diff(np.sign(np.diff(curve.values))).nonzero()[0].size for curve in long]
    assert max(wavering) > 6


@pytest.mark.slow
def test_labels_agree_with_pyin(libraries):
    import librosa

    dataset = generated(SampledConfig(instrument="electric_guitar", count=4), seed=3)
    errors_cents = []
    for clip in dataset.manifest["clips"]:
        samples, rate_hz = soundfile.read(dataset.files[clip["audio"]], dtype="float32")
        for note in alone(read_cont(dataset.files[clip["cont"]]).notes, least_s=0.35)[:3]:
            label = float(np.median(note.envelopes[PITCH].values))
            frequency_hz = librosa.midi_to_hz(label)
            part = samples[round(note.onset_s * rate_hz) : round(note.offset_s * rate_hz)]
            f0_hz, _, _ = librosa.pyin(
                part,
                fmin=frequency_hz / 1.5,
                fmax=frequency_hz * 1.5,
                sr=rate_hz,
                resolution=0.02,
                hop_length=480,
            )
            times_s = note.onset_s + np.arange(f0_hz.size) * 480 / rate_hz
            body = (times_s > note.onset_s + 0.08) & (times_s < note.offset_s - 0.08) & np.isfinite(f0_hz)
            found = librosa.hz_to_midi(f0_hz[body])
            errors_cents.append(100 * (found - note.envelopes[PITCH].at(times_s[body])))
    errors = np.abs(np.concatenate(errors_cents))
    assert errors.size > 100
    assert np.median(errors) <= 3 and np.percentile(errors, 95) <= 15


def alone(notes, *, least_s: float) -> list:
    """Notes that last, over which no other sounds."""
    return [
        note
        for note in notes
        if note.duration_s >= least_s
        and all(
            other is note or other.onset_s >= note.offset_s or other.offset_s + 0.4 <= note.onset_s
            for other in notes
        )
    ]


def test_the_survey_finds_how_far_samples_are_off(tmp_path):
    sfz = open_library(tiny_sfz.library(), tiny_sfz.folder())
    found = survey(tiny_sfz.library(tuning_cents={}), sfz, tmp_path)
    assert set(found.tuning_cents) == {f"samples/{name}" for name in tiny_sfz.OFF_CENTS}
    for name, cents in tiny_sfz.OFF_CENTS.items():
        assert found.tuning_cents[f"samples/{name}"] == pytest.approx(cents, abs=0.2)
    levels = list(found.velocity_db.values())
    assert levels == sorted(levels) and levels[-1] == 0
    # amp_veltrack=60: the curve of SFZ is 20 log10((1 - 0.6) + 0.6 (velocity / 127)^2).
    for velocity, level_db in found.velocity_db.items():
        assert level_db == pytest.approx(20 * np.log10(0.4 + 0.6 * (velocity / 127) ** 2), abs=0.15)


def test_the_command_prints_a_map_with_what_it_measured(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({**tiny_sfz.FACTS, "player": {"excitation": "bowed"}, "tuning_cents": {}}))
    command = [sys.executable, str(Path(__file__).parents[1] / "measure_library.py"), str(path)]
    done = subprocess.run(
        [*command, str(tiny_sfz.folder())], capture_output=True, encoding="utf-8", check=True
    )
    library = SampleLibrary.model_validate(yaml.safe_load(done.stdout))
    assert library.tuning_cents["samples/tone76-2.wav"] == pytest.approx(-14, abs=0.2)
    check_digests(library, open_library(library, tiny_sfz.folder()))
    failed = subprocess.run([*command, str(tmp_path)], capture_output=True, encoding="utf-8", check=False)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1 and "tiny.sfz: cannot be read" in failed.stderr


def test_clips_are_the_same_whatever_else_is_in_their_batch(monkeypatch):
    from ripieno_sfizz import source

    whole = bytes_of(generated(tiny(count=4)))
    monkeypatch.setattr(source, "BATCH_S", 0)
    assert bytes_of(generated(tiny(count=4))) == whole


def test_what_is_finished_is_not_made_again():
    with use_context(new_context(random=True, seed=5)) as context:
        first = SampledInstrument(tiny(count=2)).generate()
        stamps = {name: path.stat().st_mtime_ns for name, path in first.files.items()}
        again = SampledInstrument(tiny(count=2)).generate()
        assert {name: path.stat().st_mtime_ns for name, path in again.files.items()} == stamps
        assert again.manifest == first.manifest
        assert json.loads((context.checkpoint / "library.json").read_text(encoding="utf-8"))["map"]


@pytest.mark.parametrize(
    ("instrument", "question"),
    [
        ("violn", 'Did you mean "violin"?'),
        ("electric guitar", 'Did you mean "electric_guitar"?'),
        ("tuba", "by map"),
        (["violin"], 'Did you mean "violin"?'),
    ],
)
def test_an_instrument_without_a_map_is_refused_with_a_suggestion(instrument, question):
    with pytest.raises(ConfigError) as caught:
        configure(SampledInstrument, {"instrument": instrument})
    message = str(caught.value)
    assert (
        f'no map of samples for "{instrument}": violin, electric_guitar, acoustic_guitar, piano. ' in message
    )
    assert question in message and "\n" not in message


def test_instruments_have_maps_and_folders_of_their_own():
    for instrument, (name, folder) in LIBRARIES.items():
        config = SampledConfig(instrument=instrument)
        assert (config.map.uses, config.library) == (f"sample_library/{name}", folder)
    assert SampledConfig(instrument="piano", library="elsewhere").library == "elsewhere"


def test_a_map_of_another_instrument_is_refused():
    with pytest.raises(ConfigError, match="is of violin, and instrument is viola"):
        generated(tiny(instrument="viola"))


def test_a_library_is_found_by_path_or_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("RIPIENO_DATA", str(tmp_path))
    (tmp_path / "sfz" / "mine").mkdir(parents=True)
    assert library_folder("mine") == library_folder(str(tmp_path / "sfz" / "mine"))
    with pytest.raises(ConfigError, match="library: no folder at .*yours and yours"):
        library_folder("yours")
    monkeypatch.delenv("RIPIENO_DATA")
    with pytest.raises(ConfigError, match="library: no folder at mine. .*or set RIPIENO_DATA"):
        library_folder("mine")


@pytest.fixture
def copied(tmp_path):
    return tiny_sfz.write(tmp_path / "library")


def test_a_folder_without_the_file_of_the_map_is_refused(tmp_path):
    with pytest.raises(InputError, match="no tiny.sfz, which the map of this library names"):
        generated(tiny(tmp_path))


def test_a_missing_sample_is_refused_before_anything_is_rendered(copied):
    (copied / "samples" / "tone60-2.wav").unlink()
    with pytest.raises(InputError, match=r"tiny.sfz:10: sample=tone60-2.wav: there is no"):
        generated(tiny(copied, count=1))


def test_a_key_switch_that_sounds_nothing_is_refused(copied):
    techniques = [{**tiny_sfz.FACTS["techniques"][0], "key_switch": 30}]
    with pytest.raises(
        InputError, match=r"after key switch 30 no key from 55 to 79 plays anything.*sustained \(arco\)"
    ):
        generated(tiny(copied, map=tiny_sfz.library(techniques=techniques)))


def test_a_key_in_the_range_that_sounds_nothing_is_refused(copied):
    techniques = [{**tiny_sfz.FACTS["techniques"][0], "highest_key": 90}]
    with pytest.raises(InputError, match="after key switch 24 key 80 from 55 to 90 plays nothing"):
        generated(tiny(copied, map=tiny_sfz.library(techniques=techniques)))


def test_a_key_switch_whose_samples_are_silent_is_refused(copied):
    for name in tiny_sfz.OFF_CENTS:
        soundfile.write(copied / "samples" / name, np.zeros(1000), 44100)
    with pytest.raises(InputError, match=r"key switch 24, sustained \(arco\), plays a sample that is silent"):
        generated(tiny(copied, count=1))


def test_a_sample_that_is_silent_is_never_labelled(copied):
    for turn in (1, 2):
        soundfile.write(copied / "samples" / f"tone76-{turn}.wav", np.zeros(1000), 44100)
    dataset = generated(tiny(copied, count=6))
    faults = [fault for dropped in dataset.manifest["dropped"] for fault in dropped["faults"]]
    assert any("silent" in fault for fault in faults)
    notes = [
        note for clip in dataset.manifest["clips"] for note in read_cont(dataset.files[clip["cont"]]).notes
    ]
    assert max(note.envelopes[PITCH].values[0] for note in notes if PITCH not in note.masked) < 73


def test_changed_files_are_refused_by_name(copied):
    sfz = open_library(tiny_sfz.library(), copied)
    library = tiny_sfz.library(sha256=dict(digests(sfz)))
    check_digests(library, sfz)
    with (copied / "samples" / "tone60-1.wav").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(
        InputError, match=r"tone60-1.wav: differs from the one that was measured .* https://example.org"
    ):
        check_digests(library, open_library(library, copied))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_samples_may_be_links_within_the_library(copied):
    library = tiny_sfz.library(sha256=dict(digests(open_library(tiny_sfz.library(), copied))))
    plain = bytes_of(generated(tiny(copied, map=library, count=1)))
    (copied / "elsewhere").mkdir()
    for sample in list((copied / "samples").iterdir()):
        sample.rename(copied / "elsewhere" / sample.name)
        sample.symlink_to(Path("..", "elsewhere", sample.name))
    assert bytes_of(generated(tiny(copied, map=library, count=1))) == plain


def test_the_catalogue_says_where_the_whole_orchestra_is():
    from ripieno_sfizz import assets

    asset = assets.vsco2_ce
    assert (asset.licence, asset.commercial, asset.sha256) == ("CC0-1.0", True, "")
    assert asset.url.startswith("https://github.com/sgossner/VSCO-2-CE")


def test_the_example_needs_no_samples_of_others(monkeypatch):
    monkeypatch.delenv("RIPIENO_DATA", raising=False)
    samples = PluginRef[SampleLibrary].of(maps.example_piano)
    place = "package:ripieno_sfizz/example_piano"
    dataset = generated(SampledConfig(instrument="piano", count=2, duration_s=4, map=samples, library=place))
    assert dataset.manifest["counts"]["clips"] == 2
    assert [licence["name"] for licence in dataset.manifest["licences"]] == ["CC0-1.0"]


def test_the_example_is_what_its_command_composes(tmp_path):
    command = Path(__file__).parents[1] / "compose_example.py"
    subprocess.run([sys.executable, command, tmp_path], check=True)
    carried = library_folder("package:ripieno_sfizz/example_piano")
    names = sorted(path.name for path in carried.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        if name.endswith(".sfz"):
            assert (tmp_path / name).read_bytes() == (carried / name).read_bytes()
        else:
            made, kept = (soundfile.read(folder / name)[0] for folder in (tmp_path, carried))
            # Sines differ in the last bit from one processor to another.
            np.testing.assert_allclose(made, kept, atol=2**-14)


@pytest.mark.parametrize("place", ["package:no_such_package/piano", "package:ripieno_sfizz/none", "package:"])
def test_a_package_without_the_folder_is_named(place):
    with pytest.raises(ConfigError, match=r"library: no folder at \S"):
        library_folder(place)


def test_a_map_of_this_package_brings_the_folder_of_its_samples(monkeypatch):
    monkeypatch.delenv("RIPIENO_DATA", raising=False)
    for given in ("example_piano", "sample_library/example_piano", {"uses": "sample_library/example_piano"}):
        config = SampledConfig(instrument="piano", map=given)
        assert config.library == "package:ripieno_sfizz/example_piano"
    dataset = generated(SampledConfig(instrument="piano", map="example_piano", count=1, duration_s=3))
    assert dataset.manifest["counts"]["clips"] == 1


def test_a_map_of_others_asks_for_the_folder_of_its_samples():
    with pytest.raises(ValueError, match="library: give the folder of its samples"):
        SampledConfig(instrument="harp", map="somebodys_harp")
