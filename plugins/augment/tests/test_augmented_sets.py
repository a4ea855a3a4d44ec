"""Sets of pairs joined and augmented: nothing leaks, nothing is lost, and a crash costs nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from augment_examples import OWN, example, level_errors_db, onset_errors_ms, pitch_errors

from ripieno.contracts import ConfigError, Dataset, InputError, PluginRef, read_cont
from ripieno.contracts.codecs import DatasetFolder
from ripieno.contracts.context import new_context, use_context
from ripieno.contracts.packing import sha256_file
from ripieno.contracts.testing import AugmenterSuite, JoinerSuite, overrides
from ripieno.toolkit.pairs.files import write_clip
from ripieno.toolkit.pairs.manifest import KeptClip, Verdict, manifest_of
from ripieno.toolkit.portable import from_json, to_json
from ripieno_augment.bank_source import MakeAssetBank, MakeAssetBankConfig
from ripieno_augment.chain import Chain, ChainConfig, ChainStep
from ripieno_augment.draws import drawn
from ripieno_augment.dynamics import ChangeGain, ChangeGainConfig
from ripieno_augment.joiner import Augmented, AugmentedConfig
from ripieno_augment.mix import MixDraw, MixStems, MixStemsConfig
from ripieno_augment.noise import AddNoise, AddNoiseConfig
from ripieno_augment.pairs import Pair
from ripieno_augment.room import PutInRoom

SPLITS = ("train", "train", "validation", "train")


def pairs(folder, *, name="tone", seed=0, splits=SPLITS) -> Dataset:
    """A set of pairs as a data source gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = []
    for index, split in enumerate(splits):
        given = example(seconds=1.5, seed=seed + index)
        audio, cont = write_clip(given.audio.samples[0], given.performance, folder, f"{name}-{index:05d}")
        kept = KeptClip(
            f"{name}-{index:05d}", index, 0, seed + index, split, given.audio.duration_s,
            len(given.performance.notes), 0, (), audio.name, cont.name, sha256_file(audio), sha256_file(cont),
        )  # fmt: skip
        verdicts.append(Verdict(kept))
    manifest = manifest_of(
        verdicts, source="data_source/tones", versions={}, settings={}, seed=seed, licences=[OWN]
    )
    return Dataset({path.name: path for path in sorted(folder.iterdir())}, manifest)


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return pairs(tmp_path_factory.mktemp("tones") / "set")


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return pairs(tmp_path_factory.mktemp("others") / "set", name="other", seed=100)


def joiner(augmenter, **settings):
    return Augmented(AugmentedConfig(augmenter=PluginRef.of(augmenter), **settings))


def chain(*plugins):
    return Chain(ChainConfig(steps=tuple(ChainStep(augmenter=PluginRef.of(plugin)) for plugin in plugins)))


class TestConformance(JoinerSuite):
    plugin = Augmented
    config = AugmentedConfig(augmenter=PluginRef.of(chain(PutInRoom(), AddNoise())), copies=2)

    def example(self):
        folder = new_context().checkpoint
        return {"datasets": [pairs(folder / "a"), pairs(folder / "b", name="other", seed=9, splits=["test"])]}


class TestMix(AugmenterSuite):
    plugin = MixStems

    def settings(self):
        return self.once("settings", self.with_bank)

    def with_bank(self):
        folder = new_context().checkpoint
        DatasetFolder().write(pairs(folder / "set"), folder / "bank")
        return MixStemsConfig(bank=folder / "bank")

    def augmented(self):
        return example(seconds=1.0, channels=2)

    @overrides("what it reads is the user's, with its licences in its labels")
    def test_what_it_ships_has_a_licence(self):
        assert self.result().performance.licences == (OWN,)


def clips(dataset):
    return dataset.manifest["clips"]


def test_every_copy_is_in_the_split_of_its_clip(tones, others):
    joined = joiner(AddNoise(), copies=2).join([tones, others])
    sets = [{clip["name"]: clip for clip in clips(dataset)} for dataset in (tones, others)]
    assert len(clips(joined)) == 3 * (len(clips(tones)) + len(clips(others)))
    for clip in clips(joined):
        assert clip["split"] == sets[clip["set"]][clip["clip"]]["split"]
    counts = joined.manifest["counts"]
    assert (counts["train"], counts["validation"], counts["test"]) == (18, 6, 0)


def test_no_copies_is_plain_joining(tones, others):
    joined = joiner(AddNoise(), copies=0).join([tones, others])
    for clip in clips(joined):
        source = (tones, others)[clip["set"]]
        for part in ("audio", "cont"):
            was = source.files[source.manifest["clips"][clip["index"] % 4][part]]
            assert joined.files[clip[part]].read_bytes() == was.read_bytes()
            assert clip[f"{part}_sha256"] == sha256_file(was)


def test_originals_can_be_left_out(tones):
    joined = joiner(AddNoise(), originals=False).join([tones])
    assert {clip["copy"] for clip in clips(joined)} == {1}
    assert len(joined.files) == 8


def test_clips_of_one_name_in_two_sets_are_told_apart(tones):
    joined = joiner(AddNoise()).join([tones, tones])
    assert len({clip["name"] for clip in clips(joined)}) == len(clips(joined)) == 16


def test_a_recorded_draw_makes_the_copy_again(tones):
    augmenter = chain(PutInRoom(), AddNoise(), ChangeGain())
    joined = joiner(augmenter).join([tones])
    for clip in (clip for clip in clips(joined) if clip["copy"]):
        before = Pair(
            "", "", *(str(tones.files[f"{clip['clip']}{suffix}"]) for suffix in (".flac", ".cont"))
        ).read()
        again = augmenter.apply(before, drawn(augmenter, clip["draw"]))
        samples, _ = soundfile.read(joined.files[clip["audio"]], dtype="float32")
        gain = 10 ** (clip["peak_gain_db"] / 20)
        assert np.abs(samples - gain * again.audio.samples[0]).max() < 2**-22
        notes = read_cont(joined.files[clip["cont"]]).notes
        expected = [note.onset_s for note in again.performance.notes]
        assert [note.onset_s for note in notes] == pytest.approx(expected, abs=1e-6)


def test_a_copy_beyond_full_scale_is_made_softer_and_its_levels_with_it(tones):
    joined = joiner(ChangeGain(ChangeGainConfig(gain_db=(30.0, 30.0)))).join([tones])
    for clip in (clip for clip in clips(joined) if clip["copy"]):
        assert clip["peak_gain_db"] < -3
        copy = Pair("", "", str(joined.files[clip["audio"]]), str(joined.files[clip["cont"]])).read()
        assert np.abs(copy.audio.samples).max() == pytest.approx(1, abs=1e-5)
        assert np.abs(level_errors_db(copy)).max() < 0.1


def test_labels_on_disk_agree_with_the_sound_on_disk(tones):
    joined = joiner(chain(PutInRoom(), AddNoise(AddNoiseConfig(snr_db=(45.0, 60.0))))).join([tones])
    for clip in clips(joined):
        pair = Pair("", "", str(joined.files[clip["audio"]]), str(joined.files[clip["cont"]])).read()
        assert abs(np.median(pitch_errors(pair))) < 1
        errors_ms = onset_errors_ms(pair)
        assert not errors_ms.size or np.abs(errors_ms).max() < 5


def test_licences_of_sets_and_assets_are_those_of_the_whole(tones, tmp_path):
    bank = tmp_path / "bank"
    config = MakeAssetBankConfig(rooms=0, noises=2, rate_hz=16000, noise_s=1.0)
    DatasetFolder().write(MakeAssetBank(config).generate(), bank)
    joined = joiner(AddNoise(AddNoiseConfig(bank=bank))).join([tones])
    sources = {licence["source"] for licence in joined.manifest["licences"]}
    assert sources == {"tests", "data_source/asset_bank of ripieno-augment"}
    for clip in clips(joined):
        licences = read_cont(joined.files[clip["cont"]]).licences
        assert len(licences) == (2 if clip["copy"] else 1)


def test_what_is_finished_is_not_made_again_after_a_crash(tones):
    context = new_context(seed=3, random=True)
    with use_context(context):
        first = joiner(AddNoise()).join([tones])
    finished, lost, half = (f"tone-0000{index}-copy1" for index in range(3))
    before = {path.name: path.read_bytes() for path in context.checkpoint.iterdir()}
    changed_ns = (context.checkpoint / f"{finished}.flac").stat().st_mtime_ns
    (context.checkpoint / f"{lost}.json").unlink()
    (context.checkpoint / f"{half}.flac").write_bytes(b"half")
    with use_context(context):
        again = joiner(AddNoise()).join([tones])
    assert {path.name: path.read_bytes() for path in context.checkpoint.iterdir()} == before
    assert (context.checkpoint / f"{finished}.flac").stat().st_mtime_ns == changed_ns
    assert again.manifest == first.manifest


def test_what_is_no_set_of_pairs_is_refused(tones):
    with pytest.raises(InputError, match="set 1 of joiner/augmented: not a set of pairs"):
        joiner(AddNoise()).join([tones, Dataset({}, {"assets": []})])
    files = {name: path for name, path in tones.files.items() if not name.endswith("1.cont")}
    with pytest.raises(InputError, match="tone-00001: its cont 'tone-00001.cont' is not in the set"):
        joiner(AddNoise()).join([Dataset(files, tones.manifest)])


def test_nothing_joined_is_an_empty_set():
    joined = joiner(AddNoise()).join([])
    assert not joined.files and not clips(joined)


def test_a_plugin_with_others_inside_survives_json():
    augmenter = chain(AddNoise(AddNoiseConfig(snr_db=(1.0, 2.0))), chain(ChangeGain()))
    again = from_json(json.loads(json.dumps(to_json(augmenter))))
    draws = [one.draw(np.random.default_rng(5)) for one in (augmenter, again)]
    assert draws[0] == draws[1]


def test_others_are_mixed_in_from_the_same_split_and_never_the_clip_itself(tones, others):
    joined = joiner(chain(MixStems()), copies=4, originals=False).join([tones, others])
    split_of = {clip["name"]: clip["split"] for dataset in (tones, others) for clip in clips(dataset)}
    mixed = [(clip, clip["draw"]["steps"][0]["draw"]["other"]) for clip in clips(joined)]
    assert {split_of[other] for _, other in mixed} == {"train", "validation"}
    for clip, other in mixed:
        assert other != clip["clip"]
        assert split_of[other] == clip["split"]
        assert len(read_cont(joined.files[clip["cont"]]).streams) == 2


@pytest.mark.parametrize("labels", ["joined", "accompaniment"])
def test_another_player_is_added_at_the_level_that_was_drawn(tones, labels, tmp_path):
    DatasetFolder().write(tones, tmp_path / "bank")
    mix = MixStems(MixStemsConfig(bank=tmp_path / "bank", labels=labels))
    before = example(seconds=2.0, seed=50, rate_hz=44100, channels=2)
    found = mix.apply(before, MixDraw("tone-00001", -9.0))
    added = found.audio.samples - before.audio.samples
    level_db = 10 * np.log10(np.mean(added**2) / np.mean(before.audio.samples**2))
    assert level_db == pytest.approx(-9, abs=0.01)
    assert len(found.performance.streams) == (2 if labels == "joined" else 1)
    assert found.performance.streams[0] is before.performance.streams[0]
    if labels == "joined":
        alone = replace(found, audio=type(found.audio)(added, 44100))
        alone = replace(alone, performance=replace(found.performance, streams=found.performance.streams[1:]))
        assert np.abs(level_errors_db(alone)).max() < 0.3
        assert np.abs(onset_errors_ms(alone)).max() < 3
        assert np.abs(np.median(pitch_errors(alone))) < 1


def test_an_example_that_is_not_there_and_an_empty_split_are_refused(tones, tmp_path):
    DatasetFolder().write(tones, tmp_path / "bank")
    mix = MixStems(MixStemsConfig(bank=tmp_path / "bank"))
    with pytest.raises(InputError, match="there is no example 'absent' to add"):
        mix.apply(example(seconds=1.0), MixDraw("absent", 0.0))
    with pytest.raises(ConfigError, match="has no clips in split 'test'"):
        MixStems(MixStemsConfig(bank=tmp_path / "bank", split="test")).draw(np.random.default_rng(0))
