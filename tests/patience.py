"""Settings for machines that run other work beside the tests."""

from app.settings import Settings

PATIENT = Settings(device="cpu", deadline_seconds=600)
"""The default ones but for the deadline, within which a busy machine may not compute an answer."""
