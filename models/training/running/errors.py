"""Errors of a training that a user can mend."""

from models.errors import LineupError


class TrainingError(LineupError):
    """A training cannot begin or go on; the message says what is wrong and what to do."""
