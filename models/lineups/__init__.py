"""Networks that are compared with each other: their cards, their sources and how they are loaded."""
