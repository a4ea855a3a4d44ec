"""The sample libraries of the tests: those named by RIPIENO_DATA, else those beside the checkout.

Makes `tiny_sfz`, a library made for the tests, importable.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

BESIDE = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def data_of_the_tests():
    with pytest.MonkeyPatch.context() as patch:
        if "RIPIENO_DATA" not in os.environ:
            patch.setenv("RIPIENO_DATA", str(BESIDE))
        yield


@pytest.fixture(scope="session")
def libraries(data_of_the_tests) -> Path:
    path = Path(os.environ["RIPIENO_DATA"]) / "sfz"
    if not path.is_dir():
        pytest.skip("no sample libraries: set RIPIENO_DATA")
    return path
