"""Measurements of one picture or one batch."""
