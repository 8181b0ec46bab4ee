"""Networks that are compared with each other: their cards, sources and loading."""
