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


def test_two_pictures_are_one_too_many(client: TestClient) -> None:
    picture = encode(make_picture(40, 30))
    answer = client.post("/api/v1/heatmap", files=[("image", picture), ("image", picture)])
    assert answer.status_code == 422
    assert answer.json()["detail"] == MULTIPLE


@pytest.fixture(scope="module")
def slow_site() -> Iterator[tuple[str, int]]:
    """Host and port of a real server whose deadline is short."""
    with serve(Settings(device="cpu", deadline_seconds=SLOW_DEADLINE_SECONDS)) as address:
        parts = urlsplit(address)
        yield str(parts.hostname), int(parts.port or 0)


def make_request(body: bytes, *, declared: int) -> bytes:
    """An upload's head, with a length that need not be the body's."""
    head = (
        "POST /api/v1/heatmap HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {declared}\r\n\r\n"
    )
    return head.encode() + body


def make_body() -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n'
    return head + encode(make_picture(40, 30)) + b"\r\n--b--\r\n"


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read an answer to its end; returns its status and body, or (0, b"") for no answer."""
    connection.settimeout(SLOW_DEADLINE_SECONDS + 20)
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
        head, end, body = received.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0
        )
        if end and len(body) >= length:
            break
    if not received:
        return 0, b""
    return int(received.split(b" ", 2)[1]), received.partition(b"\r\n\r\n")[2]


def ask_well(site: tuple[str, int]) -> int:
    """The status of a good request."""
    body = make_body()
    with socket.create_connection(site) as connection:
        connection.sendall(make_request(body, declared=len(body)))
        return read_answer(connection)[0]


def test_body_that_is_shorter_than_it_says_ends_with_the_connection(slow_site: tuple[str, int]) -> None:
    body = make_body()
    with socket.create_connection(slow_site) as connection:
        connection.sendall(make_request(body, declared=len(body) + 1000))
        connection.shutdown(socket.SHUT_WR)
        assert read_answer(connection)[0] in {0, 400}
    assert ask_well(slow_site) == GOOD


def test_body_that_is_longer_than_it_says_is_cut_there(slow_site: tuple[str, int]) -> None:
    body = make_body()
    with socket.create_connection(slow_site) as connection:
        connection.sendall(make_request(body, declared=len(body) - 40) + b"GET / HTTP/1.1\r\n\r\n")
        # The form ends before the picture does.
        assert read_answer(connection)[0] == 422
    assert ask_well(slow_site) == GOOD


def test_client_that_sends_a_byte_a_second_is_answered_at_the_deadline(slow_site: tuple[str, int]) -> None:
    body = make_body()
    with socket.create_connection(slow_site) as connection:
        begin = time.monotonic()
        connection.sendall(make_request(b"", declared=len(body)))
        for byte in body[: int(SLOW_DEADLINE_SECONDS)]:
            connection.sendall(bytes([byte]))
            # The server answers others meanwhile.
            assert ask_well(slow_site) == GOOD
            time.sleep(1)
        status, content = read_answer(connection)
    assert status == 504
    assert "within 2 s" in json.loads(content)["detail"]
    assert time.monotonic() - begin < SLOW_DEADLINE_SECONDS + 10
    assert ask_well(slow_site) == GOOD
