"""Test settings of the whole workspace: examples take the time they take, and the store is the tests' own."""

import os

import pytest
from hypothesis import settings

settings.register_profile("ripieno", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ripieno")


@pytest.fixture(scope="session", autouse=True)
def store_of_the_tests(tmp_path_factory):
    """Keep the user's store out of every run that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIPIENO_STORE", str(tmp_path_factory.mktemp("store")))
        yield
