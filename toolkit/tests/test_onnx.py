import subprocess
import sys

import numpy as np
import pytest

from ripieno.contracts import InputError
from ripieno.toolkit.onnx import onnx_session

runtime = pytest.importorskip("onnxruntime")


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protocol buffer, below 128 bytes: a number, or text, or a message."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    body = value.encode() if isinstance(value, str) else value
    assert len(body) < 128
    return bytes([number << 3 | 2, len(body)]) + body


def negation() -> bytes:
    """An ONNX model of one operator, y = -x, for float [3]."""
    shape = field(1, field(1, 3))
    kind = field(1, field(1, 1) + field(2, shape))
    x, y = (field(1, name) + field(2, kind) for name in "xy")
    node = field(1, "x") + field(2, "y") + field(4, "Neg")
    graph = field(1, node) + field(2, "negation") + field(11, x) + field(12, y)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "négation.onnx"
    path.write_bytes(negation())
    return path


@pytest.mark.parametrize("gpu", [True, False])
def test_a_network_is_run(model, gpu):
    session = onnx_session(model, distribution="ripieno-example", gpu=gpu)
    (y,) = session.run(None, {"x": np.array([1, 2, 3], np.float32)})
    np.testing.assert_array_equal(y, [-1, -2, -3])


def test_it_computes_by_what_is_there_and_on_one_thread(model):
    session = onnx_session(model, distribution="ripieno-example")
    wanted = [name for name in runtime.get_available_providers() if name.startswith(("CUDA", "CPU"))]
    assert session.get_providers() == wanted
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode == runtime.ExecutionMode.ORT_SEQUENTIAL
    without = onnx_session(model, distribution="ripieno-example", gpu=False)
    assert without.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_a_file_that_is_no_network_is_named_in_one_line(tmp_path, content):
    path = tmp_path / "weights.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.onnx: .+") as caught:
        onnx_session(path, distribution="ripieno-example")
    assert "\n" not in str(caught.value)


def test_without_onnxruntime_the_message_names_the_extras_of_who_needs_it():
    script = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path\n"
        "from ripieno.contracts import MissingError\n"
        "from ripieno.toolkit.onnx import onnx_session\n"
        "try:\n    onnx_session(Path('x.onnx'), distribution='ripieno-example')\n"
        "except MissingError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.count("\n") == 1
    assert 'pip install "ripieno-example[cpu]"' in done.stdout
