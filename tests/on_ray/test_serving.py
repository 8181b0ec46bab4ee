"""The server on Ray: the contract of the plain server, and what happens when a part of it dies.

Tests of the contract that know the server by its answers alone are run again here, against two replicas of the
application and two with the networks. Those that look into the process, or want settings of their own, stay where they
are.
"""

import inspect
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import httpx2
import pytest

pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")

from tests.conftest import encode, make_picture
from tests.hostile import test_uploads
from tests.hostile.test_uploads import good  # noqa: F401  # a fixture
from tests.on_ray.site import Site, SiteClient, make_environment, run_server
from tests.routes import (
    test_analyses,
    test_blocks,
    test_camera,
    test_interventions,
    test_pictures,
    test_problems,
    test_sanity,
    test_sheets,
)
from tests.routes.conftest import analysis  # noqa: F401  # a fixture
from tests.routes.test_sheets import sheet  # noqa: F401  # a fixture

CONTRACT = (
    test_analyses, test_blocks, test_camera, test_interventions, test_pictures, test_problems, test_sanity, test_sheets,
    test_uploads,
)  # fmt: skip

KNOWN_BY_ANSWERS = frozenset({"client", "analysis", "sheet", "motorcycle", "pair", "good"})
"""The fixtures of a test that asks the running server and nothing else."""

LOOKS_INSIDE = frozenset({"test_memory_does_not_grow_and_no_upload_takes_much_for_a_moment"})
"""Wants the server in its own process, though no fixture says so."""

pytestmark = pytest.mark.skipif("CBAM_LENS_RAY_LONG" not in os.environ, reason="minutes long: CBAM_LENS_RAY_LONG=1")

QUEUE = 4
BATCH = 2

PICTURES = 12
CLIENTS = 6

RECOVERY_SECONDS = 300
"""A replica imports torch, beside everything else that this machine does."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environment = make_environment(
        CBAM_LENS_RAY_MIN_REPLICAS="2",
        CBAM_LENS_RAY_MAX_REPLICAS="2",
        CBAM_LENS_RAY_REPLICA_CPUS="0.5",
        CBAM_LENS_RAY_MIN_INGRESSES="2",
        CBAM_LENS_RAY_MAX_INGRESSES="2",
        CBAM_LENS_QUEUE_SIZE=str(QUEUE),
        CBAM_LENS_BATCH_SIZE=str(BATCH),
        CBAM_LENS_TRUSTED_HOSTS="testserver;127.0.0.1",
        CBAM_LENS_LOG_LEVEL="info",
    )
    with run_server(environment, tmp_path_factory.mktemp("ray") / "log.txt") as site:
        yield site


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[SiteClient]:
    with SiteClient(site.address) as client:
        yield client


def list_contract(module: ModuleType) -> Iterator[tuple[str, Callable[..., None]]]:
    """The tests of a module that can be asked of any server."""
    for name, function in vars(module).items():
        if not (name.startswith("test_") and inspect.isfunction(function)):
            continue
        given = {
            argument.strip()
            for mark in getattr(function, "pytestmark", ())
            if mark.name == "parametrize"
            for argument in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])
        }
        wanted = inspect.signature(function).parameters.keys() - given
        if wanted & {"client", "analysis"} and wanted <= KNOWN_BY_ANSWERS and name not in LOOKS_INSIDE:
            yield f"{name}__{module.__name__.rpartition('.')[2]}", function


for _module in CONTRACT:
    globals().update(list_contract(_module))


def test_most_of_the_contract_is_asked() -> None:
    asked = [name for module in CONTRACT for name, _ in list_contract(module)]
    assert len(asked) > 60
    assert any("camera" in name for name in asked)


def send(client: SiteClient, picture: bytes) -> httpx2.Response:
    return client.post("/api/v1/analyses", files={"image": ("picture", picture)})


def read_numbers(answer: dict[str, Any]) -> list[float]:
    """What tells one picture's answer from another's."""
    networks = [answer["networks"][name] for name in ("baseline", "cbam")]
    return [value for one in networks for value in (one["target_probability"], one["heat_map"]["max"])]


def check_refusal(answer: httpx2.Response) -> None:
    """503 as the contract has it."""
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


def test_log_has_no_analysis_address(site: Site, client: SiteClient, analysis: dict[str, Any]) -> None:  # noqa: F811
    found = client.get(f"/api/v1/analyses/{analysis['id']}")
    assert found.is_success
    wait_until(lambda: found.headers["x-request-id"] in site.log.read_text(), "the request has no line")
    assert analysis["id"] not in site.log.read_text()


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
