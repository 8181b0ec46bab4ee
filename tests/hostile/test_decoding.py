"""Pictures that keep a server busy: their cores are free when their clients have left or had their 504."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from app.decoding.processes import ARE_POSSIBLE, PROCESSES
from app.settings import Settings
from tests.browser.site import serve
from tests.conftest import encode, make_picture
from tests.decoding.pictures import make_large_webp, make_many_scans, make_slow_jpeg

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ARE_POSSIBLE, reason="decoding processes need Linux"),
]

DEADLINE_SECONDS = 3.0

CLIENTS = 10

ALLOWED_BYTES = 1_000_000_000
"""Of one decoding, see `app.decoding.child`."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serve(Settings(device="cpu", deadline_seconds=DEADLINE_SECONDS)) as address:
        send(address, encode(make_picture(40, 30)))
        yield address


def send(address: str, data: bytes) -> httpx2.Response:
    return httpx2.post(f"{address}/api/v1/analyses", files={"image": ("picture", data)}, timeout=60)


def hang_up(address: str, data: bytes, *, seconds: float) -> None:
    """Upload a picture and leave."""
    parts = urlsplit(address)
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="p"\r\n\r\n' + data + b"\r\n--b--\r\n"
    head = (
        "POST /api/v1/analyses HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(seconds)


class Watch:
    """Looks at the decoding processes while the context is open.

    Attributes:
        busy: the largest number of them that ran at once.
        memory: the largest memory of one of them, in bytes.
    """

    def __init__(self) -> None:
        self.busy = self.memory = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.01):
            found = find_children()
            self.busy = max(self.busy, len(found))
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    self.memory = max(self.memory, process.memory_info().rss)


SETTLE_SECONDS = 5


def find_children() -> list[psutil.Process]:
    assert PROCESSES._host is not None
    return psutil.Process(PROCESSES._host.pid).children()


def measure_seconds_on_cores() -> float:
    """The time that the decoding processes have spent on cores."""
    assert PROCESSES._host is not None
    host = psutil.Process(PROCESSES._host.pid).cpu_times()
    return host.children_user + sum(found.cpu_times().user for found in find_children())


@pytest.mark.parametrize("make", [make_large_webp, make_slow_jpeg])
def test_clients_that_leave_never_have_more_decodings_than_cores(site: str, make: Callable[[], bytes]) -> None:
    data = make()
    with Watch() as watch:
        clients = [threading.Thread(target=hang_up, args=(site, data), kwargs={"seconds": 0.1}) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        begin = time.monotonic()
        assert httpx2.get(f"{site}/healthz", timeout=60).is_success
        health_seconds = time.monotonic() - begin
        for client in clients:
            client.join()
        begin = time.monotonic()
        assert send(site, encode(make_picture(40, 30))).status_code == 201
        good_seconds = time.monotonic() - begin
    assert watch.busy <= (psutil.cpu_count() or 1)
    assert watch.memory < ALLOWED_BYTES
    assert health_seconds < 2
    assert good_seconds < DEADLINE_SECONDS


def wait_for_idle_cores() -> None:
    """Wait until nothing computes; a process that is not killed runs for 45 s."""
    # A killed process's time is the host's only when the host has buried it.
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        used = measure_seconds_on_cores()
        time.sleep(0.5)
        if measure_seconds_on_cores() - used < 0.1:
            break
        assert time.monotonic() < until


def test_deadline_frees_the_core(site: str) -> None:
    # A fast machine decodes as many scans as are allowed in 3 s.
    with serve(Settings(device="cpu", deadline_seconds=1)) as brief:
        answer = send(brief, make_slow_jpeg())
        assert answer.status_code == 504
        assert "within 1 s" in answer.json()["detail"]
        wait_for_idle_cores()
    assert send(site, encode(make_picture(40, 30))).status_code == 201


def test_absurd_number_of_scans_is_refused_at_once(site: str) -> None:
    begin = time.monotonic()
    answer = send(site, make_many_scans())
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "more than 100 scans, the limit; save it again" in answer.json()["detail"]
    assert time.monotonic() - begin < DEADLINE_SECONDS
