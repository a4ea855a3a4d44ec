import hashlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Asset, InputError, MissingError, PluginRef
from ripieno.toolkit.checkpoints import check_digits, name_and_digits, weights_file

ASSET = Asset(version="1", url="https://example.org/net.onnx", licence="MIT", commercial=True)
CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def found(weights) -> Path:
    return weights_file(weights, such_as="net.onnx (1 MB, MIT)", asset="net")


def test_weights_are_a_path_or_an_asset_that_was_looked_up(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(CONTENT)
    assert found(path) == found(PluginRef.of(ASSET.at(path))) == path


@pytest.mark.parametrize(
    ("place", "said"), [("folder", "is a folder"), ("none", "no such file"), ("link", "no such file")]
)
def test_a_place_without_weights_is_named_with_what_would_do(tmp_path, place, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(MissingError, match=rf"{place}: {said}.*1 MB, MIT.*core models show net") as caught:
        found(tmp_path / place)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("digits", [DIGEST[:8], DIGEST[:16], DIGEST])
def test_a_name_is_held_to_its_digits(tmp_path, digits):
    path = tmp_path / f"net-{digits}.th"
    path.write_bytes(CONTENT)
    check_digits(path)
    path.write_bytes(CONTENT + b".")
    with pytest.raises(InputError, match=f"its name says {digits}"):
        check_digits(path)


@pytest.mark.parametrize("name", ["net.th", "my-net.th", "net-3.th", "net-12345678x.th", "deadbeef.th"])
def test_other_names_promise_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(CONTENT)
    check_digits(tmp_path / name)
    assert name_and_digits(Path(name)) == (Path(name).stem, "")


@given(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), st.from_regex(r"[0-9a-f]{8,64}", fullmatch=True)
)
def test_name_and_digits_are_told_apart(name, digits):
    assert name_and_digits(Path(f"{name}-{digits}.th")) == (name, digits)
