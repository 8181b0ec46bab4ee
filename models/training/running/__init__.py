"""The training process: its errors, files, progress and end."""
