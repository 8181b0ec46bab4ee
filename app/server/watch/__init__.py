"""Metrics for Prometheus, and one log line per request."""
