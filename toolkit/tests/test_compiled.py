import os
import subprocess
import sys

import numpy as np
import pytest

from ripieno.toolkit.compiled import Compiled

pytest.importorskip("numba")

_THREE = np.float32(3)


@Compiled
def triple(values, out):
    """Three times."""
    for i in range(out.shape[0]):
        out[i] = _times_three(values[i])


@Compiled
def _times_three(value):
    return value * _THREE


def test_a_loop_computes_what_python_would_and_may_call_another():
    values, out = np.arange(8, dtype=np.float32), np.empty(8, np.float32)
    for _ in range(2):
        triple(values, out)
        assert np.array_equal(out, 3 * values)


def test_it_keeps_its_name_and_documentation():
    assert triple.__name__ == "triple"
    assert triple.__doc__ == "Three times."


def test_nothing_is_compiled_until_a_loop_is_called():
    code = "import sys, ripieno.toolkit.compiled as c; c.Compiled(print); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_processes_that_start_together_find_or_make_the_same(tmp_path):
    (tmp_path / "together.py").write_text(
        "import numpy as np\n"
        "from ripieno.toolkit.compiled import Compiled\n\n\n"
        "@Compiled\n"
        "def double(values):\n"
        "    for i in range(values.shape[0]):\n"
        "        values[i] *= np.float32(2)\n"
    )
    code = "import numpy as np, together; v = np.ones(3, np.float32); together.double(v); print(v.sum())"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in started] == ["6.0", "6.0"]
    assert list((tmp_path / "cache").rglob("*.nbi"))
