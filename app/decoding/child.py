"""The forked process: one picture after another, each under limits of memory and time."""

import ctypes
import os
import resource
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from app.decoding.parts import DecodedParts, Order, decode_parts
from app.decoding.wire import (
    ORDER_DESCRIPTORS,
    UNEXPECTED,
    Channel,
    ChannelEnded,
    Failure,
    Success,
    read,
    write,
    write_picture,
)
from app.engine.priority import giving_way_when_long
from models.pictures.errors import PictureError, PictureTooLarge

BASE_BYTES = 128_000_000
BYTES_PER_PIXEL = 16
"""What a decoding may take: so many bytes, and so many more for each pixel of the limit. SECURITY.md has the measured
figures; the highest are 13.6 bytes per pixel, and 16.1 for animated WebP."""

LARGE_BYTES = 100_000_000
"""After a picture that took more, the process ends, which gives back all of it. A new one costs some milliseconds."""

MESSAGE_CHARACTERS = 4_000

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when its parent ends."""


def run_child(connection: socket.socket) -> NoReturn:
    """Decode the pictures of a connection, until it is closed or a large one is done."""
    status = 1
    try:
        _leave_with_host()
        _be_quiet()
        limits = Limits()
        channel = Channel(connection)
        while _answer(channel, limits):
            pass
        status = 0
    except ChannelEnded:
        status = 0
    finally:
        # Nothing of the host's is cleaned up here.
        os._exit(status)


class Limits:
    """This process's limits, which the system keeps whatever runs.

    Attributes:
        data_bytes: the memory that counts as data before the first picture.
    """

    def __init__(self) -> None:
        self.data_bytes = _read_data_bytes()
        self._peak_bytes = _read_peak_bytes()

    @property
    def has_taken_much(self) -> bool:
        """Whether a picture took more than `LARGE_BYTES`."""
        return _read_peak_bytes() - self._peak_bytes > LARGE_BYTES

    def set(self, order: Order) -> None:
        """Set the limits for the next picture."""
        # Linux counts all of a process's own writable memory as its data, and no address space that is merely reserved.
        _limit(resource.RLIMIT_DATA, self.data_bytes + find_memory_limit(order.request.max_pixels))
        used = resource.getrusage(resource.RUSAGE_SELF)
        # The server kills sooner, by the clock; this is for a server that is gone or stopped.
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + order.seconds) + 2)


def find_memory_limit(max_pixels: int) -> int:
    """The memory that a decoding may take, in bytes.

    Args:
        max_pixels: the limit of the picture's pixels.
    """
    return BASE_BYTES + BYTES_PER_PIXEL * max_pixels


def _answer(channel: Channel, limits: Limits) -> bool:
    """Answer the next order; False if this process shall end."""
    with channel.receive() as (message, descriptors):
        order = Order.model_validate_json(message)
        if len(descriptors) != ORDER_DESCRIPTORS:
            raise ChannelEnded
        limits.set(order)
        # Its memory is free as soon as it is read.
        with os.fdopen(descriptors.pop(0), "rb") as upload:
            data = read(upload.fileno(), order.size_bytes)
        (pipe,) = descriptors
        with giving_way_when_long() as gave_way:
            result = _decode(data, order)
        if isinstance(result, Failure):
            channel.send(result.model_dump_json())
            return False
        # It cannot take back that it gave way; a new process can.
        is_last = limits.has_taken_much or gave_way.is_set()
        channel.send(_describe(result, is_last=is_last).model_dump_json())
        if result.picture is not None:
            write_picture(pipe, result.picture)
        if result.seen is not None:
            write(pipe, result.seen.tobytes())
    return not is_last


def _decode(data: bytes, order: Order) -> DecodedParts | Failure:
    try:
        return decode_parts(data, order.request)
    except PictureError as error:
        return Failure(error=type(error).__name__, message=str(error)[:MESSAGE_CHARACTERS])
    except MemoryError:
        limit = find_memory_limit(order.request.max_pixels)
        message = f"decoding takes more than {limit / 1e6:,.0f} MB of memory, the limit; send a smaller picture"
        return Failure(error=PictureTooLarge.__name__, message=message)
    except Exception:
        return Failure(error=UNEXPECTED, message=traceback.format_exc()[-MESSAGE_CHARACTERS:])


def _describe(parts: DecodedParts, *, is_last: bool) -> Success:
    return Success(
        width=parts.width,
        height=parts.height,
        pages=parts.pages,
        values=parts.values and (parts.values.low, parts.values.high),
        picture=parts.picture and parts.picture.size,
        seen=None if parts.seen is None else parts.seen.shape[:2],
        is_last=is_last,
    )


def _limit(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _leave_with_host() -> None:
    """End when the host does, which kills its children only if it ends in order."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Where memory runs short, the system should take this process before the server.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _be_quiet() -> None:
    """Send nothing of what the decoders print to the server's own output: strangers could fill its log."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _read_peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read_data_bytes() -> int:
    """The memory that counts as data now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (size,) = [line.split()[1] for line in lines if line.startswith("VmData:")]
    return int(size) * 1024
