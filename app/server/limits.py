"""Limits of every request: its bytes, its time, and whether its client still waits."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BodyTooLarge, DeadlinePassed, InvalidOption, LensError, PictureTooLarge, QueueFull
from app.server.problems import answer_lens_error

MULTIPART_ALLOWANCE_BYTES = 64 * 1024
"""The allowance for boundaries, part headers and the options beside the picture."""

SHORT_BODY_BYTES = 256 * 1024
"""The limit of a body without pictures. Such bodies are parsed at once, while every other client waits."""

PART_BYTES = 32 * 1024
"""The most bytes of a body that are parsed at once: a form of separators alone takes a microsecond for each."""

INTAKE_RETRY_SECONDS = 5

ANSWER_PART_BYTES = 256 * 1024
"""The most bytes of an answer that wait beside the answer itself until the client takes them."""

SMALL_ANSWER_BYTES = 1_000_000
"""The size up to which an answer is never refused: pages and their pictures come through while files wait."""


FORM_CHARSETS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin-1"})
"""The character sets of forms. Python has some hundred more: a few take quadratic time, others raise what they like."""


class BodyLimit:
    """Refuse a body that is too long: by its declared length before it is read, otherwise while it comes in.

    A form in an unusual character set is refused too.

    Args:
        app: the application inside.
        max_upload_bytes: the limit of one picture's bytes.
        max_total_bytes: by path, the limit of the bytes of several pictures together.
        takes_pictures: whether a path accepts pictures.
        intake_bytes: the limit of the bytes of all bodies whose requests are not answered yet.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_upload_bytes: int,
        max_total_bytes: Mapping[str, int] | None = None,
        takes_pictures: Callable[[str], bool] = lambda _: False,
        intake_bytes: float = math.inf,
    ) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._max_total_bytes = max_total_bytes or {}
        self._takes_pictures = takes_pictures
        self._intake_bytes = intake_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, headers = self._choose_limit(scope), Headers(scope=scope)
        declared = headers.get("content-length", "")
        refusal = limit.check(int(declared)) if declared.isdigit() else None
        if refusal := refusal or _check_charset(headers):
            await answer_lens_error(Request(scope), refusal)(scope, receive, send)
            return
        received = _Received()
        try:
            await self._app(scope, divide(self._count(receive, limit, received)), send)
        finally:
            self._held_bytes -= received.size

    def _choose_limit(self, scope: Scope) -> "_Limit":
        """Choose the limit of a request's body, by its path and its media type."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        # No route reads a body of any other type.
        is_form = Headers(scope=scope).get("content-type", "").lower().startswith("application/x-www-form-urlencoded")
        if is_form or not self._takes_pictures(path):
            return _Limit(SHORT_BODY_BYTES, refuse_short_body, allowance=0)
        if total := self._max_total_bytes.get(path):
            return _Limit(total, refuse_total_bytes)
        return _Limit(self._max_upload_bytes, refuse_bytes)

    def _count(self, receive: Receive, limit: "_Limit", received: "_Received") -> Receive:
        async def counted() -> Message:
            message = await receive()
            size = len(message.get("body", b""))
            received.size += size
            self._held_bytes += size
            if refusal := limit.check(received.size):
                raise refusal
            if size and self._held_bytes > self._intake_bytes:
                raise QueueFull(
                    f"more than {self._intake_bytes / 1e6:g} MB of uploads are in progress, the limit for all clients "
                    f"together; try again in {INTAKE_RETRY_SECONDS} s",
                    retry_after_seconds=INTAKE_RETRY_SECONDS,
                )
            return message

        return counted


def _check_charset(headers: Headers) -> LensError | None:
    """The error for a form in an unusual character set, or None."""
    kind, options = parse_options_header(headers.get("content-type"))
    charset = options.get(b"charset", b"utf-8")
    if kind != b"multipart/form-data" or charset.lower() in FORM_CHARSETS:
        return None
    shown = charset[:40].decode("latin-1")
    return InvalidOption(f"the body is in the character set {shown!r}; send it in UTF-8", option="Content-Type")


@dataclass(frozen=True, slots=True)
class _Limit:
    """The longest body that a request may have.

    Attributes:
        most: the number of bytes.
        refuse: makes the error for a number of bytes and this limit.
        allowance: the bytes allowed in addition, of which the error does not speak.
    """

    most: int
    refuse: Callable[[int, int], LensError]
    allowance: int = MULTIPART_ALLOWANCE_BYTES

    def check(self, size: int) -> LensError | None:
        """The error for a body of `size` bytes, or None if it is not too long."""
        return self.refuse(size, self.most) if size > self.most + self.allowance else None


@dataclass(slots=True)
class _Received:
    """The number of bytes received of one body."""

    size: int = 0


def divide(receive: Receive) -> Receive:
    """Make a `receive` that passes a body on in parts, between which others have their turn."""
    waiting: deque[Message] = deque()

    async def receive_part() -> Message:
        if waiting:
            await asyncio.sleep(0)
            return waiting.popleft()
        message = await receive()
        body = message.get("body", b"")
        if len(body) <= PART_BYTES:
            return message
        waiting.extend(
            {**message, "body": body[start : start + PART_BYTES], "more_body": True}
            for start in range(0, len(body), PART_BYTES)
        )
        waiting[-1]["more_body"] = message.get("more_body", False)
        return waiting.popleft()

    return receive_part


class AnswerLimit:
    """Send answers in parts, and refuse a large one while too many are on their way to slow clients.

    Args:
        app: the application inside.
        answer_bytes: the limit of the bytes of all answers that clients have not taken yet.
    """

    def __init__(self, app: ASGIApp, *, answer_bytes: float) -> None:
        self._app = app
        self._answer_bytes = answer_bytes
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        refusal: LensError | None = None

        async def send_in_parts(message: Message) -> None:
            nonlocal start, refusal
            if message["type"] == "http.response.start":
                # The first part decides whether this answer is sent.
                start = message
                return
            size = len(message.get("body", b""))
            if start is not None:
                refusal = self._check(size)
                if refusal is None:
                    await send(start)
                start = None
            if refusal is None:
                await self._send(message, size, send)

        await self._app(scope, receive, send_in_parts)
        if refusal is not None:
            await answer_lens_error(Request(scope), refusal)(scope, receive, send)

    def _check(self, size: int) -> QueueFull | None:
        if size <= SMALL_ANSWER_BYTES or self._held_bytes + size <= self._answer_bytes:
            return None
        return QueueFull(
            f"more than {self._answer_bytes / 1e6:g} MB of answers are on their way, the limit for all clients "
            f"together; try again in {INTAKE_RETRY_SECONDS} s",
            retry_after_seconds=INTAKE_RETRY_SECONDS,
        )

    async def _send(self, message: Message, size: int, send: Send) -> None:
        self._held_bytes += size
        try:
            body = memoryview(message.get("body", b""))
            has_more = message.get("more_body", False)
            for begin in range(0, max(1, size), ANSWER_PART_BYTES):
                end = begin + ANSWER_PART_BYTES
                part = {**message, "body": bytes(body[begin:end]), "more_body": has_more or end < size}
                await send(part)
        finally:
            self._held_bytes -= size


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


def refuse_short_body(size: int, limit: int) -> BodyTooLarge:
    """The error for a body without pictures of `size` bytes where at most `limit` are allowed."""
    return BodyTooLarge(
        f"{size / 1e6:.1f} MB; the limit of a body without pictures is {limit // 1024} KiB; send pictures as "
        "multipart/form-data to an address that takes them, and less of anything else"
    )


def refuse_total_bytes(size: int, limit: int) -> PictureTooLarge:
    """The error for several pictures of `size` bytes together where at most `limit` are allowed."""
    return PictureTooLarge(
        f"{size / 1e6:.1f} MB; the limit for all pictures together is {limit / 1e6:g} MB; send fewer at once"
    )


def refuse_seconds(limit: float) -> DeadlinePassed:
    """The error for an answer that was not ready within `limit` seconds."""
    return DeadlinePassed(f"the answer was not ready within {limit:g} s; send a smaller picture or try again later")
