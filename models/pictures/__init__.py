"""Pictures: decoded, placed and prepared once, for requests, training and evaluation. Nothing here imports torch."""
