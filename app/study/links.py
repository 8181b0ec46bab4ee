"""The paths of a study's pages: short, because people type them from a projector."""

PREFIX = "/s"


def link_voters(key: str) -> str:
    """The path where people vote."""
    return f"{PREFIX}/{key}"


def link_admin(key: str, admin_key: str) -> str:
    """The path that shows the results before the end."""
    return f"{PREFIX}/{key}/admin/{admin_key}"
