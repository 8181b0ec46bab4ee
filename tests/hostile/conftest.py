from tests.contract import client  # noqa: F401  # a fixture: every upload is sent to a server on Ray too
