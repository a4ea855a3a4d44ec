"""A call knows its seed, its folders and its jobs; outside a run it has plain ones."""

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Audio, AudioFormat, Context, Effect, NoConfig, PluginError, current_context
from ripieno.contracts.context import (
    Progress,
    call_in,
    derive_seed,
    ensure_context,
    temporary_folder,
    use_context,
)


@pytest.fixture
def context(tmp_path):
    for name in ("scratch", "checkpoint"):
        (tmp_path / name).mkdir()
    return Context(tmp_path / "scratch", tmp_path / "checkpoint", seed=7)


@given(st.integers(0, 2**63), st.lists(st.text(), max_size=3))
def test_a_derived_seed_is_the_first_63_bits_of_a_hash(seed, names):
    joined = b"\0".join([str(seed).encode(), *(name.encode() for name in names)])
    expected = int(hashlib.sha256(joined).hexdigest()[:16], 16) // 2
    assert derive_seed(seed, *names) == expected
    assert 0 <= expected < 2**63


def draw(job, context):
    return [job, context.seed, float(context.rng.random())]


def test_serial_jobs_have_seeds_of_their_index(context):
    seeds = [derive_seed(7, "job", str(index)) for index in range(3)]
    expected = [
        [job, seed, float(np.random.default_rng(seed).random())]
        for job, seed in zip("abc", seeds, strict=True)
    ]
    assert context.map(draw, list("abc")) == expected
    assert context.map(draw, []) == []


def where(job, context):
    assert context is current_context()
    assert not list(context.scratch.iterdir())
    (context.scratch / "file").touch()
    return [str(context.scratch), str(context.checkpoint)]


def test_a_job_has_a_scratch_folder_of_its_own_and_the_checkpoint_of_the_call(context):
    found = context.map(where, [1, 2])
    assert len({scratch for scratch, _ in found}) == 2
    assert not any(Path(scratch).exists() for scratch, _ in found)
    assert {checkpoint for _, checkpoint in found} == {str(context.checkpoint)}


def test_a_run_takes_over_jobs_and_progress(tmp_path):
    heard = []
    context = Context(
        tmp_path, tmp_path, on_progress=heard.append, on_map=lambda function, jobs: [function, *jobs]
    )
    assert context.map(draw, [1, 2]) == [draw, 1, 2]
    context.progress(3, 4, unit="frames")
    assert [(seen.done, seen.total, seen.unit) for seen in heard] == [(3, 4, "frames")]
    assert isinstance(heard[0], Progress)
    assert context.for_job(0, tmp_path).on_map is None
    Context(tmp_path, tmp_path).progress(1)


def test_numbers_are_drawn_by_random_plugins_only(context, tmp_path):
    assert context.rng is context.rng
    assert context.rng.random() == np.random.default_rng(7).random()
    with pytest.raises(PluginError, match="random = True"):
        _ = Context(tmp_path, tmp_path, random=False).rng


def test_new_files_never_meet(context):
    first, second = context.new_file(".wav"), context.new_file(".wav")
    assert first != second
    (context.scratch / "2.wav").touch()
    assert context.new_file(".wav") not in (first, second, context.scratch / "2.wav")
    assert not any(context.scratch.glob("3*"))
    first.touch()
    first.unlink()
    assert context.new_file(".wav") != first


def test_audio_is_written_to_scratch(context):
    with context.audio_writer(AudioFormat(8000, 1)) as writer:
        writer.write(np.ones((1, 3)))
        audio = writer.close()
    assert audio.samples.tolist() == [[1, 1, 1]]
    assert audio.rows.path.parent == context.scratch


def test_there_is_a_context_only_while_a_verb_runs(context):
    with pytest.raises(PluginError, match="only while a plugin's verb runs"):
        current_context()
    assert call_in(context, lambda job, seen: (job, seen is current_context()), 3) == (3, True)
    with use_context(context), ensure_context(random=False) as inner:
        assert inner is context
    with pytest.raises(PluginError):
        current_context()


class Noise(Effect[NoConfig]):
    """Noise of the seed."""

    random = True

    def process(self, audio: Audio) -> Audio:
        assert not list(self.context.scratch.iterdir())
        (self.context.scratch / "used").touch()
        return Audio(self.context.rng.standard_normal(audio.samples.shape), audio.rate_hz)


class Twice(Noise):
    """Calls the verb that it replaces."""

    def process(self, audio: Audio) -> Audio:
        seed = self.context.seed
        result = super().process(audio)
        assert self.context.seed == seed
        return result


@pytest.mark.parametrize("plugin", [Noise, Twice])
def test_outside_a_run_each_call_has_seed_0_and_an_empty_folder(plugin):
    audio = Audio(np.zeros(8), 8000)
    expected = np.random.default_rng(0).standard_normal((1, 8)).astype(np.float32)
    for _ in range(2):
        assert np.array_equal(plugin().process(audio).samples, expected)


def test_the_logger_is_the_projects(context):
    assert context.logger is logging.getLogger("ripieno")


def test_a_temporary_folder_goes_with_its_block(tmp_path):
    with temporary_folder(tmp_path) as folder:
        (folder / "file").touch()
        assert folder.parent == tmp_path
    assert not folder.exists()
