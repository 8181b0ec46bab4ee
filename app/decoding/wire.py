"""What goes between the server and a decoding process: a message of JSON each way, with a file in memory beside it.

The server reads nothing else of a process that has read a stranger's bytes, in particular no pickle. Pixels go by a
file in memory, because a socket holds 0.2 MB: 12 megapixels would take 200 turns of both processes.
"""

import math
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from PIL import Image
from pydantic import BaseModel, Field

from models.pictures.bands import list_bands
from models.pictures.limits import MAX_SIDE

MAX_MESSAGE_BYTES = 64 * 1024

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
        picture: width and height of the picture, which the file begins with.
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

    def send(self, message: str, file: int | None = None) -> None:
        """Send a message, with a file's descriptor."""
        self._limit()
        socket.send_fds(self._connection, [message.encode()], [] if file is None else [file])

    @contextmanager
    def receive(self) -> Iterator[tuple[bytes, int | None]]:
        """A message and the descriptor of its file, which is closed afterwards; raises `ChannelEnded`."""
        self._limit()
        message, files, _, _ = socket.recv_fds(self._connection, MAX_MESSAGE_BYTES, 1)
        try:
            if not message:
                raise ChannelEnded
            yield message, files[0] if files else None
        finally:
            for file in files:
                os.close(file)

    def wait_for_end(self) -> None:
        """Wait until the other side has closed the channel, and drop what it still sends."""
        while True:
            try:
                with self.receive():
                    pass
            except ChannelEnded:
                return

    def _limit(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(None if left == math.inf else left)


@contextmanager
def open_file() -> Iterator[int]:
    """The descriptor of a new file in memory, which is closed afterwards."""
    file = os.memfd_create("cbam-lens")
    try:
        yield file
    finally:
        os.close(file)


def write(file: int, content: bytes) -> None:
    """Append bytes to a file."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def read(file: int, size: int, offset: int = 0) -> bytearray:
    """Exactly so many bytes of a file; raises `ChannelEnded` where it is shorter."""
    content = bytearray(size)
    view = memoryview(content)
    while view:
        # A mapped file would end this process if the other one cut it.
        count = os.preadv(file, [view], offset)
        if not count:
            raise ChannelEnded
        view, offset = view[count:], offset + count
    return content


def write_picture(file: int, picture: Image.Image) -> None:
    """Append an RGB picture's pixels to a file."""
    for top, bottom in list_bands(*picture.size):
        write(file, picture.crop((0, top, picture.width, bottom)).tobytes())


def read_picture(file: int, width: int, height: int) -> Image.Image:
    """The RGB picture that a file begins with; raises `ChannelEnded` where it is shorter."""
    picture = Image.new("RGB", (width, height))
    for top, bottom in list_bands(width, height):
        rows = read(file, 3 * width * (bottom - top), 3 * width * top)
        picture.paste(Image.frombuffer("RGB", (width, bottom - top), rows, "raw", "RGB", 0, 1), (0, top))
    return picture
