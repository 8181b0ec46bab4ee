"""What was measured of the paper's claim, kept beside the weights that it was measured with, and its page."""
