"""A log line, a count and an id for every request.

The log has no pictures, file names or addresses, neither of clients nor of analyses, which only their ids protect. A
request appears with its route's pattern.
"""

import contextvars
import logging
import re
import secrets
import time
from typing import cast

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.guard.headers import with_headers
from app.server.guard.refusal import CONNECTIONS
from app.server.own_files import OWN_FILES
from app.server.problems import answer_unexpected
from app.server.watch.metrics import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-Id"

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""The ids that a client or a proxy may give a request, so that it can be traced through all logs."""

UNKNOWN_ROUTE = "none"

LONGEST_PREFIX = 4
"""The most parts of a router's prefix."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)
"""The id of the request that is being answered."""


class RequestLog:
    """Identify, time, count and log every request, and answer unexpected errors.

    Args:
        app: the application inside.
        metrics: the metrics that count the requests.
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
                # It is too late for an answer: uvicorn closes the connection and logs the error.
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
        return OWN_FILES if path.startswith(f"{OWN_FILES}/") else UNKNOWN_ROUTE
    # A router under a prefix knows only its own part of the pattern; prefixes have no variables.
    prefix, rest = "", path
    for _ in range(LONGEST_PREFIX):
        if route.path_regex.match(rest):
            break
        part, slash, rest = rest[1:].partition("/")
        prefix, rest = f"{prefix}/{part}", slash + rest
    else:
        prefix = ""
    return prefix + cast("str", route.path)
