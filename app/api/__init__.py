"""The REST API's schemas and paths."""
