"""Answers of Ray Serve's proxy when the application cannot answer: its replica died, or there is none.

The proxy itself would answer 500, or 503 in plain text. It imports this module in its own process, so nothing here
imports torch.
"""

import json
from collections.abc import Iterable

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import QueueFull

RETRY_SECONDS = 5

REQUEST_ID = b"x-request-id"

Header = tuple[bytes, bytes]

SERVES_OWN = "/-/"
"""The prefix of Ray Serve's own paths: `/-/healthz`, for load balancers, and `/-/routes`."""


class LostReplica:
    """Answer 503 with Retry-After, as a problem, if the application's answer did not begin.

    Args:
        app: Ray Serve's proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(SERVES_OWN):
            await self._app(scope, receive, send)
            return
        has_begun = is_replaced = False

        async def watched(message: Message) -> None:
            nonlocal has_begun, is_replaced
            if message["type"] == "http.response.start":
                has_begun = True
                is_replaced = _is_serves_refusal(message)
                if is_replaced:
                    await _refuse(send)
                message = {**message, "headers": name_once(message["headers"])}
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, watched)
        if not has_begun:
            await _refuse(send)


def list_middleware() -> list[Middleware]:
    """List the proxy's middleware; Ray Serve finds this by RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH."""
    return [Middleware(LostReplica)]


def name_once(headers: Iterable[Header]) -> list[Header]:
    """Keep only the first request id among the headers: the application's, which is in its log, not Ray Serve's."""
    found: list[Header] = []
    for name, value in headers:
        is_name = name.lower() == REQUEST_ID
        if not is_name or all(other.lower() != REQUEST_ID for other, _ in found):
            found.append((name, value))
    return found


def _is_serves_refusal(message: Message) -> bool:
    """Whether this is the proxy's own 503, in plain text; the application's are problems, pages or health states."""
    kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
    return message["status"] == 503 and all(kind.startswith(b"text/plain") for kind in kinds)


async def _refuse(send: Send) -> None:
    problem = {
        "type": "urn:cbam-lens:problem:queue-full",
        "title": QueueFull.title,
        "status": 503,
        "detail": f"a part of the server is restarting; try again in {RETRY_SECONDS} s",
    }
    headers = {
        "Content-Type": "application/problem+json",
        "Retry-After": str(RETRY_SECONDS),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 503, "headers": encoded})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
