"""The ways of serving that are compared."""

import os
from dataclasses import dataclass

from app.bench.servers.server import ServerProcess, serve_command
from app.settings import Settings

CLIENTS = (1, 16)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of serving.

    Attributes:
        key: the prefix of the figures' keys.
        name: its name for people.
        replicas: the number of processes with the networks on Ray; None for the plain server.
    """

    key: str
    name: str
    replicas: int | None

    def open(self, settings: Settings) -> ServerProcess:
        """Make the server, to start with a `with` block."""
        environment = {**os.environ, "CBAM_LENS_THREADS": "1"}
        if self.replicas is None:
            return ServerProcess(serve_command(settings), environment)
        environment |= {
            "CBAM_LENS_RAY_MIN_REPLICAS": str(self.replicas),
            "CBAM_LENS_RAY_MAX_REPLICAS": str(self.replicas),
            "CBAM_LENS_RAY_MIN_INGRESSES": "1",
            "CBAM_LENS_RAY_MAX_INGRESSES": "1",
            # Half a core each, so that they also start on a machine with fewer cores than processes.
            "CBAM_LENS_RAY_REPLICA_CPUS": "0.5",
        }
        return ServerProcess([*serve_command(settings), "--on", "ray"], environment)


WAYS = (
    Way("plain", "one plain process", None),
    Way("ray1", "Ray, 1 process with networks", 1),
    Way("ray2", "Ray, 2 processes with networks", 2),
)
