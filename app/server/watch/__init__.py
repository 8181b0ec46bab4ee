"""What an operator sees of the server: numbers for Prometheus, and a line a request."""
