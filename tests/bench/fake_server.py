"""A server that is ready at once and fails every third request; `python fake_server.py` runs it as a process."""

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

FAILS_EVERY = 3


class FakeServer(ThreadingHTTPServer):
    """Counts requests, and answers every third one with 503."""

    daemon_threads = True
    # All simultaneous connections are accepted; the library's default is five, and it would reset the others.
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.lock = Lock()
        self.numbers = itertools.count(1)
        self.bodies: list[bytes] = []

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.server_address[1]}"


class FakeHandler(BaseHTTPRequestHandler):
    """Serve one connection, which stays open."""

    protocol_version = "HTTP/1.1"
    server: FakeServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            number = next(self.server.numbers)
            self.server.bodies.append(body)
        self.send_response(503 if number % FAILS_EVERY == 0 else 201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Log nothing."""


@contextmanager
def run_fake_server() -> Iterator[FakeServer]:
    """A fake server in a thread."""
    with FakeServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with FakeServer() as server:
        sys.stderr.write(f"CBAM Lens is ready: http://{server.address} (Ctrl+C ends it)\n")
        server.serve_forever()
