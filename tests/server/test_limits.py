"""The middlewares by themselves, in front of an application that waits."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.server.limits import DisconnectWatch

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}


class Client:
    """A client that sends a body and disconnects when told to."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.received: list[Message] = []
        self._has_sent = False

    async def receive(self) -> Message:
        if not self._has_sent:
            self._has_sent = True
            return {"type": "http.request", "body": b"picture", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.received.append(message)


def test_departure_cancels_the_answer_when_the_client_leaves() -> None:
    async def run() -> list[str]:
        client, events, is_working = Client(), [], asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            is_working.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                events.append("cancelled")
                raise

        request = asyncio.create_task(DisconnectWatch(app)(SCOPE, client.receive, client.send))
        await is_working.wait()
        client.leaves.set()
        await asyncio.wait_for(request, 5)
        assert client.received == []
        return events

    assert asyncio.run(run()) == ["cancelled"]


def test_departure_passes_the_answer_on_while_the_client_waits() -> None:
    async def run() -> list[Message]:
        client = Client()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert (await receive())["body"] == b"picture"
            await asyncio.sleep(0)
            await send({"type": "http.response.start", "status": 200})

        await asyncio.wait_for(DisconnectWatch(app)(SCOPE, client.receive, client.send), 5)
        return client.received

    assert asyncio.run(run()) == [{"type": "http.response.start", "status": 200}]


def test_departure_passes_errors_on() -> None:
    async def run() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise KeyError("broken")

        client = Client()
        await DisconnectWatch(app)(SCOPE, client.receive, client.send)

    with pytest.raises(KeyError, match="broken"):
        asyncio.run(run())


def test_departure_takes_the_answer_with_it_when_it_is_cancelled() -> None:
    async def run() -> list[str]:
        events: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            try:
                await asyncio.Event().wait()
            finally:
                events.append("ended")

        client = Client()
        request = asyncio.create_task(DisconnectWatch(app)(SCOPE, client.receive, client.send))
        for _ in range(5):
            await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        return events

    assert asyncio.run(run()) == ["ended"]
