"""The check of tokens, if any are set.

A program sends `Authorization: Bearer TOKEN`. A person enters it once, on the page `/sign-in`, and the browser keeps a
cookie made from the token and a secret of the server; neither the browser nor this class keeps the token itself.
"""

import hmac
import secrets
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import NotSignedIn
from app.server.guard.refusal import CONNECTIONS, refuse
from app.server.own_files import OWN_FILES
from app.study.links import PREFIX

COOKIE = "cbam_lens_session"

KEY_BYTES = 32

SIGN_IN = "/sign-in"

OPEN_PATHS = ("/healthz", "/readyz", SIGN_IN)
OPEN_PREFIX = f"{OWN_FILES}/"

STUDY_PREFIX = f"{PREFIX}/"
"""A study's link is a secret by itself: its voters need no token."""


class Tokens:
    """The accepted tokens.

    Args:
        tokens: the tokens; empty for a server that is open to everyone.
        key: the secret of the cookies; a random one of this process by default.
    """

    def __init__(self, tokens: Sequence[SecretStr], *, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(KEY_BYTES)
        # All have one length, so that the time of a comparison reveals nothing.
        self._sessions = tuple(self._seal(token.get_secret_value()) for token in tokens)

    def __bool__(self) -> bool:
        return bool(self._sessions)

    def accept(self, token: str) -> str | None:
        """The session of a token; None for a wrong token."""
        return self.recognise(self._seal(token))

    def recognise(self, session: str) -> str | None:
        """The session if it belongs to an accepted token, otherwise None."""
        # All are compared, even after a match, so that the time reveals nothing.
        matches = [hmac.compare_digest(session.encode(), known.encode()) for known in self._sessions]
        return session if any(matches) else None

    def find_session(self, headers: Headers) -> str | None:
        """The session of a request, by its token or its cookie."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer":
            return self.accept(token.strip())
        # Lenient as browsers are: another program's cookie on this host may have any form.
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return None if cookie is None else self.recognise(cookie)

    def _seal(self, token: str) -> str:
        return hmac.digest(self._key, token.encode(), "sha256").hex()


class TokenCheck:
    """Refuse requests without a token; redirect browsers to the sign-in page.

    Args:
        app: the application inside.
        tokens: the accepted tokens.
    """

    def __init__(self, app: ASGIApp, *, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in CONNECTIONS or not self._tokens or is_open(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._tokens.find_session(headers) is not None:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            request = Request(scope)
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            address = f"{scope.get('root_path', '')}{SIGN_IN}?next={quote(back, safe='/')}"
            await RedirectResponse(address, status_code=303)(scope, receive, send)
            return
        error = NotSignedIn("this server needs a token; send it as Authorization: Bearer TOKEN")
        await refuse(error, scope, receive, send)


def is_open(scope: Scope) -> bool:
    """Whether a path needs no token: health, sign-in, the page's own files, and studies."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in OPEN_PATHS or path.startswith((OPEN_PREFIX, STUDY_PREFIX))


def is_study(scope: Scope) -> bool:
    """Whether a path is a study's."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.startswith(STUDY_PREFIX)
