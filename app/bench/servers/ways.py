"""The ways to serve that are measured beside each other."""

import os
from dataclasses import dataclass

from app.bench.servers.server import ServerProcess, serve_command
from app.settings import Settings

CLIENTS = (1, 16)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to serve.

    Attributes:
        key: the figures' prefix.
        name: for people.
        replicas: processes with the networks on Ray; None for the plain server.
    """

    key: str
    name: str
    replicas: int | None

    def open(self, settings: Settings) -> ServerProcess:
        """The server, to be entered."""
        environment = {**os.environ, "CBAM_LENS_THREADS": "1"}
        if self.replicas is None:
            return ServerProcess(serve_command(settings), environment)
        environment |= {
            "CBAM_LENS_RAY_MIN_REPLICAS": str(self.replicas),
            "CBAM_LENS_RAY_MAX_REPLICAS": str(self.replicas),
            "CBAM_LENS_RAY_MIN_INGRESSES": "1",
            "CBAM_LENS_RAY_MAX_INGRESSES": "1",
            # Also on a machine with fewer cores than processes, where the figures say what that costs.
            "CBAM_LENS_RAY_REPLICA_CPUS": "0.5",
        }
        return ServerProcess([*serve_command(settings), "--on", "ray"], environment)


WAYS = (
    Way("plain", "one plain process", None),
    Way("ray1", "Ray, 1 process with networks", 1),
    Way("ray2", "Ray, 2 processes with networks", 2),
)
