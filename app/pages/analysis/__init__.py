"""The page of a comparison: its maps, numbers, classes, gates and files."""
