"""Blind studies: people say which network's map shows the object better. Nothing here imports torch."""
