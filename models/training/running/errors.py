"""Errors of a training that a user can correct."""

from models.errors import LineupError


class TrainingError(LineupError):
    """A training cannot start or continue; the message has the fault and the remedy."""
