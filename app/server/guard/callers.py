"""Who sends a request, for the queue's fairness and for the question about the place in it."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.callers import Caller, present_caller
from app.server.guard.rates import Rates
from app.server.guard.refusal import CONNECTIONS

HEADER = "X-Ticket"

TICKET = re.compile(r"[A-Za-z0-9_-]{16,64}")
"""A name that nobody can guess, chosen by the client."""


class CallerNames:
    """Note the client and its ticket for the work that its request submits.

    Args:
        app: the application inside.
        rates: identifies clients.
    """

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in CONNECTIONS:
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        ticket = given if TICKET.fullmatch(given) else ""
        token = present_caller.set(Caller(self._rates.identify(scope), ticket))
        try:
            await self._app(scope, receive, send)
        finally:
            present_caller.reset(token)
