"""From maps to pictures. Nothing here imports torch."""
