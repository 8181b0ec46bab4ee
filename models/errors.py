"""Base classes of the errors that a user can correct, and others' words in them; they know no HTTP.

Nothing here imports torch.
"""


class LensError(Exception):
    """The base class of a request's errors; `title` is the same for every error of one kind."""

    title = "The request failed"


class LineupError(Exception):
    """A lineup cannot be loaded; the message names the file, the fault and the remedy."""


def make_printable(text: str, *, most: int | None = None) -> str:
    """A text from a file or a server as one line, without control characters for a terminal.

    Args:
        text: others' words.
        most: the characters that are kept; None for all.
    """
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return printable if most is None or len(printable) <= most else f"{printable[:most]}..."
