"""Ways to compute that are timed beside each other in one process."""
