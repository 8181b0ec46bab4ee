"""The server process: uvicorn on a socket that is bound before the networks are loaded."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import uvicorn
from rich.console import Console

from app.engine.loading import check_names, load_chosen_lineups
from app.main import create_app
from app.server.camera import MESSAGE_BYTES
from app.server.connections.places import ACCEPTS_PER_TURN, WAITING_CONNECTIONS, Places, count_places
from app.server.connections.protocol import LensProtocol
from app.server.connections.websocket import LensWebSocket
from app.server.guard.hosts import THIS_MACHINE
from app.server.guard.sub_path import ForwardedHeaders
from app.server.readiness import ReadinessCheck
from app.server.watch.logs import set_up_logging
from app.services import open_upload_folder
from app.settings import Settings
from app.study.access.opening import StudyAccess
from models.lineups.lineup import Lineup

GRACE_SECONDS = 10
"""The time for unfinished requests after SIGTERM."""

KEEP_ALIVE_SECONDS = 75
"""The time that an idle connection stays open: longer than clients wait after 503, and than the minute after which
proxies close theirs. A request that arrives while the server closes the connection gets no answer."""

DRAIN_LOOK_SECONDS = 0.1

console = Console(stderr=True)


class LensServer(uvicorn.Server):
    """uvicorn with a message when it is ready, and a time before its end in which `/readyz` says 503.

    Args:
        config: uvicorn's configuration.
        readiness_check: the check behind `/readyz`.
        drain_seconds: the time that requests are still accepted after a signal.
    """

    def __init__(self, config: uvicorn.Config, readiness_check: ReadinessCheck, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness_check = readiness_check
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let load balancers see by `/readyz` that the server ends, then end."""
        self._readiness_check.is_draining = True
        until = time.monotonic() + self._drain_seconds
        # A second signal ends the wait.
        while time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(DRAIN_LOOK_SECONDS)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        for listener in sockets or []:
            listener.listen(WAITING_CONNECTIONS)
            host, port = listener.getsockname()[:2]
            address = f"[{host}]" if ":" in host else host
            console.print(f"CBAM Lens is ready: http://{address}:{port} (Ctrl+C ends it)", highlight=False)


def prepare_server(
    settings: Settings, *, host: str, port: int, lineups: Sequence[Lineup] = ()
) -> tuple[uvicorn.Server, socket.socket]:
    """Load the networks, and make the server and its socket.

    Args:
        settings: the server's settings.
        host: the address to listen on.
        port: the port; 0 for any free one.
        lineups: those to serve; by default the settings', which are loaded now.

    Raises:
        OSError: when the address is in use or not this machine's, or the folder of uploads cannot be written; the
            message has the remedy.
        InvalidOption: when the studies' database cannot be opened.
        LineupError: when the networks cannot be loaded.
    """
    listener = _listen(host, port)
    try:
        # A folder or a database that cannot be written is known before the networks are loaded.
        open_upload_folder(settings)
        StudyAccess(settings.study_address).check()
        if lineups:
            check_names(lineups)
        else:
            lineups = load_chosen_lineups(settings)
            # A program that loaded its own keeps its own logging too.
            set_up_logging(settings.log_level, settings.log_format)
    except BaseException:
        listener.close()
        raise
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
        # Fixed choices: Ray installs other implementations, which treat broken requests differently.
        http=cast("type[LensProtocol]", partial(LensProtocol, places=Places(count_places()))),
        ws=LensWebSocket,
        loop="asyncio",
        # Its lines contain clients' addresses; ours do not.
        access_log=False,
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        log_config=None,
        # `ForwardedHeaders` reads them, and one more.
        proxy_headers=False,
        # asyncio accepts as many connections at once as may wait; `LensServer.startup` lets more of them wait.
        backlog=ACCEPTS_PER_TURN,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        # A frame of the camera is the longest message; a JPEG gains nothing from compression.
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )
    config.app = ForwardedHeaders(cast("Any", app), trusted_hosts=config.forwarded_allow_ips)
    return LensServer(config, app.state.readiness_check, drain_seconds=settings.drain_seconds), listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def warn_of_reach(settings: Settings) -> str:
    """The warning about a server that other machines can reach."""
    who = "everyone with a token" if settings.api_tokens else "everyone, without a password"
    remedy = (
        "" if settings.api_tokens else " CBAM_LENS_API_TOKENS demands a token, CBAM_LENS_RATE_LIMIT limits each client."
    )
    return (
        f"Other machines can reach this server: {who} in this network may send pictures, and others can read them "
        f"on the way unless a proxy in front of this server encrypts them.{remedy} SECURITY.md has more."
    )


def find_free_port(host: str, port: int) -> int:
    """Find a free port for 0, otherwise check that the port is free; raises OSError with the remedy."""
    with _listen(host, port) as listener:
        found: int = listener.getsockname()[1]
        return found


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With a named protocol asyncio sends each part of an answer at once; otherwise the body waits 40 ms until the
    # client acknowledges the head.
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
