"""uvicorn's protocol of one connection, with limits of time, work and memory."""

import asyncio
import socket
from typing import Any, cast

import h11
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER, FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.server.connections.parser import Parser
from app.server.connections.places import Places
from app.server.connections.transport import ClientTransport

HEAD_SECONDS = 15.0
"""The time for a request's line and headers, from the connection or from their first byte."""

DEPARTURE_SECONDS = 0.25
"""The time between two looks whether a client that sends nothing more has gone altogether."""

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nall connections are taken; try again in 5 s"
)


class LensProtocol(H11Protocol):
    """One connection.

    Args:
        config: uvicorn's.
        server_state: uvicorn's.
        app_state: uvicorn's.
        places: the places for all connections.
    """

    transport: ClientTransport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        places: Places,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._places = places
        self._parser = self.conn = Parser()
        self._inner_app = self.app
        self.app = self._answer
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_body_dropped = self._is_broken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place and wait for a request."""
        client = ClientTransport(cast("asyncio.Transport", transport), self._is_unread, self.loop)
        super().connection_made(client)
        self.flow = _Flow(client, self._parser)
        if not self._places.admit(self.connections):
            client.write(FULL)
            client.close()
            return
        self._places.idle(self)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place."""
        self._stop_awaiting_head()
        self._places.occupy(self)
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Leave the place to another connection."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse what the client sends, unless its request is already answered."""
        if self._is_body_dropped or self.transport.is_closing():
            self.transport.drop(data)
            return
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        super().data_received(data)

    def handle_events(self) -> None:
        """Handle the events of one turn; the rest waits until others had theirs."""
        self._parser.begin_turn()
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._stop_awaiting_head()
            self._places.occupy(self)
        if self._parser.is_resting:
            self.transport.pause_reading()
            self.loop.call_soon(self._go_on)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over; a WebSocket has limits of its own."""
        self._stop_awaiting_head()
        self._places.occupy(self)
        # The other protocol belongs to asyncio's transport, whose events it gets from now on.
        self.transport = self.transport.inner  # type: ignore[assignment]
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, if it is not answered yet, and end the connection."""
        self._is_broken = True
        if self._is_answering():
            # The application hears that this client is gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if not self.transport.is_closing():
            self._places.idle(self)
        super().on_response_complete()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's own type; uvicorn never keeps one
        """Keep the connection of a client that has sent its request and only reads from now on."""
        if self.transport.is_closing() or not self._is_answering() or self._is_unread():
            return False
        self.cycle.keep_alive = False
        self._probe()
        return True

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; an answer before the body's end is the connection's last."""

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_unread():
                message = {**message, "headers": [*message.get("headers", ()), CLOSE_HEADER]}
                self._is_body_dropped = True
                self.flow.resume_reading()
            await send(message)

        await self._inner_app(scope, receive, send_last)

    def _is_answering(self) -> bool:
        # uvicorn's type leaves out that there is none before the first request.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _is_unread(self) -> bool:
        return self._is_broken or self.conn.their_state is h11.SEND_BODY

    def _go_on(self) -> None:
        if self.transport.is_closing() or self._is_body_dropped:
            self.transport.resume_reading()
            return
        self.handle_events()
        if not self._parser.is_resting and not self.flow.read_paused:
            self.transport.resume_reading()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.give_up)

    def _stop_awaiting_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _probe(self) -> None:
        """Find out whether the client has gone: its system then answers the next bytes with a reset.

        Both a client that only reads and one that has gone send the same end. `100 Continue` says nothing new, and
        every client of HTTP/1.1 skips it.
        """
        if self.scope["http_version"] == "1.1" and not self.cycle.response_started:
            self.transport.write(self.conn.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        self.loop.call_later(DEPARTURE_SECONDS, self._look_for_departure)

    def _look_for_departure(self) -> None:
        if self.transport.is_closing() or self.cycle.response_complete:
            return
        connection = self.transport.get_extra_info("socket")
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.transport.abort()
            return
        self.loop.call_later(DEPARTURE_SECONDS, self._look_for_departure)


class _Flow(FlowControl):
    """uvicorn's flow control, which does not read on while received data waits for its turn."""

    def __init__(self, transport: asyncio.Transport, parser: Parser) -> None:
        super().__init__(transport)
        self._parser = parser

    def resume_reading(self) -> None:
        """Read on, now or after the parser's next turn."""
        if self._parser.is_resting:
            self.read_paused = False
        else:
            super().resume_reading()
