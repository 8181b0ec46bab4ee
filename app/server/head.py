"""HEAD wherever GET is."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadAnswers:
    """Answer HEAD as GET; the server that sends the answer leaves out its body.

    Args:
        app: the application inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # A copy: by the original the server knows that the body is not wanted.
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
