"""The benchmark's figures, printed and drawn."""
