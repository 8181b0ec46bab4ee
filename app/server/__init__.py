"""Protection, limits, logs and metrics around the routes."""
