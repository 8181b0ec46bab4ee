"""`cbam-lens serve --on ray`: the server as replicas on a cluster."""

import signal
import threading

import ray
from ray import serve
from rich.console import Console

from app.engine.loading import load_chosen_lineups
from app.on_ray.cluster import join_cluster
from app.on_ray.deployment import LOGGING, deploy
from app.on_ray.settings import RaySettings
from app.on_ray.store_actor import start_store_actor
from app.server.guard.hosts import THIS_MACHINE
from app.services import open_upload_folder
from app.serving import find_free_port, is_loopback, warn_of_reach
from app.settings import Settings
from app.study.access.opening import StudyAccess

console = Console(stderr=True)

OPEN_PORTS = (
    "Ray listens at all addresses of this machine on ports of its own, whatever --host says. They need a token, except "
    "those of its metrics, which tell loads and sizes; a firewall keeps other machines away. SECURITY.md has more."
)
"""The warning about ports that Ray can be given no address for."""


def serve_on_ray(settings: Settings, ray_settings: RaySettings, *, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl+C.

    Args:
        settings: the server's settings.
        ray_settings: the number and size of the replicas.
        host: the address to listen on, on each machine of the cluster.
        port: the port; 0 for any free one of this machine.

    Raises:
        EngineFailed: when a process does not start.
        OSError: when the address is in use or not this machine's, or the folder of uploads cannot be written.
        InvalidOption: when the studies' database cannot be opened.
        LineupError: when the networks cannot be loaded; they are loaded here first, on the CPU.
    """
    port = find_free_port(host, port)
    open_upload_folder(settings)
    StudyAccess(settings.study_address).check()
    cards = [lineup.card for lineup in load_chosen_lineups(settings.model_copy(update={"device": "cpu"}))]
    if not is_loopback(host):
        console.print(warn_of_reach(settings), highlight=False)
    elif not settings.trusted_hosts:
        settings = settings.model_copy(update={"trusted_hosts": (*THIS_MACHINE, host)})
    for card in cards:
        untrained = "" if card.trained else ", UNTRAINED (random weights)"
        console.print(f"{card.name}: {card.title}, on Ray{untrained}", highlight=False)
    console.print(OPEN_PORTS, highlight=False)
    with join_cluster():
        # Installed after Ray's own handlers, which would end this process at once.
        is_over = watch_for_end()
        options = serve.config.HTTPOptions(host=host, port=port)
        try:
            with console.status("starting processes on Ray, which takes about half a minute"):
                serve.start(proxy_location="EveryNode", http_options=options, logging_config=LOGGING)
                store_actor = start_store_actor(settings)
                deploy(settings, ray_settings, store_actor)
            console.print(f"CBAM Lens is ready: http://{_name(host)}:{port} (Ctrl+C ends it)", highlight=False)
            is_over.wait()
            ray.get(store_actor.drain.remote())
            is_over.clear()
            # A second signal ends the wait.
            is_over.wait(settings.drain_seconds)
        finally:
            serve.shutdown()


def watch_for_end() -> threading.Event:
    """Make an event that SIGTERM and Ctrl+C set."""
    event = threading.Event()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: event.set())
    return event


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host else host
