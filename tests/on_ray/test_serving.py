"""The death of a part of the server on Ray; the tests of the contract check its answers."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from tests.conftest import encode, make_picture
from tests.on_ray.site import BATCH, QUEUE, Site, SiteClient

pytestmark = pytest.mark.slow

PICTURES = 12
CLIENTS = 6

RECOVERY_SECONDS = 300
"""A replica imports torch, beside everything else that this machine does."""


@pytest.fixture(scope="module")
def site(ray_site: Site) -> Site:
    return ray_site


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[SiteClient]:
    with SiteClient(site.address) as client:
        yield client


def send(client: SiteClient, picture: bytes) -> httpx2.Response:
    return client.post("/api/v1/analyses", files={"image": ("picture", picture)})


def read_numbers(answer: dict[str, Any]) -> list[float]:
    """The part of an answer that differs between pictures."""
    networks = [answer["networks"][name] for name in ("baseline", "cbam")]
    return [value for one in networks for value in (one["target_probability"], one["heat_map"]["max"])]


def check_refusal(answer: httpx2.Response) -> None:
    """Check that an answer is the contract's 503."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["status"] == 503


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + RECOVERY_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.5)


def test_answers_have_one_name_for_the_request(client: SiteClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": "mine"})
    assert answer.headers.get_list("x-request-id") == ["mine"]
    assert len(client.get("/healthz").headers.get_list("x-request-id")) == 1


def test_log_has_no_analysis_address(site: Site, client: SiteClient) -> None:
    analysis = send(client, encode(make_picture(200, 160))).json()
    found = client.get(f"/api/v1/analyses/{analysis['id']}")
    assert found.is_success
    wait_until(lambda: found.headers["x-request-id"] in site.log.read_text(), "the request has no line")
    assert analysis["id"] not in site.log.read_text()


def test_start_tells_of_rays_own_ports(site: Site) -> None:
    assert " ".join(site.log.read_text().split()).count("Ray listens at all addresses of this machine on ports") == 1


def test_overflow_of_the_queue_is_503_and_everything_else_is_answered(site: Site) -> None:
    picture = encode(make_picture(200, 200))

    def ask(_: int) -> httpx2.Response:
        with SiteClient(site.address) as client:
            return send(client, picture)

    # Two replicas each compute and receive a batch; both replicas of the application have a queue.
    count = 3 * (2 * 2 * BATCH + 2 * QUEUE)
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(ask, range(count)))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert refused
    for answer in refused:
        check_refusal(answer)
        assert answer.json()["detail"].startswith(f"{QUEUE} requests are waiting")
    assert len(answers) - len(refused) >= 2 * BATCH
    assert "backpressure" not in site.log.read_text()


def test_analysis_outlives_the_replicas_that_made_it(site: Site, client: SiteClient) -> None:
    made = send(client, encode(make_picture(160, 120, seed=5)))
    assert made.status_code == 201
    old = site.find_replicas("ingress")
    assert len(old) == 2
    for process in old:
        process.kill()
    wait_until(lambda: client.get("/readyz").status_code == 200, "the application did not come back")
    assert {process.pid for process in site.find_replicas("ingress")}.isdisjoint(process.pid for process in old)
    assert client.get(made.headers["location"]).json() == made.json()
    assert client.delete(made.headers["location"]).status_code == 204
    assert client.get(made.headers["location"]).status_code == 404


@pytest.mark.parametrize("deployment", ["networks", "ingress"])
def test_replica_killed_under_load_loses_no_request(site: Site, client: SiteClient, deployment: str) -> None:
    pictures = [encode(make_picture(180, 140, seed=seed)) for seed in range(PICTURES)]
    expected = [read_numbers(send(client, picture).json()) for picture in pictures]
    assert expected[0] != pytest.approx(expected[1], rel=1e-2)
    is_over = threading.Event()
    answers: list[tuple[int, httpx2.Response]] = []

    def ask(offset: int) -> None:
        with SiteClient(site.address) as own:
            for number in range(offset, 100_000, CLIENTS):
                if is_over.is_set():
                    return
                answers.append((number % PICTURES, send(own, pictures[number % PICTURES])))

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask, offset) for offset in range(CLIENTS)]
        try:
            wait_until(lambda: len(answers) > 2 * CLIENTS, "nothing was answered")
            (victim, other) = site.find_replicas(deployment)
            victim.kill()
            before = len(answers)
            wait_until(lambda: len(answers) > before + 5 * CLIENTS, "answers stopped")
        finally:
            is_over.set()
        # A hanging or broken connection raises here.
        for one in asking:
            one.result(timeout=200)
    taken = 0
    for picture, answer in answers:
        if answer.status_code != 201:
            check_refusal(answer)
            continue
        taken += 1
        assert read_numbers(answer.json()) == pytest.approx(expected[picture], rel=1e-3, abs=1e-5)
    assert taken > CLIENTS
    wait_until(lambda: len(site.find_replicas(deployment)) == 2, "no replica in place of the one that died")
    assert other.is_running()
    wait_until(lambda: send(client, pictures[0]).status_code == 201, "pictures are not taken any more")
