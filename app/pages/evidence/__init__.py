"""The measurements behind the paper's claim, kept beside the weights they were made with, and their page."""
