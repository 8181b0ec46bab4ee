"""The computations that are timed in turn in one process."""
