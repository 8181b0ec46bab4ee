"""Under which names the server answers.

A page of somebody else's can give its own name this machine's address (DNS rebinding); a browser then takes a server
that listens on this machine alone for a part of that page. The name that it asks for gives it away.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnknownHost
from app.server.guard.refusal import CONNECTIONS, refuse

ANY = "*"

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class TrustedHosts:
    """Refuse requests for other names.

    Args:
        app: the application inside.
        names: allowed ones without ports; `*.example.org` for all below one, `*` for all.
    """

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app = app
        self._names = tuple(name.casefold() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS and not self._is_trusted(strip_port(Headers(scope=scope).get("host", ""))):
            error = UnknownHost(
                "this server does not answer under that name; use one that it was told, or add it to "
                "CBAM_LENS_TRUSTED_HOSTS"
            )
            await refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_trusted(self, host: str) -> bool:
        return any(name in (ANY, host) or (name.startswith("*.") and host.endswith(name[1:])) for name in self._names)


def strip_port(host: str) -> str:
    """The name in a Host header, in small letters: `[::1]:8000` is `::1`."""
    host = host.casefold()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
