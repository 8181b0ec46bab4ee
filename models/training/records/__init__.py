"""Files that a training leaves behind: weights and cards."""
