"""The fixtures of a fake Hub are those of `tests/sharing`."""

from tests.sharing.conftest import hub, published, server

__all__ = ["hub", "published", "server"]
