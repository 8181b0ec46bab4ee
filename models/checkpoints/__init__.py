"""The checkpoint doctor: what a file of weights is, and the same weights in our names."""
