"""Training pictures: listed, read, varied and batched."""
