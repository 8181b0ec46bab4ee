"""The REST API's answers."""
