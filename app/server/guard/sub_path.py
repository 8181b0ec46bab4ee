"""The server below a path of a proxy, such as https://example.org/lens/."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.server.guard.refusal import CONNECTIONS
from app.settings import SUB_PATH

PREFIX_HEADER = "x-forwarded-prefix"


class SubPath:
    """Serve the application below a path, whether the proxy takes it off or passes it on.

    Args:
        app: the application inside.
        path: the path, such as `/lens`; empty for none.
    """

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._path and scope["type"] in CONNECTIONS and not scope.get("root_path"):
            below: str = scope["path"]
            is_whole = below == self._path or below.startswith(f"{self._path}/")
            scope = _move({**scope, "path": below.removeprefix(self._path)} if is_whole else scope, self._path)
        await self._app(scope, receive, send)


class ForwardedHeaders(ProxyHeadersMiddleware):
    """uvicorn's reading of a trusted proxy's headers, and of `X-Forwarded-Prefix`, the path that the proxy took off."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # uvicorn's own types
        """Take the headers of a trusted peer alone."""
        peer = scope.get("client") if scope["type"] in CONNECTIONS else None
        if peer and peer[0] in self.trusted_hosts:
            prefix = Headers(scope=scope).get(PREFIX_HEADER, "").split(",")[0].strip().rstrip("/")
            if re.fullmatch(SUB_PATH, prefix):
                scope = _move(scope, prefix)
        await super().__call__(scope, receive, send)


def _move(scope: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A scope below a path; ASGI's own path includes it."""
    moved = path + (scope["path"] or "/")
    return {**scope, "root_path": path, "path": moved, "raw_path": moved.encode()}
