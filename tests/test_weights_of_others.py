"""Weights that others made: refused where their licence says so, described where they are not here."""

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

TEXT = """
commercial: %s
inputs: {speech: {kind: audio, path: speech.wav}}
steps:
  done: {uses: %s, in: {audio: speech}, with: %s}
outputs: {done: %s}
"""
DNS, MDX_NET, DEMUCS = ("effect/dns", "done.wav"), ("separator/mdx_net", "done"), ("separator/demucs", "done")
SCIENCE = "LicenseRef-scientific-purposes"


@pytest.fixture
def pipeline(bench):
    """A pipeline with one step that needs weights."""
    soundfile.write(bench.folder / "speech.wav", np.zeros(800), 16000)

    def make(plugin, settings, *, commercial=False):
        uses, output = plugin
        return bench.pipeline(TEXT % (str(commercial).lower(), uses, settings, output))

    return make


def test_a_commercial_pipeline_refuses_weights_that_are_not_for_it(bench, pipeline):
    bench.write("weights.th", b"")
    bench.core("check", pipeline(DNS, "{weights: weights.th}"))
    said = bench.fails("check", pipeline(DNS, "{weights: weights.th}", commercial=True))
    assert 'step "done": the licence CC-BY-NC-4.0 of denoiser' in said and "excludes commercial use" in said


@pytest.mark.parametrize(
    "settings",
    ["{weights: [955717e8.safetensors]}", "{folder: ., model: htdemucs}", "{folder: ., model: '955717e8'}"],
)
def test_what_was_got_by_hand_is_refused_as_early_as_what_the_catalogue_has(bench, pipeline, settings):
    facts = json.dumps({"__metadata__": {"args": json.dumps([["drums", "vocals"]]), "kwargs": "{}"}}).encode()
    bench.write("955717e8.safetensors", struct.pack("<Q", len(facts)) + facts)
    bench.core("check", pipeline(DEMUCS, settings))
    said = bench.fails("check", pipeline(DEMUCS, settings, commercial=True))
    assert f'step "done": the licence {SCIENCE} of ' in said and len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("plugin", "facts"),
    [
        (DNS, ["134 MB", "CC-BY-NC-4.0", "/dns64-a7761ff99a7d5bb6.th"]),
        (MDX_NET, ["67 MB", "MIT", "/UVR-MDX-NET-Inst_HQ_3.onnx"]),
        (DEMUCS, ["84 MB", SCIENCE, "core models get demucs_955717e8"]),
    ],
)
def test_weights_that_are_not_here_are_one_line_with_size_licence_and_how_to_get_them(
    bench, pipeline, plugin, facts
):
    said = bench.fails("check", pipeline(plugin, "{}"))
    assert all(fact in said for fact in facts) and len(said.strip().splitlines()) == 1


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize(
    ("plugin", "settings", "code", "words"),
    [
        (DNS, "{weights: net.th}", 1, "not a checkpoint of tensors alone"),
        (DEMUCS, "{folder: ., model: net}", 2, "core demucs convert --trust"),
        (DEMUCS, "{model: hdemucs_mmi, weights: [net.th]}", 2, "core demucs convert --trust"),
    ],
)
def test_a_bomb_among_weights_does_not_go_off_in_a_run(bench, pipeline, plugin, settings, code, words):
    target = bench.folder / "went-off"
    bench.write("net.th", pickle.dumps({"encoder.0.0.weight": Bomb(target)}, 2))
    said = bench.core("run", pipeline(plugin, settings), code=code).stderr
    assert words in said and "Traceback" not in said
    assert not target.exists()
