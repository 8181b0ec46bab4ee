"""The operator's view of the server: numbers for Prometheus, and one log line per request."""
