"""Learning: the networks in training, step by step."""
