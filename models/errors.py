"""Errors of loading networks, which a user can mend. Nothing here imports torch."""


class PairError(Exception):
    """A pair cannot be loaded; the message says which file, what is wrong and what to do."""
