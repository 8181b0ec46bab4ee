"""Training the networks, step by step."""
