"""Refusal of a request before it reaches the application."""

from starlette.requests import Request
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import Receive, Scope, Send

from app.errors import LensError
from app.server.problems import answer_lens_error

CONNECTIONS = frozenset({"http", "websocket"})
"""The ASGI types of connections from clients; `lifespan` is the server's own."""


async def refuse(error: LensError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with a problem; close a WebSocket before it is accepted, which the client sees as 403."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": WS_1008_POLICY_VIOLATION, "reason": error.title})
        return
    await answer_lens_error(Request(scope), error)(scope, receive, send)
