"""Drawing of maps as pictures. Nothing here imports torch."""
