"""What goes between the server and a decoding process: a message of JSON each way, the upload and the pixels.

The server reads nothing else of a process that has read a stranger's bytes, in particular no pickle. With an order go
two descriptors: a file in memory with the upload, and the end of a pipe for the pixels. The server reads those while
the process writes them, on the same few pages of memory; 12 megapixels in a file take 9,000 new ones.
"""

import io
import math
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

from PIL import Image
from pydantic import BaseModel, Field

from models.pictures.bands import list_bands
from models.pictures.limits import MAX_SIDE

if sys.platform == "linux":
    import fcntl

MAX_MESSAGE_BYTES = 64 * 1024

ORDER_DESCRIPTORS = 2
"""The upload and the pipe; an answer has none."""

PIPE_BYTES = 2**20
"""What a pipe holds: the most that Linux gives to any user by default, and sixteen times as much as without asking."""

NO_PROCESS = "no process"
"""The kind of the error when the system allows no further process."""

UNEXPECTED = "unexpected"
"""The kind of an error that is none of the picture's."""

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class Failure(BaseModel):
    """An answer without pixels.

    Attributes:
        error: the error's class, or one of the kinds above.
        message: for the client, or for the log where the error is unexpected.
    """

    error: str
    message: str


class Success(BaseModel):
    """An answer; the fields are those of `DecodedParts`.

    Attributes:
        values: the lowest and the highest one.
        picture: width and height of the picture, whose pixels come first through the pipe.
        seen: height and width of the input, which comes after it.
        is_last: whether the process ends after this picture.
    """

    width: Side
    height: Side
    pages: int
    values: tuple[float, float] | None
    picture: tuple[Side, Side] | None
    seen: tuple[Side, Side] | None
    is_last: bool


class ChannelEnded(Exception):
    """The other side has closed the channel."""


class Channel:
    """A connected socket of whole messages, with a limit of time for all of them.

    Args:
        connection: the socket, of type SOCK_SEQPACKET.
        seconds: the time limit; a later call raises TimeoutError.
    """

    def __init__(self, connection: socket.socket, seconds: float = math.inf) -> None:
        self._connection = connection
        self._until = time.monotonic() + seconds

    def send(self, message: str, *descriptors: int) -> None:
        """Send a message, with descriptors."""
        self._limit()
        socket.send_fds(self._connection, [message.encode()], descriptors)

    @contextmanager
    def receive(self) -> Iterator[tuple[bytes, list[int]]]:
        """A message and its descriptors, of which those in the list are closed afterwards; raises `ChannelEnded`."""
        self._limit()
        message, descriptors, _, _ = socket.recv_fds(self._connection, MAX_MESSAGE_BYTES, ORDER_DESCRIPTORS)
        try:
            if not message:
                raise ChannelEnded
            yield message, descriptors
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def read_pipe(self, pipe: io.FileIO, size: int) -> bytearray:
        """Exactly so many bytes of a pipe of the other side's; raises `ChannelEnded` where it ends sooner."""
        content = bytearray(size)
        view = memoryview(content)
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while view:
            count = pipe.readinto(view)
            if count == 0:
                raise ChannelEnded
            if count is None:
                poll.poll(None if self._until == math.inf else math.ceil(self._limit() * 1000))
            else:
                view = view[count:]
        return content

    def read_picture(self, pipe: io.FileIO, width: int, height: int) -> Image.Image:
        """The RGB picture that comes through a pipe, see `write_picture`; raises `ChannelEnded`."""
        picture = Image.new("RGB", (width, height))
        for top, bottom in list_bands(width, height):
            rows = self.read_pipe(pipe, 3 * width * (bottom - top))
            picture.paste(Image.frombuffer("RGB", (width, bottom - top), rows, "raw", "RGB", 0, 1), (0, top))
        return picture

    def wait_for_end(self) -> None:
        """Wait until the other side has closed the channel, and drop what it still sends."""
        while True:
            try:
                with self.receive():
                    pass
            except ChannelEnded:
                return

    def _limit(self) -> float:
        """The seconds that are left, which are the socket's limit now; raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(None if left == math.inf else left)
        return left


@contextmanager
def open_file() -> Iterator[int]:
    """The descriptor of a new file in memory, which is closed afterwards."""
    file = os.memfd_create("cbam-lens")
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def open_pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """The two ends of a new pipe, to read from and to write to, which are closed afterwards.

    Reading waits for nothing: another process can always read what should be here, and the deadline would pass.
    """
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    with io.FileIO(ends[0], "rb") as reading, io.FileIO(ends[1], "wb") as writing:
        # A user who has many pipes gets a smaller one, which costs some time and nothing else.
        with suppress(PermissionError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield reading, writing


def write(file: int, content: bytes) -> None:
    """Append bytes to a file or pipe."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def read(file: int, size: int) -> bytes:
    """Exactly so many bytes of the start of a file; raises `ChannelEnded` where it is shorter."""
    content = os.pread(file, size, 0)
    if len(content) < size:
        raise ChannelEnded
    return content


def write_picture(file: int, picture: Image.Image) -> None:
    """Write an RGB picture's pixels to a file or pipe."""
    for top, bottom in list_bands(*picture.size):
        write(file, picture.crop((0, top, picture.width, bottom)).tobytes())
