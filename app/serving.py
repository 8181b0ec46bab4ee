"""The server process: a socket that is ours before anything is loaded, uvicorn behind it."""

import asyncio
import ipaddress
import socket
import time

import uvicorn
from rich.console import Console

from app.engine.loading import load_chosen_lineups
from app.main import create_app
from app.server.camera import MESSAGE_BYTES
from app.server.guard.hosts import THIS_MACHINE
from app.server.readiness import ReadinessCheck
from app.server.watch.logs import set_up_logging
from app.settings import Settings

GRACE_SECONDS = 10
"""How long requests that are under way may take after SIGTERM."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than clients wait after 503, and than the minute after which proxies
close theirs. A request that meets the closing gets no answer at all."""

DRAIN_LOOK_SECONDS = 0.1

console = Console(stderr=True)


class LensServer(uvicorn.Server):
    """uvicorn, saying when pictures are taken and where, and no longer ready some time before it ends.

    Args:
        config: uvicorn's.
        readiness_check: what `/readyz` says.
        drain_seconds: how long requests are still taken after a signal.
    """

    def __init__(self, config: uvicorn.Config, readiness_check: ReadinessCheck, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness_check = readiness_check
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let whoever sends pictures here see that it ends, then end."""
        self._readiness_check.is_draining = True
        until = time.monotonic() + self._drain_seconds
        # A second signal means now.
        while time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(DRAIN_LOOK_SECONDS)
        await super().shutdown(sockets)

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
        LineupError: when the networks cannot be loaded.
    """
    listener = _listen(host, port)
    try:
        lineups = load_chosen_lineups(settings)
    except BaseException:
        listener.close()
        raise
    set_up_logging(settings.log_level, settings.log_format)
    if not is_loopback(host):
        console.print(warn_of_reach(settings), highlight=False)
    elif not settings.trusted_hosts:
        settings = settings.model_copy(update={"trusted_hosts": (*THIS_MACHINE, host)})
    for lineup in lineups:
        untrained = "" if lineup.card.trained else ", UNTRAINED (random weights)"
        console.print(f"{lineup.card.name}: {lineup.card.title}, on {lineup.device}{untrained}", highlight=False)
    app = create_app(settings, lineups=lineups)
    config = uvicorn.Config(
        app,
        # Not whichever are installed: Ray brings others along, and what they do with a broken request differs.
        http="h11",
        loop="asyncio",
        # Its lines name clients' addresses; ours do not.
        access_log=False,
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        # A frame of the camera is the longest message; a JPEG gains nothing from compression.
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )
    return LensServer(config, app.state.readiness_check, drain_seconds=settings.drain_seconds), listener


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def warn_of_reach(settings: Settings) -> str:
    """The warning about listening beyond this machine."""
    who = "whoever has a token" if settings.api_tokens else "everyone, without a password"
    remedy = "" if settings.api_tokens else " CBAM_LENS_API_TOKENS asks for one, CBAM_LENS_RATE_LIMIT slows them down."
    return (
        f"Listening beyond this machine: {who} in this network may send pictures, and what is sent can be read on the "
        f"way, unless a proxy in front of this server encrypts it.{remedy} SECURITY.md has more."
    )


def find_free_port(host: str, port: int) -> int:
    """The port itself where it is free, and any free one for 0; raises OSError, which says what to do."""
    with _listen(host, port) as listener:
        found: int = listener.getsockname()[1]
        return found


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
