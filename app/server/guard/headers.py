"""Security headers of every answer."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.templating import NO_FRAME, PAGE_POLICY

POLICY = "Content-Security-Policy"

FILE_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; {NO_FRAME}"
"""The policy of all other answers. An SVG figure, opened by itself, contains its styles and its picture."""

DOCUMENTATION_POLICY = (
    f"{PAGE_POLICY}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
"""The policy of /docs alone, FastAPI's page: it needs an inline script, and shows no user's data."""

DOCUMENTATION = "/docs"

COMMON = {
    "X-Content-Type-Options": "nosniff",
    # An analysis is protected only by its address.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


NOT_KEPT = {"Cache-Control": "private, no-store"}
"""For answers that say nothing else: a cache between could keep an analysis after it was deleted."""


class SecurityHeaders:
    """Add security headers to every answer.

    Args:
        app: the application inside.
        is_shared: whether pages of other origins may use the answers.
        frame_ancestors: the origins whose pages may show ours in a frame, or `self`; by default none.
    """

    def __init__(self, app: ASGIApp, *, is_shared: bool, frame_ancestors: Sequence[str] = ()) -> None:
        self._app = app
        names = ["'self'" if name == "self" else name for name in frame_ancestors]
        self._ancestors = f"frame-ancestors {' '.join(names)}" if names else NO_FRAME
        self._common = COMMON | {"Cross-Origin-Resource-Policy": "cross-origin" if is_shared else "same-origin"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        policy = DOCUMENTATION_POLICY if path.startswith(DOCUMENTATION) else FILE_POLICY
        headers = {**self._common, **NOT_KEPT, POLICY: policy}
        await self._app(scope, receive, with_headers(self._allow_frames(send), headers))

    def _allow_frames(self, send: Send) -> Send:
        """Put the allowed frames into a policy; every policy is made without any."""

        async def send_with_frames(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[POLICY] = headers[POLICY].replace(NO_FRAME, self._ancestors)
            await send(message)

        return send_with_frames


def with_headers(send: Send, headers: dict[str, str]) -> Send:
    """Make a `send` that adds headers to an answer, without overriding its own."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present.setdefault(name, value)
        await send(message)

    return send_with_headers
