"""The files that a training writes: weights and cards."""
