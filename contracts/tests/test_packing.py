"""An artifact comes back from its folder as it was, and a wrong byte in it never goes unseen."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import artifact_strategies as artifacts
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno.contracts import (
    Artifact,
    Audio,
    Bundle,
    DamagedError,
    Features,
    Image,
    PluginError,
    Scores,
    Stems,
    Text,
)
from ripieno.contracts.audio import AudioFormat, AudioWriter
from ripieno.contracts.packing import (
    INDEX,
    pack,
    part_digests,
    read_index,
    rows_digest,
    sha256_file,
    sha256_text,
    unpack,
    verify,
)
from ripieno.contracts.testing import digest

KINDS = {
    entry.name: entry.load()
    for entry in distribution("ripieno-contracts").entry_points
    if entry.group == "ripieno.artifacts"
}
any_artifact = st.one_of(*artifacts.BY_KIND.values())


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def packed_in(parent, artifact, name="packed", **options):
    target = parent / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return target, pack(artifact, target, **options)


def contents(value):
    """What a value is made of, files by their bytes."""
    if isinstance(value, Artifact):
        return value.kind, contents(value.parts())
    if isinstance(value, Path):
        return value.read_bytes()
    if isinstance(value, dict):
        return {name: contents(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [contents(item) for item in value]
    if hasattr(value, "whole"):
        return value.shape, value.whole().tolist()
    return (value.shape, value.tolist()) if isinstance(value, np.ndarray) else value


def test_every_kind_has_a_strategy():
    assert set(artifacts.BY_KIND) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_packed_is_unpacked_as_it_was(kind, folder):
    @settings(deadline=None, max_examples=25)
    @given(artifacts.BY_KIND[kind])
    def check(artifact):
        target, packed = packed_in(folder, artifact)
        again = unpack(target, KINDS.__getitem__, digest=packed.digest)
        assert type(again) is type(artifact)
        assert packed.kind == kind
        assert contents(again) == contents(artifact)
        assert again.header() == artifact.header()
        verify(target, packed.digest)
        assert packed_in(folder, again, "again")[1].digest == packed.digest

    check()


@settings(deadline=None, max_examples=60)
@given(any_artifact, any_artifact)
def test_digests_are_equal_exactly_where_contents_are(one, other):
    with tempfile.TemporaryDirectory() as name:
        digests = {packed_in(Path(name), artifact)[1].digest for artifact in (one, other)}
    same = repr(contents(one)) == repr(contents(other))
    assert (len(digests) == 1) == same


@settings(deadline=None, max_examples=60)
@given(any_artifact, st.data())
def test_a_flipped_bit_in_any_file_is_damage(artifact, data):
    with tempfile.TemporaryDirectory() as name:
        target, packed = packed_in(Path(name), artifact)
        path = data.draw(st.sampled_from(sorted(path for path in target.iterdir() if path.stat().st_size)))
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        with pytest.raises(DamagedError, match="differ from the hash"):
            verify(target, packed.digest)
        with pytest.raises(DamagedError) as damage:
            contents(unpack(target, KINDS.__getitem__, digest=packed.digest))
        assert damage.value.path == str(path)


@pytest.mark.parametrize("artifact", [Features(np.zeros((2, 1)), ("a",), 1.0), Audio(np.zeros(4), 8000)])
def test_a_lost_file_is_damage(artifact, folder):
    for lost in ("0.*", INDEX):
        target, packed = packed_in(folder, artifact)
        next(target.glob(lost)).unlink()
        with pytest.raises(DamagedError):
            verify(target, packed.digest)
        with pytest.raises(DamagedError):
            contents(unpack(target, KINDS.__getitem__))


def test_an_index_that_is_no_json_is_damage(folder):
    (folder / INDEX).write_text("{", encoding="utf-8")
    with pytest.raises(DamagedError):
        read_index(folder)


def test_the_digest_is_that_of_the_index_and_of_the_block_hashes(folder):
    target, packed = packed_in(folder, Audio(np.zeros((2, 300_000)), 8000))
    assert packed.digest == sha256_file(target / INDEX)
    content = (target / "0.f32").read_bytes()
    blocks = [content[start : start + 2**20] for start in range(0, len(content), 2**20)]
    import hashlib

    hashes = tuple(hashlib.sha256(block).hexdigest() for block in blocks)
    assert len(hashes) == 3
    assert packed.files == {"0.f32": rows_digest(hashes)}
    assert read_index(target)["artifact"]["parts"]["rows"]["hashes"] == list(hashes)
    assert rows_digest(hashes) == sha256_text("\n".join(hashes))


def test_provenance_is_no_part_of_the_digest(folder):
    from ripieno.contracts import Licence, Provenance

    text = Text("a")
    known = text.with_provenance(Provenance("a step", (Licence("CC0-1.0"),)))
    assert known.provenance.made_by == "a step"
    assert packed_in(folder, text)[1].digest == packed_in(folder, known)[1].digest


def test_a_file_in_scratch_may_be_named_twice_and_is_not_copied(folder):
    scratch = folder / "scratch"
    scratch.mkdir()
    path = scratch / "one.txt"
    path.write_text("one", encoding="utf-8")
    target, packed = packed_in(folder, Bundle({"a.txt": path, "b.txt": path}), movable=[scratch])
    verify(target, packed.digest)
    assert (target / "0.txt").samefile(path)
    shutil.rmtree(scratch)
    again = unpack(target, KINDS.__getitem__)
    assert [file.read_text(encoding="utf-8") for file in again.files.values()] == ["one", "one"]


def test_stored_audio_in_scratch_is_not_copied_and_elsewhere_is(folder):
    scratch = folder / "scratch"
    scratch.mkdir()
    with AudioWriter(scratch / "long.f32", AudioFormat(8000, 1)) as writer:
        writer.write(np.ones((1, 10)))
        audio = writer.close()
    moved, packed = packed_in(folder, audio, "moved", movable=[scratch])
    assert (moved / "0.f32").samefile(scratch / "long.f32")
    copied, again = packed_in(folder, audio, "copied", movable=[folder / "other"])
    assert not (copied / "0.f32").samefile(scratch / "long.f32")
    assert packed == again


def test_a_file_with_the_suffix_of_rows_is_verified_like_any_other(folder):
    path = folder / "foreign.f32"
    path.write_bytes(b"abc" * 1000)
    target, packed = packed_in(folder, Bundle({"foreign.f32": path}))
    verify(target, packed.digest)
    assert unpack(target, KINDS.__getitem__).files["foreign.f32"].read_bytes() == path.read_bytes()


def test_damaged_rows_are_not_copied_on_as_sound(folder):
    target, _ = packed_in(folder, Audio(np.ones(100), 8000))
    stored = unpack(target, KINDS.__getitem__)
    (target / "0.f32").write_bytes(bytes(400))
    with pytest.raises(DamagedError):
        packed_in(folder, stored, "copy")


@dataclass(frozen=True, eq=False)
class Odd(Artifact):
    kind = "odd"
    value: object


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"deep": [1, {2, 3}]}, r"artifact.value.deep\[1\] is a set"),
        (np.array([object()]), "artifact.value is an array of objects"),
        ({"$array": "x"}, r"artifact.value has a name that begins with \$"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_its_place(value, message, folder):
    with pytest.raises(PluginError, match=message):
        packed_in(folder, Odd(value))


@pytest.mark.parametrize("path", ["not there.bin", "."])
def test_a_path_without_a_file_is_refused_by_its_place(path, folder):
    with pytest.raises(PluginError, match=r"artifact.files.a is .*, which is no file"):
        packed_in(folder, Bundle({"a": folder / path}))


def test_a_path_may_be_given_as_text_and_its_file_is_packed(folder):
    path = folder / "a.png"
    path.write_bytes(b"pixels")
    target, packed = packed_in(folder, Image(str(path), 1, 1))
    assert list(packed.files) == ["0.png"]
    assert unpack(target, KINDS.__getitem__).path.read_bytes() == b"pixels"


@pytest.mark.parametrize("text", ["[" * 200_000, "{", "\ud800"])
def test_an_index_that_is_no_json_is_damaged(text, folder):
    (folder / INDEX).write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(DamagedError, match=r"artifact\.json"):
        read_index(folder)


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.int64(3), np.bool_(True), np.array(2.5), np.array(["a", "bc"]), None]
)
def test_scalars_and_text_arrays_keep_their_value_and_shape(value, folder):
    target, _ = packed_in(folder, Odd(value))
    again = unpack(target, {"odd": Odd}.__getitem__).value
    assert np.array_equal(again, value) if value is not None else again is None
    assert np.shape(again) == np.shape(value)


def test_the_index_is_readable_json_with_the_kinds_inside(folder):
    target, _ = packed_in(folder, Stems({"voice": Audio(np.zeros(2), 8000)}))
    document = json.loads((target / INDEX).read_bytes())
    assert document["artifact"]["$artifact"] == "stems"
    assert document["artifact"]["parts"]["items"]["voice"]["$artifact"] == "audio"


@settings(max_examples=30, deadline=None)
@given(any_artifact)
def test_the_digest_of_the_kit_follows_content(artifact):
    assert digest(artifact) == digest(artifact.from_parts(artifact.parts()))
    assert digest([artifact]) != digest([artifact, Scores({})])


@settings(deadline=None, max_examples=30)
@given(artifacts.audio(frames=5, rate_hz=8000), artifacts.audio(frames=5, rate_hz=8000))
def test_a_stem_has_a_digest_of_its_own(one, other):
    with tempfile.TemporaryDirectory() as name:
        first = part_digests(packed_in(Path(name), Stems({"a": one, "b": other}))[0])
        second = part_digests(packed_in(Path(name), Stems({"b": one, "c": other, "a": one}))[0])
    assert first["a"] == second["a"] == second["b"]
    assert first["b"] == second["c"]
    # Bytes, not values: -0.0 equals 0.0, and is another sound to a digest.
    same = one.samples.shape == other.samples.shape and one.samples.tobytes() == other.samples.tobytes()
    assert (first["a"] == first["b"]) == same


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_scratch_on_another_file_system_is_copied(folder):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        path = Path(scratch) / "a.txt"
        path.write_text("a", encoding="utf-8")
        target, packed = packed_in(folder, Bundle({"a.txt": path}), movable=[Path(scratch)])
    verify(target, packed.digest)
