"""The places for connections: fewer than the system's limit of descriptors, so that the server never goes deaf."""

import logging
import sys
import time
from collections.abc import Sized
from typing import Protocol

import psutil

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 4096
FEWEST_CONNECTIONS = 4

RESERVED_DESCRIPTORS = 24
"""Descriptors for files that answers open, and for connections that are accepted and not counted yet."""

ACCEPTS_PER_TURN = 4
"""The connections that are accepted in one turn of the loop; the others wait in the system's queue. A connection has
its descriptor three turns before it can be counted and refused."""

WAITING_CONNECTIONS = 1024
"""The length of the system's queue."""

SILENT_SECONDS = 60.0
"""The time between two lines of log about full places."""


class Connection(Protocol):
    """A connection that can be ended."""

    def give_up(self) -> None:
        """End the connection at once; it has no request."""


class Places:
    """The limit of connections; a new one takes the place of the one that has been without a request for longest.

    Args:
        most: the limit.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._idle: dict[Connection, None] = {}
        self._silent_until = 0.0

    def admit(self, connections: Sized) -> bool:
        """Whether a new connection may stay.

        Args:
            connections: all connections, with the new one.
        """
        if len(connections) <= self.most:
            return True
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            logger.warning("%d connections are open, the limit; new ones take the places of idle ones", self.most)
        oldest = next(iter(self._idle), None)
        if oldest is None:
            return False
        self.occupy(oldest)
        oldest.give_up()
        return True

    def idle(self, connection: Connection) -> None:
        """Note that a connection has no request."""
        self._idle.setdefault(connection)

    def occupy(self, connection: Connection) -> None:
        """Note that a connection has a request, or has ended."""
        self._idle.pop(connection, None)


def count_places() -> int:
    """The number of connections that this process may have, after raising its limit of descriptors."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource  # noqa: PLC0415  # not on Windows

    wanted = MOST_CONNECTIONS + RESERVED_DESCRIPTORS + psutil.Process().num_fds()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    free = MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else soft - wanted + MOST_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, free))
