"""The host of decoding processes: it imports the decoders once and forks a process for each picture.

It runs nothing but this loop, so that it always answers: it kills a child whose connection the server has shut, and all
of them when the server has gone, however that ended.
"""

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass

import imagecodecs
import pillow_heif
from PIL import AvifImagePlugin, Image

from app.decoding.child import run_child
from app.decoding.wire import NO_PROCESS, Channel, Failure
from app.engine.priority import give_way

HANG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)
"""The server has shut its side of a connection."""

DEEP_CODECS = (
    "png_decode",
    "webp_decode",
    "jpeg8_decode",
    "lzw_decode",
    "zlib_decode",
    "zstd_decode",
    "lzma_decode",
    "packbits_decode",
)
"""Of imagecodecs, which imports each codec on its first use."""


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    connection: socket.socket


class Host:
    """Forks and ends children.

    Args:
        control: the server's socket; with each byte comes the connection for one picture.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._poll = select.poll()
        self._children: dict[int, _Child] = {}
        self._ended, wake = socket.socketpair()
        wake.setblocking(False)
        self._wake = wake  # kept: the descriptor below belongs to it
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._ended, select.POLLIN)

    def run(self) -> None:
        """Serve until the server has gone."""
        is_connected = True
        while is_connected:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            # In this order, because reaping frees descriptors that accepting takes again.
            for descriptor in ready & self._children.keys():
                self._kill(descriptor)
            if self._ended.fileno() in ready:
                self._ended.recv(4096)
                self._reap()
            if self._control.fileno() in ready:
                is_connected = self._accept()

    def end(self) -> None:
        """Kill all children."""
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)

    def _accept(self) -> bool:
        """Fork for the next picture; False if the server has gone."""
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if not message:
            return False
        for descriptor in descriptors:
            self._fork(socket.socket(fileno=descriptor))
        return True

    def _fork(self, connection: socket.socket) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            with connection, suppress(OSError):
                Channel(connection).send(Failure(error=NO_PROCESS, message=str(error)).model_dump_json())
            return
        if pid == 0:
            self._forget()
            run_child(connection)
        # Kept open until the child is gone: the server sees the connection's end when its memory and core are free.
        self._children[connection.fileno()] = _Child(pid, connection)
        self._poll.register(connection, HANG_UP)

    def _forget(self) -> None:
        """Close what is the host's, in a child: it would keep the other children's connections open."""
        signal.set_wakeup_fd(-1)
        for mine in (self._control, self._ended, self._wake, *(child.connection for child in self._children.values())):
            mine.close()

    def _kill(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        # It is not reaped yet, so that its number is still its own.
        os.kill(self._children[descriptor].pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._children:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            descriptor = next(known for known, child in self._children.items() if child.pid == pid)
            with suppress(KeyError):  # killed ones are no longer watched
                self._poll.unregister(descriptor)
            self._children.pop(descriptor).connection.close()


def prepare() -> None:
    """Import what decoding needs, one thread each, before the first child shares it."""
    Image.init()
    for codec in DEEP_CODECS:
        getattr(imagecodecs, codec)
    # Decodings are as many as cores; each has one.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.options.DECODE_THREADS = 1
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    # The server ends on these after its last requests, and this process with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    control = socket.socket(fileno=int(sys.argv[1]))
    # Its children inherit this, and get the share of the engine's threads.
    give_way()
    prepare()
    host = Host(control)
    try:
        host.run()
    finally:
        host.end()


if __name__ == "__main__":
    main()
