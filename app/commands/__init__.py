"""The commands of `cbam-lens`, by purpose."""
