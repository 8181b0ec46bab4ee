"""The server's readiness: from every lineup's first picture until the server is told to end."""

from app.api.schemas import Readiness
from app.engine.engine import Engine


class ReadinessCheck:
    """The check behind `/readyz`.

    Attributes:
        is_draining: whether the server was told to end; it still answers its last requests.
    """

    def __init__(self) -> None:
        self.is_draining = False

    def judge(self, engine: Engine) -> Readiness:
        """The state of the server with this engine."""
        if self.is_draining:
            return Readiness.DRAINING
        if engine.is_ready:
            return Readiness.OK
        return Readiness.FAILED if engine.has_failed else Readiness.STARTING
