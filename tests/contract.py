"""Who is asked by the tests of the contract: a server in this process, and in the slow run one on Ray.

A folder whose tests know a server by its answers alone imports `client` into its conftest. Tests that look into the
process take `local_client`; those that want settings of their own make an application of their own.
"""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from fastapi.testclient import TestClient

from tests.conftest import skip_here
from tests.on_ray.site import ON_RAY, SiteClient

IN_PROCESS = "in process"

SERVERS = (IN_PROCESS, pytest.param(ON_RAY, marks=pytest.mark.slow))


def require_ray() -> None:
    """Skip a test where Ray is not installed; in CI that is a failure."""
    if find_spec("ray") is None:
        skip_here("Ray is not installed: uv sync --extra ray")


@pytest.fixture(scope="session", params=SERVERS)
def client(request: pytest.FixtureRequest) -> Iterator[TestClient | SiteClient]:
    """A client of a server that is known only by its answers."""
    if request.param != ON_RAY:
        yield request.getfixturevalue("local_client")
        return
    require_ray()
    with SiteClient(request.getfixturevalue("ray_site").address) as client:
        yield client
