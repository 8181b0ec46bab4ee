"""Whether pictures are taken: not before every lineup has answered one, and no more when the server is told to end."""

from app.api.schemas import Readiness
from app.engine.engine import Engine


class ReadinessCheck:
    """The answer of `/readyz`.

    Attributes:
        is_draining: whether the server was told to end; what is under way is answered.
    """

    def __init__(self) -> None:
        self.is_draining = False

    def judge(self, engine: Engine) -> Readiness:
        """Whether pictures are taken."""
        if self.is_draining:
            return Readiness.DRAINING
        if engine.is_ready:
            return Readiness.OK
        return Readiness.FAILED if engine.has_failed else Readiness.STARTING
