"""Checkpoints: find out what a file of weights holds, and load it under our tensor names."""
