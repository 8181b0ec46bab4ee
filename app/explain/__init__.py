"""Class activation maps, attention maps and their numbers."""
