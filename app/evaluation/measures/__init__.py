"""Measurements on one picture or one batch."""
