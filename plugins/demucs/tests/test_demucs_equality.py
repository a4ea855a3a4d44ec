"""The same stems as Demucs's own code and command give with the same networks."""

import random

import numpy as np
import pytest
import soundfile
import torch
from demucs import separate
from demucs.api import Separator
from demucs.apply import apply_model
from tiny_demucs import RATE_HZ, STEMS, network, save_bag, save_pickle, save_safe, song

from ripieno.contracts import Audio
from ripieno_demucs.estimates import Member, estimates
from ripieno_demucs.passes import Network
from ripieno_demucs.separator import DemucsConfig, DemucsSeparator

KINDS = ("HTDemucs", "HDemucs", "Demucs")


def demucs_stems(folder, name, audio, **settings):
    """Stems by Demucs's API: name to [channels, frames]."""
    separator = Separator(name, repo=folder, device="cpu", shifts=0, **settings)
    _, stems = separator.separate_tensor(torch.from_numpy(audio.samples.copy()), audio.rate_hz)
    return {stem: samples.numpy() for stem, samples in stems.items()}


def ours(folder, name, audio, **settings):
    config = DemucsConfig(folder=folder, model=name, **settings)
    return DemucsSeparator(config).separate(audio)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{}, {"overlap": 0.1}, {"overlap": 0.6, "segment": 1}], ids=str)
def test_stems_are_those_of_demucs(tmp_path, kind, settings):
    save_pickle(network(kind), tmp_path, "net")
    audio = song(3.3)
    expected = demucs_stems(tmp_path, "net", audio, **settings)
    given = {"segment_s" if name == "segment" else name: value for name, value in settings.items()}
    found = ours(tmp_path, "net", audio, trust=True, consistent=False, **given)
    for stem in STEMS:
        assert np.ptp(expected[stem]) > 0.001
        np.testing.assert_allclose(found[stem].samples, expected[stem], atol=2e-6)


def test_stems_are_those_of_demucs_where_the_last_segment_is_hardly_anything(tmp_path):
    save_safe(network("HDemucs"), tmp_path, "net")
    save_pickle(network("HDemucs"), tmp_path, "pickled")
    audio = song((2 * 1.5 * RATE_HZ + 300) / RATE_HZ)
    expected = demucs_stems(tmp_path, "pickled", audio)
    found = ours(tmp_path, "net", audio, consistent=False)
    for stem in STEMS:
        np.testing.assert_allclose(found[stem].samples, expected[stem], atol=2e-6)


@pytest.mark.parametrize(
    "weights", [None, [[1, 0, 2, 1], [0, 1, 1, 3], [1, 1, 0, 0.5]]], ids=["plain", "weighted"]
)
def test_bags_are_those_of_demucs(tmp_path, weights):
    for index, kind in enumerate(KINDS):
        save_pickle(network(kind, seed=index), tmp_path, f"net{index}")
    facts = {"weights": weights} if weights else {}
    save_bag(tmp_path, "bag", ["net0", "net1", "net2"], segment=1.4, **facts)
    audio = song(3)
    expected = demucs_stems(tmp_path, "bag", audio)
    found = ours(tmp_path, "bag", audio, trust=True, consistent=False)
    for stem in STEMS:
        np.testing.assert_allclose(found[stem].samples, expected[stem], atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("overlap", [0.25, 0.9], ids=["hop above the shift", "hop below the shift"])
def test_shifts_are_those_of_demucs_by_the_same_numbers(tmp_path, kind, overlap):
    module = network(kind)
    audio = song(2.5)
    samples = (audio.samples - audio.samples.mean()) / audio.samples.std()
    longest = module.samplerate // 2
    expected, starts = 0, []
    for seed in (5, 6):
        random.seed(seed)
        starts.append(random.randint(0, longest) - longest)
        # The transformer draws from the same generator, so each shift has a seed of its own.
        random.seed(seed)
        expected += (
            apply_model(module, torch.from_numpy(samples.copy())[None], shifts=1, overlap=overlap)[0].numpy()
            / 2
        )
    member = Member(Network(module), (1.0,) * 4, tuple(starts))
    files = (tmp_path / str(number) for number in range(9))
    blocks = estimates(
        Audio(samples, RATE_HZ), [member], stems=range(4), overlap=overlap, new_file=lambda: next(files)
    )
    found = np.concatenate(list(blocks), axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_the_stem_is_that_of_the_demucs_command(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    save_pickle(network("HTDemucs", seed=1), models, "one")
    save_pickle(network("HTDemucs", seed=2), models, "two")
    save_bag(models, "bag", ["one", "two"], weights=[[1, 1, 1, 0], [0, 0, 0, 1]])
    audio = song(4)
    soundfile.write(tmp_path / "song.wav", audio.samples.T, RATE_HZ, subtype="FLOAT")
    options = ["-n", "bag", "--repo", str(models), "-d", "cpu", "--shifts", "0", "--two-stems", "vocals"]
    options += ["--float32", "--clip-mode", "none", "-o", str(tmp_path / "out")]
    separate.main([*options, str(tmp_path / "song.wav")])
    expected, rate_hz = soundfile.read(tmp_path / "out" / "bag" / "song" / "vocals.wav", dtype="float32")
    assert rate_hz == RATE_HZ
    found = ours(models, "bag", audio, trust=True, two_stems="vocals")
    np.testing.assert_allclose(found["vocals"].samples.T, expected, atol=2e-6)


def test_a_stem_of_one_member_is_the_same_when_the_others_are_not_there(tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    weights = [[1, 1, 1, 0], [0, 0, 0, 1]]
    for folder in (whole, part):
        folder.mkdir()
        save_bag(folder, "bag", ["one", "two"], weights=weights)
        save_safe(network("HTDemucs", seed=2), folder, "two")
    save_safe(network("HTDemucs", seed=1), whole, "one")
    settings = {"shifts": 2, "consistent": False}
    everything = ours(whole, "bag", song(2), **settings)
    vocals = ours(part, "bag", song(2), two_stems="vocals", **settings)
    np.testing.assert_array_equal(vocals["vocals"].samples, everything["vocals"].samples)
