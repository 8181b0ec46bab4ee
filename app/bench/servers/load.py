"""The load client, which runs in its own process: `python -m app.bench.servers.load`.

It uses the standard library alone, so that it takes little of the machine that it shares with the server. Each client
is a thread with a persistent connection; it sends the next picture as soon as the last one is answered. The result is
one JSON object on standard output.
"""

import argparse
import http.client
import itertools
import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.api.links import ANALYSES, PREFIX

BOUNDARY = "cbam-lens-bench"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Accept": "application/json"}
PATH = PREFIX + ANALYSES
TIMEOUT_SECONDS = 60

HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="picture.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass(slots=True)
class LoadResult:
    """The clients' observations.

    Attributes:
        seconds: the time from the first request to the last answer.
        errors: the number of failed requests and broken connections.
        latencies_milliseconds: the latency of each successful request.
        messages: one message per kind of error.
    """

    seconds: float = 0.0
    errors: int = 0
    latencies_milliseconds: list[float] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def stamp_jpeg(jpeg: bytes, number: int) -> bytes:
    """Write a number into a JPEG, so that no answer can come from a cache.

    The number is a comment (ITU T.81, B.2.4.5) after the marker that every JPEG begins with.
    """
    text = b"%016d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]


class LoadClients:
    """Clients that send requests to one server, for some time or up to a number.

    Args:
        address: host:port.
        pictures: JPEG files, sent in turn.
        seconds: the time after which no request begins; None for no limit.
        requests: the number of requests in all; None for no limit.
    """

    def __init__(
        self, address: str, pictures: Sequence[bytes], *, seconds: float | None = None, requests: int | None = None
    ) -> None:
        self._address = address
        self._pictures = pictures
        self._seconds = seconds
        self._numbers = iter(itertools.count() if requests is None else range(requests))
        self._lock = threading.Lock()
        self._result = LoadResult()

    def run(self, clients: int) -> LoadResult:
        """Send requests with that many clients at once."""
        start = time.perf_counter()
        end = None if self._seconds is None else start + self._seconds
        threads = [threading.Thread(target=self._ask_until, args=(end,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._result.seconds = time.perf_counter() - start
        return self._result

    def _ask_until(self, end: float | None) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        while (end is None or time.perf_counter() < end) and (number := self._next()) is not None:
            self._ask(connection, number)
        connection.close()

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _ask(self, connection: http.client.HTTPConnection, number: int) -> None:
        # The stamp is the time, because the numbers begin again in every load client.
        body = HEAD + stamp_jpeg(self._pictures[number % len(self._pictures)], time.time_ns() % 10**16) + TAIL
        start = time.perf_counter()
        try:
            connection.request("POST", PATH, body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            problem = None if answer.status < 300 else f"status {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            # The next request opens the connection again.
            connection.close()
            problem = f"{type(error).__name__}: {error}"
        self._note((time.perf_counter() - start) * 1000, problem)

    def _note(self, milliseconds: float, problem: str | None) -> None:
        with self._lock:
            if problem is None:
                self._result.latencies_milliseconds.append(milliseconds)
                return
            self._result.errors += 1
            if problem not in self._result.messages:
                self._result.messages.append(problem)


def main() -> None:
    """Read the arguments, send the requests and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="host:port")
    parser.add_argument("directory", type=Path, help="folder of the JPEG files to send")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--requests", type=int)
    options = parser.parse_args()
    pictures = [path.read_bytes() for path in sorted(options.directory.glob("*.jpg"))]
    clients = LoadClients(options.address, pictures, seconds=options.seconds, requests=options.requests)
    json.dump(asdict(clients.run(options.clients)), sys.stdout)


if __name__ == "__main__":
    main()
