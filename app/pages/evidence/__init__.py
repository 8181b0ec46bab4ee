"""The evidence page: recorded measurements of the paper's claim."""
