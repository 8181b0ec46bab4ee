"""The check of the host names under which the server answers.

A foreign page can point its own host name to this machine's address (DNS rebinding); a browser then treats this server
as part of that page. The request's Host header reveals the foreign name.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnknownHost
from app.server.guard.refusal import CONNECTIONS, refuse

ANY = "*"

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class TrustedHosts:
    """Refuse requests for other host names.

    Args:
        app: the application inside.
        names: the allowed names without ports; `*.example.org` allows all names below one, `*` all names.
    """

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app = app
        self._names = tuple(name.casefold() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS and not self._is_trusted(strip_port(Headers(scope=scope).get("host", ""))):
            error = UnknownHost(
                "this server does not answer under that host name; use one of its own names, or add it to "
                "CBAM_LENS_TRUSTED_HOSTS"
            )
            await refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_trusted(self, host: str) -> bool:
        return any(name in (ANY, host) or (name.startswith("*.") and host.endswith(name[1:])) for name in self._names)


def strip_port(host: str) -> str:
    """The name in a Host header, in lower case and without the port: `::1` for `[::1]:8000`."""
    host = host.casefold()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
