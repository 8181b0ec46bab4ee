"""The server process: a socket that is ours before anything is loaded, uvicorn behind it."""

import logging
import socket

import uvicorn
from rich.console import Console

from app.camera import MESSAGE_BYTES
from app.loading import load_chosen_pairs
from app.main import create_app
from app.settings import Settings

GRACE_SECONDS = 10
"""How long requests that are under way may take after SIGTERM."""

console = Console(stderr=True)


class AnnouncingServer(uvicorn.Server):
    """uvicorn, saying when pictures are taken and where."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            address = f"[{host}]" if ":" in host else host
            console.print(f"CBAM Lens is ready: http://{address}:{port} (Ctrl+C ends it)", highlight=False)


def prepare_server(settings: Settings, *, host: str, port: int) -> tuple[uvicorn.Server, socket.socket]:
    """A server with its networks loaded, and the socket to run it on.

    Args:
        settings: the server's settings.
        host: the address to listen on.
        port: the port; 0 for any free one.

    Raises:
        OSError: when the address is taken or not this machine's; the message says what to do.
        PairError: when the networks cannot be loaded.
    """
    listener = _listen(host, port)
    try:
        pairs = load_chosen_pairs(settings)
    except BaseException:
        listener.close()
        raise
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    for pair in pairs:
        untrained = "" if pair.card.trained else ", UNTRAINED (random weights)"
        console.print(f"{pair.card.name}: {pair.card.title}, on {pair.device}{untrained}", highlight=False)
    config = uvicorn.Config(
        create_app(settings, pairs=pairs),
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        # A frame of the camera is the longest message; a JPEG gains nothing from compression.
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )
    return AnnouncingServer(config), listener


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends each part of an answer at once; else its body waits 40 ms for the client's
    # acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port or --host"
        ) from error
    return listener
