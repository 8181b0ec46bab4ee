"""The server on Ray starts as the README says, or gives the reason in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from tests.conftest import ROOT, encode, make_picture
from tests.on_ray.site import PROGRAM, START_SECONDS, SiteClient, make_environment, run_server

ONE_OF_EACH = {"CBAM_LENS_RAY_MAX_REPLICAS": "1", "CBAM_LENS_RAY_MAX_INGRESSES": "1"}


pytestmark = pytest.mark.slow(rare=True)


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_server_starts_under_uv_run(tmp_path: Path) -> None:
    environment = make_environment(
        **ONE_OF_EACH,
        CBAM_LENS_TRUSTED_HOSTS="testserver;127.0.0.1",
        CBAM_LENS_LOG_LEVEL="info",
        UV_NO_SYNC="1",
    )
    log = tmp_path / "log.txt"
    with run_server(environment, log, program=("uv", "run", *PROGRAM)) as site, SiteClient(site.address) as client:
        made = client.post("/api/v1/analyses", files={"image": ("a", encode(make_picture(200, 160)))})
        assert made.status_code == 201, made.text
        assert client.get(made.headers["location"]).json() == made.json()
    lines = log.read_text().splitlines()
    assert len([line for line in lines if line.startswith(("resnet18-110: ", "CBAM Lens is ready"))]) == 2
    # The replicas' lines, which come through Ray.
    assert [line for line in lines if f"[{made.headers['x-request-id']}]" in line]


def test_networks_that_do_not_start_are_one_line() -> None:
    # No machine has that many; the settings are read and the networks loaded here without checking.
    environment = make_environment(**ONE_OF_EACH, CBAM_LENS_DEVICE="cuda:99")
    ran = subprocess.run(  # noqa: S603
        [*PROGRAM, "serve", "--on", "ray", "--port", "0"],
        cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=START_SECONDS,
    )  # fmt: skip
    assert ran.returncode == 2
    (line,) = (line for line in ran.stderr.splitlines() if line.startswith("cbam-lens: "))
    assert line.startswith("cbam-lens: the processes of networks do not start on Ray: ")
    assert "device is cuda:99, but torch sees" in line
