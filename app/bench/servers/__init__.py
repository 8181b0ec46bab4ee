"""The real servers and clients that the benchmark starts."""
