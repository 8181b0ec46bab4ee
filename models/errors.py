"""Base classes of the errors that a user can correct; they know no HTTP. Nothing here imports torch."""


class LensError(Exception):
    """The base class of a request's errors; `title` is the same for every error of one kind."""

    title = "The request failed"


class LineupError(Exception):
    """A lineup cannot be loaded; the message names the file, the fault and the remedy."""
