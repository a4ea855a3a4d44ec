"""Banks of noises and rooms: made, written by hand, filtered by licence, and refused where they are wrong."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import soundfile
from augment_examples import DATA, OWN, RATE_HZ, example, onset_errors_ms
from pyroomacoustics.experimental import measure_rt60

from ripieno.contracts import ConfigError, InputError, Licence, RipienoError
from ripieno.contracts.codecs import DatasetFolder
from ripieno.contracts.describe import configure
from ripieno_augment.bank import MANIFEST, AssetBank
from ripieno_augment.bank_source import MakeAssetBank, MakeAssetBankConfig
from ripieno_augment.noise import AddNoise, AddNoiseConfig
from ripieno_augment.noises import NoiseShape, make_noise
from ripieno_augment.room import PutInRoom, PutInRoomConfig
from ripieno_augment.rooms import draw_room, find_direct_path, make_room

FREE = {"licence": "CC0-1.0", "commercial": True}
needs_recordings = pytest.mark.skipif(not (DATA / "rir").is_dir(), reason="no recordings: set RIPIENO_DATA")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bank as the data source makes it and the codec writes it."""
    config = MakeAssetBankConfig(rooms=3, noises=3, noise_s=2.0)
    folder = tmp_path_factory.mktemp("bank") / "bank"
    DatasetFolder().write(MakeAssetBank(config).generate(), folder)
    return folder


def by_hand(folder, *entries):
    """A bank of short sounds with these entries."""
    folder.mkdir(exist_ok=True)
    for entry in entries:
        samples = np.zeros(800)
        samples[100] = 1.0
        if entry["file"] == f"{entry['name']}.wav":
            soundfile.write(folder / entry["file"], samples, 8000)
    (folder / MANIFEST).write_text(json.dumps({"assets": entries}), encoding="utf-8")
    return folder


def entry(name="hall", kind="room", **facts):
    return {"name": name, "file": f"{name}.wav", "kind": kind, **FREE, **facts}


def test_what_is_made_is_free_and_says_so(made):
    manifest = json.loads((made / MANIFEST).read_text(encoding="utf-8"))
    assert {asset["licence"] for asset in manifest["assets"]} == {"CC0-1.0"}
    assert len(AssetBank.read(made, commercial_ok=True).entries) == 6


def test_the_direct_path_of_a_made_room_is_where_its_manifest_says(made):
    bank = AssetBank.read(made)
    for room in bank.of_kind("room"):
        response = bank.room(room.name, rate_hz=RATE_HZ)
        peak = int(np.abs(response.samples[: round((response.direct_path_s + 0.001) * RATE_HZ)]).argmax())
        assert abs(peak - response.direct_path_s * RATE_HZ) <= 1


def test_a_made_room_rings_about_as_long_as_sabine_says():
    for seed in range(3):
        shape = draw_room(np.random.default_rng(seed), rt60_s=(0.2, 0.5))
        measured_s = measure_rt60(make_room(shape, rate_hz=16000).samples, fs=16000, decay_db=20)
        assert measured_s == pytest.approx(shape.rt60_s, rel=0.35)


@pytest.mark.parametrize("slope_db", [-6.0, -3.0, 0.0, 3.0])
def test_a_made_noise_has_the_slope_that_was_asked(slope_db):
    shape = NoiseShape(slope_db, low_hz=20.0, high_hz=20000.0, swell_db=0.0, swells=1, seed=1)
    noise = make_noise(shape, rate_hz=48000)
    powers = np.abs(np.fft.rfft(noise)) ** 2
    frequencies_hz = np.fft.rfftfreq(noise.size, 1 / 48000)
    octaves = [
        powers[(frequencies_hz >= low) & (frequencies_hz < 2 * low)].mean() for low in (250, 500, 1000, 2000)
    ]
    assert np.diff(10 * np.log10(octaves)) == pytest.approx(slope_db, abs=0.5)
    assert np.mean(noise**2) == pytest.approx(1, rel=1e-4)


def test_a_made_noise_swells_and_has_no_seam():
    shape = NoiseShape(0.0, low_hz=20.0, high_hz=20000.0, swell_db=12.0, swells=2, seed=1)
    noise = make_noise(shape, rate_hz=48000)
    levels_db = 10 * np.log10(np.mean(noise.reshape(40, -1) ** 2, axis=1))
    assert levels_db.max() - levels_db.min() == pytest.approx(12, abs=1)
    step = np.abs(np.diff(np.concatenate([noise[-2:], noise[:2]])))
    assert step.max() < 4 * np.abs(np.diff(noise)).std() + 4


def test_a_larger_bank_begins_with_the_smaller():
    def digests(count):
        config = MakeAssetBankConfig(rooms=count, noises=0, rate_hz=8000, rt60_s=(0.2, 0.3))
        return [asset["sha256"] for asset in MakeAssetBank(config).generate().manifest["assets"]]

    assert digests(3)[:2] == digests(2)


def test_licences_that_forbid_commercial_use_are_left_out_unless_asked_for(tmp_path):
    private = entry("private", licence="CC-BY-NC-4.0", commercial=False)
    unsaid = {name: value for name, value in entry("unsaid").items() if name != "commercial"}
    folder = by_hand(tmp_path / "bank", entry(), private, unsaid)
    assert [one.name for one in AssetBank.read(folder).entries] == ["hall"]
    assert len(AssetBank.read(folder, commercial_ok=False).entries) == 3


def test_a_bank_with_nothing_that_may_be_used_is_refused(tmp_path):
    folder = by_hand(tmp_path / "bank", entry(licence="CC-BY-NC-4.0", commercial=False))
    room = PutInRoom(PutInRoomConfig(bank=folder))
    with pytest.raises(
        ConfigError, match="no room to use; licences exclude 1 of its assets: commercial_ok: false"
    ):
        room.draw(np.random.default_rng(0))
    with pytest.raises(ConfigError, match="has no noise to use"):
        AddNoise(AddNoiseConfig(bank=folder)).draw(np.random.default_rng(0))


@pytest.mark.parametrize("file", ["../outside.wav", "/etc/hostname", "C:\\noise.wav", "", "a\0"])
def test_a_bank_that_names_a_file_outside_its_folder_is_refused(tmp_path, file):
    soundfile.write(tmp_path / "outside.wav", np.zeros(10), 8000)
    with pytest.raises(InputError, match="is no file inside the folder"):
        AssetBank.read(by_hand(tmp_path / "bank", entry(file=file)))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry(), entry()], "'hall' stands twice"),
        ([{**entry(), "kind": "smell"}], "assets.0.kind: input should be 'noise' or 'room'"),
        ([{"name": "hall"}], "assets.0.file: field required"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(tmp_path, entries, message):
    (tmp_path / MANIFEST).write_text(json.dumps({"assets": entries}), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        AssetBank.read(tmp_path)


def test_what_is_no_bank_is_refused(tmp_path):
    with pytest.raises(InputError, match="no bank of assets"):
        AssetBank.read(tmp_path / "absent")
    for text in ("[", "[" * 100_000):
        (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="not JSON"):
            AssetBank.read(tmp_path)
    (tmp_path / MANIFEST).write_text('{"clips": []}', encoding="utf-8")
    with pytest.raises(InputError, match="this is something else"):
        AssetBank.read(tmp_path)


def test_files_that_are_absent_altered_silent_or_no_sound_are_refused(tmp_path):
    folder = by_hand(tmp_path / "bank", entry(sha256="0" * 64), entry("text"), entry("silent"))
    (folder / "text.wav").write_text("no sound", encoding="utf-8")
    soundfile.write(folder / "silent.wav", np.zeros(10), 8000)
    bank = AssetBank.read(folder)
    for name, message in (("hall", "sha256"), ("text", "cannot be read"), ("silent", "silent response")):
        with pytest.raises(InputError, match=message):
            bank.room(name, rate_hz=8000)
    (folder / "hall.wav").unlink()
    with pytest.raises(InputError, match="there is no such file, though the bank names it"):
        AssetBank.read(folder)


def test_a_draw_from_a_bank_needs_that_bank(made):
    draw = PutInRoom(PutInRoomConfig(bank=made)).draw(np.random.default_rng(0))
    with pytest.raises(ConfigError, match="Set bank to its folder"):
        PutInRoom().apply(example(seconds=1.0), draw)
    with pytest.raises(RipienoError, match="has no asset 'cellar'"):
        AssetBank.read(made).room("cellar", rate_hz=8000)


def test_what_is_read_is_part_of_the_cache_key(made):
    files = configure(AddNoise, {"bank": str(made)})["assets"]
    assert sorted(files) == sorted(
        str(made / name) for name in (MANIFEST, *(f"noise-0000{n}.flac" for n in range(3)))
    )


@pytest.mark.parametrize(("plugin", "config"), [(AddNoise, AddNoiseConfig), (PutInRoom, PutInRoomConfig)])
def test_credits_go_with_the_sound(tmp_path, plugin, config):
    credited = {"licence": "CC-BY-4.0", "credit": "A. Author", "source": "a hall"}
    kinds = {AddNoise: "noise", PutInRoom: "room"}
    folder = by_hand(tmp_path / "bank", entry(kind=kinds[plugin], **credited))
    augmenter = plugin(config(bank=folder))
    before = example(seconds=1.0)
    for _ in range(2):
        before = augmenter.apply(before, augmenter.draw(np.random.default_rng(0)))
    assert before.performance.licences == (OWN, Licence("CC-BY-4.0", "A. Author", True, "a hall"))


def test_the_direct_path_is_found_before_a_louder_reflection():
    response = np.zeros(1000)
    response[[200, 260]] = [0.6, -1.0]
    assert find_direct_path(response, rate_hz=1000) == 0.2


@needs_recordings
def test_recordings_make_a_bank(tmp_path):
    folder = tmp_path / "bank"
    folder.mkdir()
    rooms, noises = sorted((DATA / "rir").glob("*.wav")), sorted((DATA / "noise").glob("*.wav"))
    entries = []
    for kind, files in (("room", rooms), ("noise", noises)):
        for file in files:
            (folder / file.name).write_bytes(file.read_bytes())
            terms = Licence("Apache-2.0", credit="SpeechBrain")
            facts = {"licence": terms.name, "credit": terms.credit, "commercial": terms.commercial}
            entries.append({"name": file.stem, "file": file.name, "kind": kind, **facts})
    (folder / MANIFEST).write_text(json.dumps({"assets": entries}), encoding="utf-8")
    before = example(seconds=4.0, gap_s=0.6)
    for seed in range(3):
        noise, room = AddNoise(AddNoiseConfig(bank=folder)), PutInRoom(PutInRoomConfig(bank=folder))
        noisy = noise.apply(before, noise.draw(np.random.default_rng(seed)))
        assert noisy.audio.frames == before.audio.frames
        wet = room.apply(before, room.draw(np.random.default_rng(seed)))
        errors_ms = onset_errors_ms(wet)
        assert not errors_ms.size or abs(np.median(errors_ms)) < 3
        assert asdict(terms) in [asdict(licence) for licence in wet.performance.licences]
