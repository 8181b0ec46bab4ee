"""Comparisons and reports as files."""
