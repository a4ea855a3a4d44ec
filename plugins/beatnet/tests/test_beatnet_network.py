import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno_beatnet.network import BeatNetwork, weights_path

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[4] / "shared" / "data"))
REFERENCE = DATA.parent / "refs" / "beatnet" / "808kick120bpm.npz"
CARD = weights_path(1).parent / "README.md"
every_set = pytest.mark.parametrize("weights", [1, 2, 3])


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 2, (frames, 272)).astype(np.float32)


@pytest.mark.skipif(not REFERENCE.is_file(), reason="no reference values: set RIPIENO_DATA")
@every_set
def test_probabilities_are_those_of_the_published_package(weights):
    expected, network = np.load(REFERENCE), BeatNetwork(weights)
    found = network.frames(expected["features"])
    np.testing.assert_allclose(found, expected[f"probs_model{weights}"], atol=1e-4)


@every_set
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_probabilities_sum_to_1(weights, seed):
    network = BeatNetwork(weights)
    found = network.frames(100 * noise(5, seed))
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_it_remembers_and_a_reset_forgets():
    network, frames = BeatNetwork(), noise(50)
    first = network.frames(frames)
    assert np.abs(network.frames(frames[:1]) - first[0]).max() > 1e-3
    network.reset()
    np.testing.assert_array_equal(network.frames(frames), first)


def test_two_networks_keep_their_memories_apart():
    one, other, frames = BeatNetwork(), BeatNetwork(), noise(50)
    alone = one.frames(frames)
    one.reset()
    between = []
    for features in np.split(frames, len(frames)):
        between.append(one.frames(features))
        other.frames(features[:, ::-1].copy())
    np.testing.assert_array_equal(np.concatenate(between), alone)


@every_set
@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 60), max_size=5))
def test_any_split_gives_the_same_bits(weights, cuts):
    frames = noise(60)
    whole, split = BeatNetwork(weights), BeatNetwork(weights)
    found = [split.frames(part) for part in np.split(frames, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(found), whole.frames(frames))


@every_set
def test_the_model_card_names_the_files_by_their_digest(weights):
    named = dict(re.findall(r"`(beatnet_\d\.onnx)` `([0-9a-f]{64})`", CARD.read_text(encoding="utf-8")))
    path = weights_path(weights)
    assert named[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


@every_set
def test_licence_and_credit_go_with_the_weights(weights):
    assert "Attribution 4.0 International" in CARD.with_name("LICENSE").read_text(encoding="utf-8")
    for stored in (weights_path(weights).read_bytes(), CARD.read_bytes()):
        assert b"Heydari" in stored
        assert b"Creative Commons Attribution 4.0 International (CC BY 4.0)" in stored


def test_without_onnxruntime_the_message_says_what_to_install():
    script = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from ripieno.contracts import MissingError\n"
        "from ripieno_beatnet.network import BeatNetwork\n"
        "try:\n    BeatNetwork()\n"
        "except MissingError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.count("\n") == 1
    assert 'pip install "ripieno-beatnet[cpu]"' in done.stdout
