"""The way to one client: it counts what the client takes, and closes so that the last answer arrives."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
SLOWEST_BYTES_PER_SECOND = 16_000
"""The pace at which a client must take an answer, over each time of `LOOK_SECONDS`."""

UNSENT_SECONDS = 30
"""The time that sent bytes may stay without an acknowledgement, after which the system ends the connection."""

LINGER_SECONDS = 5.0
LINGER_BYTES = 64_000_000
"""How much of a refused request is read and dropped, so that its client gets to read the answer. Closing a connection
with unread bytes resets it, and the client loses the answer too."""


class ClientTransport(asyncio.Transport):
    """asyncio's transport, with a pace for the client and an orderly end.

    Args:
        transport: asyncio's own.
        is_unread: tells whether a part of the client's request is unread, which it may still be sending.
        loop: the event loop.
    """

    def __init__(
        self, transport: asyncio.Transport, is_unread: Callable[[], bool], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__()
        self.inner = transport
        self._is_unread = is_unread
        self._loop = loop
        self._is_ending = False
        self._written_bytes = self._taken_before = self._dropped_bytes = 0
        self._watch: asyncio.TimerHandle | None = None
        _limit_unsent(transport)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, and watch that the client takes them; nothing is sent to a client that has gone."""
        # asyncio takes the bytes for a lost connection too, and writes a line into the log for each piece.
        if self._is_ending or self.inner.is_closing():
            return
        self.inner.write(data)
        self._written_bytes += len(data)
        self.watch()

    def watch(self) -> None:
        """Watch the pace as long as bytes wait for the client."""
        if self._watch is None and self.inner.get_write_buffer_size():
            self._taken_before = self._taken_bytes
            self._watch = self._loop.call_later(LOOK_SECONDS, self._check_pace)

    def close(self) -> None:
        """End the connection after the last bytes; first read what the client is still sending, if anything."""
        if self._is_ending:
            return
        self._is_ending = True
        if not self._is_unread() or not self.inner.can_write_eof():
            self.inner.close()
            return
        try:
            self.inner.write_eof()
        except OSError:
            # The client has reset the connection, and asyncio has not read of it yet.
            self.inner.abort()
            return
        self.inner.resume_reading()
        self._loop.call_later(LINGER_SECONDS, self.inner.close)

    def drop(self, data: bytes) -> None:
        """Count bytes that nobody reads; too many end the connection."""
        self._dropped_bytes += len(data)
        if self._dropped_bytes > LINGER_BYTES:
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self._is_ending = True
        self.inner.abort()

    def is_closing(self) -> bool:
        """Whether the connection ends."""
        return self._is_ending or self.inner.is_closing()

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        self.inner.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self.inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  # as in asyncio
        """Facts about the connection, such as its addresses."""
        return self.inner.get_extra_info(name, default)

    @property
    def _taken_bytes(self) -> int:
        return self._written_bytes - self.inner.get_write_buffer_size()

    def _check_pace(self) -> None:
        self._watch = None
        if not self.inner.get_write_buffer_size():
            return
        if self._taken_bytes - self._taken_before < LOOK_SECONDS * SLOWEST_BYTES_PER_SECOND:
            logger.info("a client took its answer too slowly; its connection is closed")
            self.abort()
            return
        self.watch()


def _limit_unsent(transport: asyncio.Transport) -> None:
    """Let the system end the connection of a client that is gone; not every system can."""
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and connection is not None and connection.family != getattr(socket, "AF_UNIX", None):
        connection.setsockopt(socket.IPPROTO_TCP, option, 1000 * UNSENT_SECONDS)
