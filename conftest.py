"""Test settings of the whole workspace: examples take the time they take, and the store is the tests' own."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ripieno", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ripieno")

# Two processes that fill Numba's cache at once spoil it: see ripieno_librosa.library.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "only")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent / ".pytest_cache" / "numba" / WORKER)


@pytest.fixture(scope="session", autouse=True)
def store_of_the_tests(tmp_path_factory):
    """Keep the user's store out of every run that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIPIENO_STORE", str(tmp_path_factory.mktemp("store")))
        yield
