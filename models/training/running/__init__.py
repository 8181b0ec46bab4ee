"""The training process: errors, files, progress and stopping."""
