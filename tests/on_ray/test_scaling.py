"""More load starts another process with networks, and networks that do not answer give 504."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from tests.conftest import encode, make_picture
from tests.on_ray.site import Site, SiteClient, make_environment, run_server

pytestmark = pytest.mark.slow(rare=True)

CLIENTS = 8

DEADLINE_SECONDS = 5

SCALING_SECONDS = 300
"""Ray waits half a minute for the load to persist, then the new process imports torch."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environment = make_environment(
        CBAM_LENS_RAY_MIN_REPLICAS="1",
        CBAM_LENS_RAY_MAX_REPLICAS="2",
        CBAM_LENS_RAY_TARGET_WORKS="2",
        CBAM_LENS_RAY_REPLICA_CPUS="0.5",
        CBAM_LENS_DEADLINE_SECONDS=str(DEADLINE_SECONDS),
        CBAM_LENS_TRUSTED_HOSTS="testserver;127.0.0.1",
    )
    with run_server(environment, tmp_path_factory.mktemp("ray") / "log.txt") as site:
        yield site


def ask(site: Site, seed: int) -> httpx2.Response:
    with SiteClient(site.address) as client:
        return client.post("/api/v1/heatmap", files={"image": ("a", encode(make_picture(200, 160, seed=seed)))})


def test_queue_that_grows_brings_another_process_with_networks(site: Site) -> None:
    assert ask(site, 0).status_code == 200
    assert len(site.find_replicas("networks")) == 1
    is_over = threading.Event()
    statuses: list[int] = []

    def keep_asking(seed: int) -> None:
        while not is_over.is_set():
            statuses.append(ask(site, seed).status_code)

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(keep_asking, seed) for seed in range(CLIENTS)]
        until = time.monotonic() + SCALING_SECONDS
        try:
            while len(site.find_replicas("networks")) < 2:
                assert time.monotonic() < until, f"still one process after {len(statuses)} answers"
                time.sleep(0.5)
        finally:
            is_over.set()
        for one in asking:
            one.result(timeout=100)
    # Two cores are shared by many processes; late or refused requests get an error.
    assert set(statuses) <= {200, 503, 504}
    assert statuses.count(200) > CLIENTS


def test_networks_that_do_not_answer_in_time_are_504(site: Site) -> None:
    replicas = site.find_replicas("networks")
    for process in replicas:
        process.suspend()
    try:
        begin = time.monotonic()
        answer = ask(site, 1)
        seconds = time.monotonic() - begin
    finally:
        for process in replicas:
            process.resume()
    assert answer.status_code == 504, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert DEADLINE_SECONDS <= seconds < 3 * DEADLINE_SECONDS
    until = time.monotonic() + SCALING_SECONDS
    while ask(site, 1).status_code != 200:
        assert time.monotonic() < until, "pictures are not taken any more"
