"""Limits of every request: its bytes, its time, and a client that still waits for it."""

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
"""For boundaries, part headers and the options beside the picture."""

INTAKE_RETRY_SECONDS = 5


class BodyLimit:
    """Refuse a body that is too long: by its declared length before reading, else while it comes in.

    Args:
        app: the application inside.
        max_upload_bytes: the largest picture.
        max_total_bytes: by path, the most bytes of all pictures where several may be sent.
        intake_bytes: of all bodies together whose requests are not answered yet.
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
        """The error for a body of `size` bytes, or None where it may be that long."""
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
                    f"uploads of more than {self._intake_bytes / 1e6:g} MB are under way, which is the limit for all "
                    f"clients together; try again in {INTAKE_RETRY_SECONDS} s",
                    retry_after_seconds=INTAKE_RETRY_SECONDS,
                )
            return message

        return counted


@dataclass(slots=True)
class _Received:
    """How much of one body came in."""

    size: int = 0


class Deadline:
    """Answer 504 when an answer has not begun in time; what is still computing for it is given up.

    Args:
        app: the application inside.
        seconds: from the request's first byte to the answer's.
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
    """Give up the answer to an upload whose client has left.

    Args:
        app: the application inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Only what comes with a body is worth it: the rest is answered from the cache, and reads no body whose end
        # would tell that the next message is the client's leaving.
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
            # Also when this task itself is cancelled, by the deadline.
            for task in (answer, departure):
                task.cancel()
            await asyncio.gather(answer, departure, return_exceptions=True)


def refuse_bytes(size: int, limit: int) -> PictureTooLarge:
    """The error for an upload of `size` bytes where `limit` is the most."""
    return PictureTooLarge(f"{size / 1e6:.1f} MB; the limit is {limit / 1e6:g} MB; send a smaller picture")


def refuse_total_bytes(size: int, limit: int) -> PictureTooLarge:
    """The error for several pictures of `size` bytes together where `limit` is the most."""
    return PictureTooLarge(
        f"{size / 1e6:.1f} MB; the limit for all pictures together is {limit / 1e6:g} MB; send fewer at once"
    )


def refuse_seconds(limit: float) -> DeadlinePassed:
    """The error for an answer that was not ready within `limit` seconds."""
    return DeadlinePassed(f"the answer was not ready within {limit:g} s; send a smaller picture or try again later")
