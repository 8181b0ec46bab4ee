"""Limits of every request: its bytes, its time, and whether its client still waits."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DeadlinePassed, PictureTooLarge, QueueFull
from app.server.problems import answer_lens_error

MULTIPART_ALLOWANCE_BYTES = 64 * 1024
"""The allowance for boundaries, part headers and the options beside the picture."""

INTAKE_RETRY_SECONDS = 5


class BodyLimit:
    """Refuse a body that is too long: by its declared length before it is read, otherwise while it comes in.

    Args:
        app: the application inside.
        max_upload_bytes: the limit of one picture's bytes.
        max_total_bytes: by path, the limit of the bytes of several pictures together.
        intake_bytes: the limit of the bytes of all bodies whose requests are not answered yet.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_upload_bytes: int,
        max_total_bytes: Mapping[str, int] | None = None,
        intake_bytes: float = math.inf,
    ) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._max_total_bytes = max_total_bytes or {}
        self._intake_bytes = intake_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and (refusal := self._check(int(declared), path)):
            await answer_lens_error(Request(scope), refusal)(scope, receive, send)
            return
        received = _Received()
        try:
            await self._app(scope, self._count(receive, path, received), send)
        finally:
            self._held_bytes -= received.size

    def _check(self, size: int, path: str) -> PictureTooLarge | None:
        """The error for a body of `size` bytes, or None if it is not too long."""
        total = self._max_total_bytes.get(path)
        if size <= (total or self._max_upload_bytes) + MULTIPART_ALLOWANCE_BYTES:
            return None
        return refuse_total_bytes(size, total) if total else refuse_bytes(size, self._max_upload_bytes)

    def _count(self, receive: Receive, path: str, received: "_Received") -> Receive:
        async def counted() -> Message:
            message = await receive()
            size = len(message.get("body", b""))
            received.size += size
            self._held_bytes += size
            if refusal := self._check(received.size, path):
                raise refusal
            if size and self._held_bytes > self._intake_bytes:
                raise QueueFull(
                    f"more than {self._intake_bytes / 1e6:g} MB of uploads are in progress, the limit for all clients "
                    f"together; try again in {INTAKE_RETRY_SECONDS} s",
                    retry_after_seconds=INTAKE_RETRY_SECONDS,
                )
            return message

        return counted


@dataclass(slots=True)
class _Received:
    """The number of bytes received of one body."""

    size: int = 0


class Deadline:
    """Answer 504 if the answer does not begin in time, and cancel its computation.

    Args:
        app: the application inside.
        seconds: the time from the request's first byte to the answer's.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds) as timeout:

                async def send_in_time(message: Message) -> None:
                    timeout.reschedule(None)
                    await send(message)

                await self._app(scope, receive, send_in_time)
        except TimeoutError as error:
            if not timeout.expired():
                raise
            passed = refuse_seconds(self._seconds)
            passed.__cause__ = error
            await answer_lens_error(Request(scope), passed)(scope, receive, send)


class DisconnectWatch:
    """Cancel the answer to an upload whose client has left.

    Args:
        app: the application inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Only uploads are worth it: other requests are answered from the cache, and read no body, after whose end
        # the next message would be the client's disconnect.
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body_ended = asyncio.Event()

        async def watched() -> Message:
            message = await receive()
            if not message.get("more_body"):
                body_ended.set()
            return message

        async def wait_for_departure() -> None:
            await body_ended.wait()
            while (await receive())["type"] != "http.disconnect":
                pass

        answer = asyncio.ensure_future(self._app(scope, watched, send))
        departure = asyncio.ensure_future(wait_for_departure())
        try:
            await asyncio.wait((answer, departure), return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
        finally:
            # This also runs when the deadline cancels this task.
            for task in (answer, departure):
                task.cancel()
            await asyncio.gather(answer, departure, return_exceptions=True)


def refuse_bytes(size: int, limit: int) -> PictureTooLarge:
    """The error for an upload of `size` bytes where at most `limit` are allowed."""
    return PictureTooLarge(f"{size / 1e6:.1f} MB; the limit is {limit / 1e6:g} MB; send a smaller picture")


def refuse_total_bytes(size: int, limit: int) -> PictureTooLarge:
    """The error for several pictures of `size` bytes together where at most `limit` are allowed."""
    return PictureTooLarge(
        f"{size / 1e6:.1f} MB; the limit for all pictures together is {limit / 1e6:g} MB; send fewer at once"
    )


def refuse_seconds(limit: float) -> DeadlinePassed:
    """The error for an answer that was not ready within `limit` seconds."""
    return DeadlinePassed(f"the answer was not ready within {limit:g} s; send a smaller picture or try again later")
