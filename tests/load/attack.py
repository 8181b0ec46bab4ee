"""A client that means harm, beside a load: `python -m tests.load.attack http://127.0.0.1:8000 --seconds 600`.

It runs six attacks in turn, over and over, from an address of its own (127.0.0.2), so that limits per client can tell
it from the others:

1. ten WebP pictures of 50 megapixels, whose clients hang up after 0.1 s;
2. JSON with as many rows as a body may hold, and a body of 4 MB;
3. a JPEG of 90 scans, and one of 6,000;
4. a hundred connections that say nothing;
5. eight bodies in chunks of one byte;
6. twenty clients that ask for a large map and never read it.

At the end it prints what the server answered; the answers are to be refusals, or what anybody may ask for.
"""

import argparse
import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from PIL import Image

from tests.decoding.pictures import encode, make_large_webp, make_many_scans, make_slow_jpeg

SOURCE = ("127.0.0.2", 0)

ANSWER_SECONDS = 60

NOTHING = "no answer"

BOUNDARY = b"--b\r\nContent-Disposition: form-data; name="


class Attacker:
    """Attacks one server.

    Args:
        address: the server's, as `http://HOST:PORT`.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._place = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._host = parts.netloc.encode()
        self.answers: dict[str, Counter[str]] = {}

    def run(self, seconds: float) -> None:
        """Attack until the time is over."""
        attacks: Sequence[Callable[[], list[str]]] = (
            self.leave_large_pictures,
            self.send_many_rows,
            self.send_slow_pictures,
            self.say_nothing,
            self.send_bytes,
            self.read_nothing,
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for attack in attacks:
                self.answers.setdefault(attack.__name__, Counter()).update(attack())

    def leave_large_pictures(self) -> list[str]:
        """Attack 1."""
        return self._at_once(10, lambda: self._upload(make_large_webp(), wait=0.1))

    def send_many_rows(self) -> list[str]:
        """Attack 2."""
        rows = json.dumps({"rows": [{"name": "a", "analysis": "b"}] * 6_500}).encode()
        bodies = (rows, b"[" + b"1," * 2_000_000 + b"1]")
        return [self._post("/sheets/rows", "application/json", body) for body in bodies]

    def send_slow_pictures(self) -> list[str]:
        """Attack 3."""
        return [
            self._upload(make_slow_jpeg(), wait=ANSWER_SECONDS),
            self._upload(make_many_scans(), wait=ANSWER_SECONDS),
        ]

    def say_nothing(self) -> list[str]:
        """Attack 4; what is counted are connections that the server ended."""
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(self._connect()) for _ in range(100)]
            time.sleep(2)
            return [_read_status(connection, wait=0.01) for connection in silent]

    def send_bytes(self) -> list[str]:
        """Attack 5."""
        head = b"POST /api/v1/heatmap HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n" % self._host
        head += b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        return self._at_once(8, lambda: self._send(head + b"1\r\n-\r\n" * 200_000, wait=ANSWER_SECONDS))

    def read_nothing(self) -> list[str]:
        """Attack 6."""
        picture = encode(make_noise(2_400, 1_800), "JPEG", quality=60)
        request = self._form("/api/v1/heatmap?render=overlay&opacity=0.1", picture)
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(self._connect())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                with contextlib.suppress(OSError):
                    connection.sendall(request)
            time.sleep(5)
        return []

    def _at_once(self, count: int, act: Callable[[], str]) -> list[str]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: act(), range(count)))

    def _upload(self, data: bytes, *, wait: float) -> str:
        return self._send(self._form("/api/v1/analyses", data), wait=wait)

    def _form(self, path: str, data: bytes) -> bytes:
        body = BOUNDARY + b'"image"; filename="p"\r\n\r\n' + data + b"\r\n--b--\r\n"
        return self._head(path, "multipart/form-data; boundary=b", len(body)) + body

    def _post(self, path: str, media_type: str, body: bytes) -> str:
        return self._send(self._head(path, media_type, len(body)) + body, wait=ANSWER_SECONDS)

    def _head(self, path: str, media_type: str, size: int) -> bytes:
        lines = f"Content-Type: {media_type}\r\nContent-Length: {size}\r\n\r\n".encode()
        return b"POST %s HTTP/1.1\r\nHost: %s\r\n" % (path.encode(), self._host) + lines

    def _send(self, request: bytes, *, wait: float) -> str:
        with self._connect() as connection:
            # A server that refuses early may end the connection while the rest is sent.
            with contextlib.suppress(OSError):
                connection.sendall(request)
            return _read_status(connection, wait=wait)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[socket.socket]:
        with contextlib.ExitStack() as stack:
            connection = socket.socket()
            stack.enter_context(connection)
            connection.settimeout(ANSWER_SECONDS)
            connection.bind(SOURCE)
            with contextlib.suppress(OSError):
                connection.connect(self._place)
            yield connection


def _read_status(connection: socket.socket, *, wait: float) -> str:
    connection.settimeout(wait)
    try:
        line = connection.recv(4_096).split(b"\r\n")[0].decode(errors="replace")
    except TimeoutError:
        return NOTHING
    except OSError as error:
        return type(error).__name__
    return line.partition(" ")[2] or "ended"


def make_noise(width: int, height: int) -> Image.Image:
    """A picture whose maps are large files."""
    return Image.effect_noise((width, height), 80).convert("RGB")


def main() -> None:
    """Read the command line, attack, and print the answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="the server's, as http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=float, default=600, help="how long; 600 by default")
    arguments = parser.parse_args()
    attacker = Attacker(arguments.address)
    attacker.run(arguments.seconds)
    for name, answers in attacker.answers.items():
        print(f"{name}: {', '.join(f'{count} x {status}' for status, count in answers.most_common())}")  # noqa: T201


if __name__ == "__main__":
    main()
