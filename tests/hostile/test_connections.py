"""Connections of clients that mean harm: their work, memory and time are bounded, and others are answered."""

import asyncio
import contextlib
import errno
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.server.connections import protocol, transport
from app.server.connections.parser import HEAD_BYTES
from app.server.connections.places import Places
from app.server.connections.protocol import LensProtocol
from app.server.connections.transport import ClientTransport
from app.server.connections.websocket import LensWebSocket
from app.server.limits import AnswerLimit, DisconnectWatch

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer(scope: Scope, receive: Receive, send: Send, *, body: bytes = b"fine") -> None:
    """Read the body, except at `/refuse`; then answer with the number of its bytes, or with a given body."""
    size = 0
    while scope["path"] != "/refuse":
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    text = b"%d" % size if scope["method"] == "POST" else body
    status = 413 if scope["path"] == "/refuse" else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@contextlib.asynccontextmanager
async def serve(app: Any = answer, *, most: int = 100) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """A server of an application, and what connects to it."""
    http = cast("type[LensProtocol]", partial(LensProtocol, places=Places(most)))
    config = uvicorn.Config(
        app, http=http, ws=LensWebSocket, lifespan="off", log_config=None, port=0, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    port = server.servers[0].sockets[0].getsockname()[1]
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in writers:
            writer.transport.abort()
        server.should_exit = True
        await ticking
        await server.shutdown()


async def ask(client: Client, request: bytes = GET) -> bytes:
    """The head of the answer to a request."""
    reader, writer = client
    writer.write(request)
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)


async def ends(client: Client) -> bytes:
    """Everything until the connection ends; a reset ends it too."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(client[0].read(), 5)
    return b""


def chunk(size: int, count: int) -> bytes:
    return (b"%x\r\n" % size + bytes(size) + b"\r\n") * count


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_body_in_small_chunks_is_refused_and_others_are_answered_meanwhile() -> None:
    async def run() -> tuple[bytes, float]:
        async with serve() as connect:
            clients = [await connect() for _ in range(8)]
            for _, writer in clients:
                writer.write(CHUNKED + chunk(1, 40_000))
            await asyncio.sleep(0)
            begin = time.thread_time()
            assert b"200" in await ask(await connect())
            seconds = time.thread_time() - begin
            return await ends(clients[0]), seconds

    text, seconds = asyncio.run(run())
    assert text.startswith(b"HTTP/1.1 400")
    # With no limit, each of the eight held the loop for seconds.
    assert seconds < 1


def test_ordinary_chunks_are_read_to_the_last() -> None:
    async def run() -> list[bytes]:
        async with serve() as connect:
            client = await connect()
            answers = []
            for size, count in ((1, 900), (100, 3000), (65_536, 20)):
                await ask(client, CHUNKED + chunk(size, count) + b"0\r\n\r\n")
                answers.append(await client[0].readexactly(len(b"%d" % (size * count))))
            return answers

    assert asyncio.run(run()) == [b"900", b"300000", b"1310720"]


@pytest.mark.parametrize("close", [b"Connection: close\r\n", b""])
def test_refusal_arrives_while_the_client_still_sends(close: bytes) -> None:
    async def run() -> bytes:
        async with serve() as connect:
            client = await connect()
            size = 30_000_000
            client[1].write(b"POST /refuse HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n" % (close, size))
            # As a client that reads nothing before all is sent.
            for _ in range(30):
                client[1].write(bytes(size // 30))
                await client[1].drain()
            return await ends(client)

    text = asyncio.run(run())
    assert text.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in text.lower()


class LostTransport(asyncio.Transport):
    """asyncio's transport of a client that has reset its connection.

    Attributes:
        is_known: whether asyncio has noticed.
        is_aborted: whether it was told to end.
        written: what it was given to send.
    """

    def __init__(self, *, is_known: bool) -> None:
        super().__init__()
        self.is_known, self.is_aborted, self.written = is_known, False, b""

    def is_closing(self) -> bool:
        return self.is_known

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.is_aborted = True


async def wrap(inner: asyncio.Transport) -> ClientTransport:
    return ClientTransport(inner, lambda: True, asyncio.get_running_loop())


def test_refused_client_that_has_reset_its_connection_is_no_error() -> None:
    inner = LostTransport(is_known=False)
    asyncio.run(wrap(inner)).close()
    assert inner.is_aborted


def test_rest_of_an_answer_is_not_sent_to_a_client_that_has_gone() -> None:
    # asyncio would log a line for each piece of it.
    gone, here = LostTransport(is_known=True), LostTransport(is_known=False)
    for inner in (gone, here):
        asyncio.run(wrap(inner)).write(b"answer")
    assert (gone.written, here.written) == (b"", b"answer")


def test_refused_body_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LINGER_BYTES", 1_000_000)

    async def run() -> int:
        async with serve() as connect:
            client = await connect()
            await ask(client, b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n")
            for number in range(100):
                client[1].write(bytes(1_000_000))
                try:
                    await client[1].drain()
                except ConnectionError:
                    return number
            return 100

    assert asyncio.run(run()) < 50


def test_connection_without_headers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)

    async def run() -> list[bytes]:
        async with serve() as connect:
            silent, slow, second = [await connect() for _ in range(3)]
            slow[1].write(b"GET / HTTP/1.1\r\nHost")
            assert b"200" in await ask(second)
            await second[0].readexactly(4)
            second[1].write(b"GET /")
            return [await ends(client) for client in (silent, slow, second)]

    assert asyncio.run(run()) == [b"", b"", b""]


def test_connection_between_requests_stays_longer_than_headers_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)

    async def run() -> bytes:
        async with serve() as connect:
            client = await connect()
            await ask(client)
            await client[0].readexactly(4)
            await asyncio.sleep(0.1)
            return await ask(client)

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("soft", "hard", "least", "most"), [(64, 64, 4, 39), (64, 4096, 3000, 4071)])
def test_places_stay_below_the_limit_of_descriptors(soft: int, hard: int, least: int, most: int) -> None:
    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from app.server.connections.places import count_places
print(count_places(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # a fixed command
    places, now, _ = map(int, told.stdout.split())
    assert least <= places <= most
    # A soft limit that may be raised is raised.
    assert now == hard


def test_new_connection_takes_the_place_of_the_oldest_idle_one(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with serve(most=5) as connect:
            idle = [await connect() for _ in range(50)]
            assert b"200" in await ask(await connect())
            assert await ends(idle[0]) == b""
            assert b"200" in await ask(idle[-1])

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert [record.message for record in caplog.records if "limit" in record.message] == [
        "5 connections are open, the limit; new ones take the places of idle ones"
    ]


def test_connection_is_refused_while_all_places_are_busy() -> None:
    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def run() -> bytes:
        async with serve(DisconnectWatch(wait), most=2) as connect:
            for _ in range(2):
                _, writer = await connect()
                writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            await asyncio.sleep(0.05)
            return await ends(await connect())

    assert asyncio.run(run()).startswith(b"HTTP/1.1 503")


def test_long_headers_are_refused_however_they_come() -> None:
    async def run() -> list[bytes]:
        async with serve() as connect:
            long = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a:b\r\n" * (HEAD_BYTES // 2) + b"\r\n"
            client = await connect()
            client[1].write(long)
            pipelined = await connect()
            pipelined[1].write(GET + long)
            return [await ends(client), await ends(pipelined)]

    alone, second = asyncio.run(run())
    assert alone.startswith(b"HTTP/1.1 400")
    assert b"HTTP/1.1 200" in second
    assert b"HTTP/1.1 400" in second


def test_client_that_does_not_read_loses_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(transport, "SLOWEST_BYTES_PER_SECOND", 10_000_000)
    ended = asyncio.Event()

    async def send_much(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send, body=bytes(30_000_000))
        ended.set()

    async def run() -> int:
        async with serve(AnswerLimit(send_much, answer_bytes=1e9)) as connect:
            _, writer = await connect()
            writer.write(GET)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.wait_for(ended.wait(), 5)
            # One that reads gets all.
            reader, writer = await connect()
            await ask((reader, writer))
            return len(await reader.readexactly(30_000_000))

    assert asyncio.run(run()) == 30_000_000


def test_large_answer_is_refused_while_too_many_wait_for_their_clients() -> None:
    async def run() -> list[int]:
        release = asyncio.Event()
        statuses: list[int] = []

        async def send_slowly(message: Message) -> None:
            await release.wait()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope: Scope = {"type": "http", "method": "GET", "path": "/api/", "headers": [], "query_string": b""}
        limit = AnswerLimit(partial(answer, body=bytes(3_000_000)), answer_bytes=5_000_000)

        async def start_first(message: Message) -> None:
            if message["type"] == "http.response.body":
                await release.wait()

        first = asyncio.create_task(limit(scope, receive, start_first))
        await asyncio.sleep(0)
        await limit(scope, receive, note)
        await limit({**scope, "method": "POST"}, receive, note)
        release.set()
        await first
        await limit(scope, receive, note)
        return statuses

    assert asyncio.run(run()) == [503, 200, 200]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_client_that_sends_nothing_more_is_answered(version: bytes) -> None:
    async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.1)
        await answer(scope, receive, send)

    async def run() -> bytes:
        async with serve(DisconnectWatch(answer_late)) as connect:
            client = await connect()
            client[1].write(b"POST / HTTP/%s\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" % version)
            client[1].write_eof()
            return await ends(client)

    text = asyncio.run(run())
    assert b"HTTP/1.1 200" in text
    assert text.endswith(b"\r\n\r\n4")


def test_client_that_has_gone_is_noticed() -> None:
    cancelled = asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def run() -> None:
        async with serve(DisconnectWatch(work)) as connect:
            _, writer = await connect()
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            await asyncio.sleep(0.05)
            writer.close()
            await asyncio.wait_for(cancelled.wait(), 5)

    asyncio.run(run())


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


async def talk(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept a WebSocket and read all of its messages."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(b"X: " + b"a" * 9_000 + b"\r\n", id="long line"),
        pytest.param(b"X: y\r\n" * 130, id="many lines"),
        pytest.param(b"Content-Length: 5\r\n", id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", id="chunks"),
    ],
)
def test_head_that_no_websocket_has_is_answered(more: bytes) -> None:
    async def run() -> tuple[bytes, bytes]:
        async with serve(talk) as connect:
            good, bad = await connect(), await connect()
            bad[1].write(UPGRADE + more + b"\r\n")
            return await ask(good, UPGRADE + b"\r\n"), await ends(bad)

    good, bad = asyncio.run(run())
    assert good.startswith(b"HTTP/1.1 101")
    assert bad.startswith(b"HTTP/1.1 400")
    assert b"at most 128 headers" in bad


def test_server_ends_in_order_beside_a_websocket_of_which_nobody_heard() -> None:
    async def run() -> None:
        async with serve(talk) as connect:
            _, writer = await connect()
            writer.write(UPGRADE + b"X: " + b"a" * 9_000 + b"\r\n\r\n")
            await asyncio.sleep(0.05)
            # The end of the context ends the server while this client still keeps its side open.

    asyncio.run(run())


def test_message_that_is_no_text_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> bytes:
        async with serve(talk) as connect:
            client = await connect()
            await ask(client, UPGRADE + b"\r\n")
            client[1].write(b"\x81\x82\0\0\0\0\xff\xfe")
            return await ends(client)

    # A frame that closes the connection, with the code of bytes that are no text.
    assert asyncio.run(run())[:4] == b"\x88\x02" + (1007).to_bytes(2, "big")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
