"""The server's side of the decoding processes."""

import atexit
import io
import logging
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pydantic import ValidationError

from app.decoding import wire
from app.decoding.parts import DecodedParts, DecodingRequest, Order
from app.decoding.threads import find_job
from app.decoding.wire import Channel, ChannelEnded, Failure, Success
from app.errors import DeadlinePassed, LensError, QueueFull
from models.pictures.errors import InvalidPicture, PictureTooLarge, UnsupportedFormat
from models.pictures.samples import ValueRange

logger = logging.getLogger(__name__)

ARE_POSSIBLE = sys.platform == "linux"
"""Whether this system has what the processes need: files in memory, and limits that count all of the memory."""

LARGE_PAGES = "glibc.malloc.hugetlb=1"
"""A setting of glibc, which then asks for pages of 2 MB. Without it, the system clears 12,000 pages of 4 KB for the
pixels of 12 megapixels, which takes a quarter of the time of their decoding."""

END_SECONDS = 20.0
"""The time for a killed process to give back its memory."""

RETRY_SECONDS = 5

MAX_INPUT_PIXELS = 4_000_000
"""More than the networks' largest input has."""

ERRORS: dict[str, type[LensError]] = {
    kind.__name__: kind for kind in (InvalidPicture, PictureTooLarge, UnsupportedFormat)
}


class UntruthfulAnswer(Exception):
    """A process answers what no decoding can give."""


class DecodingProcesses:
    """Decodes pictures in processes, one for each caller at once; idle ones are kept for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._host: subprocess.Popen[bytes] | None = None
        self._idle: list[socket.socket] = []

    def start(self) -> None:
        """Start the host, unless it runs; it imports the decoders while the caller goes on."""
        with self._lock:
            if self._control is None:
                self._start()

    def close(self) -> None:
        """End the host and its children."""
        with self._lock:
            self._close()

    def decode(self, data: bytes, request: DecodingRequest, *, seconds: float) -> DecodedParts:
        """Decode a picture; when this raises, the process has ended.

        The running job's cancellation kills the process, see `WorkThreads`.

        Args:
            data: the uploaded bytes.
            request: what is wanted of it.
            seconds: the time limit.

        Raises:
            DeadlinePassed: it was not decoded within the limit.
            QueueFull: the system allows no further process.
            LensError: as `decode_parts`.
        """
        with self._connect() as connection, find_job().watch(lambda: _shut(connection)):
            try:
                parts, is_last = _exchange(Channel(connection, seconds), data, request, seconds)
            except TimeoutError as error:
                raise DeadlinePassed(
                    f"the picture was not decoded within {seconds:g} s; send a smaller one or save it again"
                ) from error
            except (ChannelEnded, ConnectionError, UntruthfulAnswer) as error:
                logger.info("a decoding process was killed or has failed: %r", error)
                raise InvalidPicture(
                    "the picture ended the process that decoded it; open it elsewhere, save it again and send that"
                ) from error
        if is_last:
            _end(connection)
        else:
            with self._lock:
                self._idle.append(connection)
        return parts

    @contextmanager
    def _connect(self) -> Iterator[socket.socket]:
        """A connection to a process, which is ended where the context fails."""
        connection = self._take_idle() or self._fork()
        try:
            yield connection
        except BaseException:
            _end(connection)
            raise

    def _take_idle(self) -> socket.socket | None:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not _has_ended(connection):
                    return connection
                connection.close()
        return None

    def _fork(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            try:
                self._hand_over(theirs)
            except BaseException:
                ours.close()
                raise
        return ours

    def _hand_over(self, connection: socket.socket) -> None:
        if self._control is not None:
            try:
                socket.send_fds(self._control, [b"+"], [connection.fileno()])
            except OSError as error:
                logger.warning("the host of decoding processes has gone (%s); another one starts", error)
                self._close()
            else:
                return
        control = self._start()
        socket.send_fds(control, [b"+"], [connection.fileno()])

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        # One thread per process: decodings are as many as cores.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        environment.setdefault("GLIBC_TUNABLES", LARGE_PAGES)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        with theirs:
            self._host = subprocess.Popen(  # noqa: S603  # this program's own module
                [sys.executable, "-P", "-m", f"{__package__}.host", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._control = ours
        return ours

    def _close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._control is not None:
            self._control.close()
        if self._host is not None:
            try:
                self._host.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._host.kill()
                self._host.wait()
        self._control = self._host = None


PROCESSES = DecodingProcesses()
"""Those of this process: all of its applications share one host, which ends with the process."""

atexit.register(PROCESSES.close)


def _has_ended(connection: socket.socket) -> bool:
    """Whether an idle process has ended: its connection can be read, although it has no order."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _shut(connection: socket.socket) -> None:
    """Let the host kill the process behind a connection."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        logger.debug("a decoding process had ended before it was killed")


def _end(connection: socket.socket) -> None:
    """Kill the process behind a connection unless it has ended, and wait until its core and memory are free."""
    _shut(connection)
    with connection:
        try:
            Channel(connection, END_SECONDS).wait_for_end()
        except ConnectionError:
            return
        except TimeoutError:
            logger.exception("a decoding process does not end")


def _exchange(channel: Channel, data: bytes, request: DecodingRequest, seconds: float) -> tuple[DecodedParts, bool]:
    """Send a picture and receive its parts, and whether its process ends now."""
    order = Order(size_bytes=len(data), seconds=seconds, request=request)
    with wire.open_pipe() as (reading, writing):
        with wire.open_file() as file, writing:
            wire.write(file, data)
            channel.send(order.model_dump_json(), file, writing.fileno())
        with channel.receive() as (message, _):
            head = _read_head(message)
        for size in filter(None, (head.picture, head.seen)):
            # The process has read a stranger's bytes; what it says is checked like theirs.
            if size[0] * size[1] > max(request.max_pixels, MAX_INPUT_PIXELS):
                raise UntruthfulAnswer(f"{size} pixels")
        return _read_parts(channel, reading, head), head.is_last


def _read_head(message: bytes) -> Success:
    try:
        if b'"error"' not in message:
            return Success.model_validate_json(message)
        failure = Failure.model_validate_json(message)
    except ValidationError as error:
        raise UntruthfulAnswer(str(error)) from error
    raise _make_error(failure)


def _read_parts(channel: Channel, pipe: io.FileIO, head: Success) -> DecodedParts:
    picture = seen = None
    if head.picture is not None:
        picture = channel.read_picture(pipe, *head.picture)
    if head.seen is not None:
        height, width = head.seen
        pixels = channel.read_pipe(pipe, 3 * height * width)
        seen = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    values = None if head.values is None else ValueRange(*head.values)
    return DecodedParts(head.width, head.height, values, head.pages, picture, seen)


def _make_error(failure: Failure) -> Exception:
    if failure.error in ERRORS:
        return ERRORS[failure.error](failure.message)
    if failure.error == wire.NO_PROCESS:
        return QueueFull(
            f"the system allows no further process ({failure.message}); try again in {RETRY_SECONDS} s",
            retry_after_seconds=RETRY_SECONDS,
        )
    return RuntimeError(f"decoding failed: {failure.message}")
