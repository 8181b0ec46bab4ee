"""The check of the origins whose pages may send requests.

A browser names the page's origin in a header; other programs send none and are not checked. A browser lets any page
send a form to any server and open a WebSocket, so the server itself has to refuse.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import ForeignOrigin
from app.server.guard.refusal import CONNECTIONS, refuse

CORS_METHODS = ("GET", "POST", "DELETE")


class OwnOrigin:
    """Refuse requests from pages of other origins.

    Args:
        app: the application inside.
        allowed: the other origins whose requests are allowed, such as `https://example.org`.
    """

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = frozenset(origin.casefold() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS and not self._may_ask(Headers(scope=scope)):
            error = ForeignOrigin(
                "the request comes from a page of another origin; open this server's own page, or add the origin to "
                "CBAM_LENS_ALLOWED_ORIGINS"
            )
            await refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_ask(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return True
        host = origin.partition("://")[2].casefold()
        return (host != "" and host == headers.get("host", "").casefold()) or origin.casefold() in self._allowed
