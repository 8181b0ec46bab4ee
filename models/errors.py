"""The roots of the errors that a user can mend; they know no HTTP. Nothing here imports torch."""


class LensError(Exception):
    """The root of everything that a request can meet; `title` is the same for every error of one kind."""

    title = "The request failed"


class LineupError(Exception):
    """A lineup cannot be loaded; the message says which file, what is wrong and what to do."""
