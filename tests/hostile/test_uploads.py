"""Every hostile upload gets its status, nothing is lost, and the next good picture gets the right answer."""

import gc
import json
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from fastapi.testclient import TestClient

from app.routes.dependencies import MULTIPLE
from app.settings import Settings
from tests.browser.site import serve
from tests.conftest import encode, make_picture
from tests.contract import IN_PROCESS
from tests.hostile.corpus import GOOD, Sample, list_samples
from tests.on_ray.site import ON_RAY

GROWTH_BYTES = 200_000_000

SLOW_DEADLINE_SECONDS = 2.0

SAMPLES = list(list_samples())

USUAL = 3
"""Every third sample is sent in every run, the others with the slow tests."""


def send(client: TestClient, sample: Sample) -> tuple[int, dict[str, Any]]:
    """The status of the answer, and its problem if it has one."""
    files = {"image": (sample.file_name, sample.data, sample.media_type)}
    answer = client.post("/api/v1/heatmap", files=files)
    if answer.is_success:
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
        return answer.status_code, {}
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def good(client: TestClient) -> bytes:
    """The answer to a good picture."""
    answer = client.post("/api/v1/heatmap", files={"image": encode(make_picture(40, 30))})
    assert answer.status_code == GOOD
    return answer.content


@pytest.mark.parametrize(
    ("client", "sample"),
    [
        *(
            pytest.param(
                IN_PROCESS,
                sample,
                id=f"{IN_PROCESS}-{sample.name}",
                marks=pytest.mark.slow if position % USUAL else (),
            )
            for position, sample in enumerate(SAMPLES)
        ),
        *(pytest.param(ON_RAY, sample, id=f"{ON_RAY}-{sample.name}", marks=pytest.mark.slow) for sample in SAMPLES),
    ],
    indirect=["client"],
    scope="session",
)
def test_upload_gets_its_status_and_the_next_one_is_right(client: TestClient, good: bytes, sample: Sample) -> None:
    status, problem = send(client, sample)
    if sample.status:
        assert status == sample.status, problem
    else:
        assert status in {200, 400}
    if problem:
        assert problem["status"] == status
        assert ";" in problem["detail"], "the rule, then the remedy"
        assert len(problem["detail"]) < 1000
    answer = client.post("/api/v1/heatmap", files={"image": encode(make_picture(40, 30))})
    assert answer.content == good


@pytest.mark.slow(rare=True)
def test_memory_does_not_grow_and_no_upload_takes_much_for_a_moment(local_client: TestClient) -> None:
    for sample in SAMPLES[:10]:
        send(local_client, sample)
    gc.collect()
    before = psutil.Process().memory_info().rss
    taken = {sample.name: measure_peak(partial(send, local_client, sample)) for sample in SAMPLES}
    gc.collect()
    assert psutil.Process().memory_info().rss - before < GROWTH_BYTES
    assert {name: growth for name, growth in taken.items() if growth > GROWTH_BYTES} == {}


def measure_peak(act: Callable[[], object]) -> int:
    """The largest growth of this process in bytes during a call; 0 if the system does not report it."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        act()
        return 0
    before = psutil.Process().memory_info().rss
    reset.write_text("5")
    act()
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 - before


def test_peak_of_memory_is_seen_after_it_is_over() -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system does not tell a process's highest use of memory")
    assert measure_peak(lambda: len(b"x" * GROWTH_BYTES)) > 0.8 * GROWTH_BYTES


def test_form_without_a_picture_says_so(client: TestClient) -> None:
    picture = ("p.png", encode(make_picture(40, 30)))
    for content, sentence in (
        ({"target": (None, "3")}, "image is missing; send it"),
        ({"picture": picture}, "send it in the field image"),
    ):
        answer = client.post("/api/v1/heatmap", files=content)
        assert answer.status_code == 422
        assert sentence in answer.json()["detail"]
