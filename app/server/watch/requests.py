"""A line and a count for every request, and a name for it that its answer carries.

Nothing of a picture, no file's name and no address is written: neither of the client nor of an analysis, whose id is
its only protection. A request is told by the route that it took.
"""

import contextvars
import logging
import re
import secrets
import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.guard.headers import with_headers
from app.server.guard.refusal import CONNECTIONS
from app.server.problems import answer_unexpected
from app.server.watch.metrics import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-Id"

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Names that a client or a proxy may give its request, so that the request can be followed through both."""

UNKNOWN_ROUTE = "none"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)
"""The request that is being answered."""


class RequestLog:
    """Name, time, count and log every request; answer those in which the server made a mistake.

    Args:
        app: the application inside.
        metrics: where they are counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in CONNECTIONS:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        name = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        token = request_id.set(name)
        begin = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close" and not status:
                status = 403
            await send(message)

        send_named = with_headers(watched, {HEADER: name})
        try:
            await self._app(scope, receive, send_named)
        except Exception as error:
            if status or scope["type"] != "http":
                # Too late for an answer: the server ends the connection, and its log says why.
                raise
            await answer_unexpected(Request(scope), error)(scope, receive, send_named)
        finally:
            self._note(scope, status=status, seconds=time.perf_counter() - begin)
            request_id.reset(token)

    def _note(self, scope: Scope, *, status: int, seconds: float) -> None:
        method = scope.get("method", "WEBSOCKET")
        method = method if method in METHODS or scope["type"] == "websocket" else "OTHER"
        route = find_route(scope)
        self._metrics.count_request(method=method, route=route, status=status, seconds=seconds)
        logger.info(
            "%s %s: %d in %.0f ms",
            method,
            route,
            status,
            1000 * seconds,
            extra={"method": method, "route": route, "status": status, "milliseconds": round(1000 * seconds, 1)},
        )


def find_route(scope: Scope) -> str:
    """The route's pattern, `/analyses/{analysis_id}`; never the address itself."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    route = scope.get("route")
    if route is None:
        # Mounted files have no route of their own.
        return "/static" if path.startswith("/static/") else UNKNOWN_ROUTE
    pattern: str = route.path
    # A router that is included under a prefix knows its own part alone; prefixes have no variables.
    prefix = path.split("/")[: path.count("/") - pattern.count("/") + 1]
    return "/".join(prefix) + pattern
