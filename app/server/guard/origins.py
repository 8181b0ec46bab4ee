"""Pages of which origins may ask.

A browser sends along where a request comes from; what is no browser sends nothing, and is not meant. A form of another
page can send a picture to any server without asking, and any page may open a WebSocket: that is left to the server.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import ForeignOrigin
from app.server.guard.refusal import CONNECTIONS, refuse

CORS_METHODS = ("GET", "POST", "DELETE")


class OwnOrigin:
    """Refuse requests that pages of other origins make.

    Args:
        app: the application inside.
        allowed: other origins that may ask, `https://example.org`.
    """

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = frozenset(origin.casefold() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS and not self._may_ask(Headers(scope=scope)):
            error = ForeignOrigin(
                "a page of another origin asked; open this server's own page, or add the origin to "
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
