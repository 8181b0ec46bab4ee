"""Analyses of pictures, questions about them, and the stores that keep both."""
