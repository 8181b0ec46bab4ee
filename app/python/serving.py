"""The page on lineups that a Python program has loaded."""

import socket
import threading
from types import TracebackType

import uvicorn

from app.python.open_lineup import OpenLineup
from app.serving import prepare_server
from app.settings import Settings

LOCALHOST = "127.0.0.1"

LOOK_SECONDS = 0.05


class RunningServer:
    """A server in a thread beside the program; `with` stops it at the end of the block.

    Args:
        server: the server.
        listener: its socket, bound.
    """

    def __init__(self, server: uvicorn.Server, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._server = server
        # A notebook has an event loop in the main thread, so the server's is in another one.
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="cbam-lens-server", daemon=True
        )
        self._thread.start()
        while not server.started and self._thread.is_alive():
            self._thread.join(LOOK_SECONDS)
        if not server.started:
            raise OSError(f"the server at {self.url} ended while it started; its log says why")

    def wait(self) -> None:
        """Wait until the server ends; an interrupt by the keyboard ends it."""
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self.stop()

    def stop(self) -> None:
        """End the server, after the requests that it has accepted."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<CBAM Lens at {self.url}>" if self._thread.is_alive() else "<CBAM Lens, stopped>"


def start_server(*lineups: OpenLineup, host: str = LOCALHOST, port: int = 8000) -> RunningServer:
    """Start the page and the REST API on loaded lineups, and return at once.

    Args:
        lineups: one or more with different names; the first one is the default.
        host: the address to listen on; by default only this machine can reach it.
        port: the port; 0 for any free one.

    Raises:
        LineupError: for two lineups of one name.
        OSError: when the address is in use or not this machine's.
    """
    loaded = tuple(opened.lineup for opened in lineups)
    return RunningServer(*prepare_server(Settings(), host=host, port=port, lineups=loaded))
