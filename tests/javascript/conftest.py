import os
import shutil

import pytest


@pytest.fixture(scope="session")
def node() -> str:
    """Node's path."""
    path = shutil.which("node")
    if path is None:
        reason = "no node on the search path; install nodejs"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
