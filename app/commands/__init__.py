"""The commands of `cbam-lens`, by what they are for."""
