"""The rate limit of each client, if one is set."""

import ipaddress
import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import TooManyRequests
from app.server.guard.refusal import CONNECTIONS, refuse
from app.server.guard.tokens import Tokens, is_open, is_study

IPV6_PREFIX_BITS = 64
"""One subscriber usually has a network of this prefix length, so its addresses count as one client."""


class Rates:
    """The requests of each client.

    Args:
        limit: the number of requests per time; None for no limit.
        tokens: the server's tokens; a client is identified by its token if it has one, otherwise by its address.
    """

    def __init__(self, limit: RateLimitItem | None, tokens: Tokens) -> None:
        self._limit = limit
        self._tokens = tokens
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def identify(self, scope: Scope) -> str:
        """The identity of a request's client."""
        session = self._tokens.find_session(Headers(scope=scope)) if self._tokens else None
        return session or group_address(scope["client"][0] if scope.get("client") else "")

    def count(self, client: str) -> None:
        """Count a request; raises `TooManyRequests` beyond the limit."""
        if self._limit is None or self._counter.hit(self._limit, client):
            return
        left = self._counter.get_window_stats(self._limit, client).reset_time - time.time()
        seconds = max(1, math.ceil(left))
        raise TooManyRequests(
            f"more than {self._limit.amount} requests in {self._limit.get_expiry()} s; try again in {seconds} s",
            retry_after_seconds=seconds,
        )


class RateLimit:
    """Refuse a client's requests beyond its limit; requests for the page's own files do not count.

    Args:
        app: the application inside.
        rates: counts them.
    """

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS and not is_free(scope):
            try:
                self._rates.count(self._rates.identify(scope))
            except TooManyRequests as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_free(scope: Scope) -> bool:
    """Whether a request does not count here; those of studies are counted by their routes, per person."""
    return is_study(scope) or (is_open(scope) and not (scope["type"] == "http" and scope["method"] == "POST"))


def group_address(address: str) -> str:
    """A client's identity: its IPv4 address, or its IPv6 network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    # A socket for both kinds tells an IPv4 client's address as ::ffff:192.0.2.1.
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, IPV6_PREFIX_BITS), strict=False))
