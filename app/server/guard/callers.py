"""Who sends a request, for the queue's fairness and for the question about the place in it."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.callers import Caller, present_caller
from app.server.guard.rates import identify_client
from app.server.guard.tokens import Tokens

HEADER = "X-Ticket"

TICKET = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""A name that nobody can guess, chosen by the client."""


class CallerNames:
    """Note the client and its ticket for the work that its request submits.

    Args:
        app: the application inside.
        tokens: the server's tokens; a client is identified by its token if it has one, otherwise by its address.
    """

    def __init__(self, app: ASGIApp, *, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        ticket = given if TICKET.fullmatch(given) else ""
        token = present_caller.set(Caller(identify_client(scope, self._tokens), ticket))
        try:
            await self._app(scope, receive, send)
        finally:
            present_caller.reset(token)
