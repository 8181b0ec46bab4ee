"""Real servers and clients that the benchmark starts."""
